"""What can go wrong on one machine, each as one sentence of what happened and one of what to do next."""

import errno


class PlatformProblem(Exception):
    """Something outside Kanava stands in the way; its text says what happened and what to do next."""


class PortOccupied(PlatformProblem):
    """A configured port belongs to another process."""

    def __init__(self, port: int, setting: str) -> None:
        super().__init__(
            f"Port {port} is occupied by another process. Stop that process, or set {setting} to a free port."
        )


class DiskFull(PlatformProblem):
    """The disk has no room for what was about to be written."""

    def __init__(self, what: str) -> None:
        super().__init__(
            f"{what} stopped because the disk is full. Free some space and run the command again."
        )


class RegistryUnreachable(PlatformProblem):
    """Packages could not be fetched."""

    def __init__(self, what: str) -> None:
        super().__init__(
            f"{what} could not be fetched because the package registry did not answer. "
            "Check the network or proxy settings and run the command again; what was fetched stays."
        )


class NotStarted(PlatformProblem):
    """A process ended, or did not become ready in time."""

    def __init__(self, what: str, log: object, last_lines: str = "") -> None:
        tail = f"\n{last_lines}" if last_lines else ""
        super().__init__(
            f"{what} did not start. Its log {log} says why; `./kanava doctor` checks the rest.{tail}"
        )


class AlreadyRunning(PlatformProblem):
    """A profile is in use by another launcher."""

    def __init__(self, name: str) -> None:
        super().__init__(
            f"The profile '{name}' is in use by another command. Wait for it, or end what it started "
            f"with `./kanava down --profile {name}`."
        )


def is_disk_full(error: BaseException) -> bool:
    """Whether an error means that the disk, or the user's share of it, is full."""
    return isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT)
