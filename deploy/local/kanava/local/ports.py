"""Ports of this machine: free ones, or the configured one if nobody else has it."""

import os
import random
import socket

from kanava.local.problems import PlatformProblem, PortOccupied

LOOPBACK = "127.0.0.1"
# Below the range from which the kernel takes ports for outgoing connections.
FREE_RANGE = range(20_000, 32_000)
LOWEST, HIGHEST = 1_024, 65_535


def is_free(port: int) -> bool:
    """Whether a server could listen on the port of the loopback address now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True


def is_open(port: int) -> bool:
    """Whether something listens on the port of the loopback address."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.settimeout(0.5)
        return probe.connect_ex((LOOPBACK, port)) == 0


def free_port(choose: random.Random | None = None) -> int:
    """Some free port."""
    source = choose or random.SystemRandom()
    for _ in range(200):
        if is_free(port := source.choice(FREE_RANGE)):
            return port
    raise PlatformProblem(
        "No free port was found. Stop some servers of this machine and run the command again."
    )


def port_for(setting: str, remembered: int | None = None) -> int:
    """The port that the environment variable names, else the remembered one if it is free, else a free one.

    Raises PortOccupied when the named one is not free, PlatformProblem when it is no port to be had.
    """
    if named := os.environ.get(setting):
        if not named.isdigit() or not LOWEST <= int(named) <= HIGHEST:
            raise PlatformProblem(f"{setting} is '{named}'; set it to a number from {LOWEST} to {HIGHEST}.")
        if not is_free(int(named)):
            raise PortOccupied(int(named), setting)
        return int(named)
    return remembered if remembered and is_free(remembered) else free_port()
