"""A profile: one named set of data, secrets, logs and processes under `.kanava/data/`.

`up` is durable. `demo` is emptied whenever it starts. `test-…` lives as long as its test session.
"""

import base64
import contextlib
import fcntl
import json
import os
import re
import secrets
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from kanava.local import processes
from kanava.local.problems import AlreadyRunning, DiskFull, PlatformProblem, is_disk_full

NAME = re.compile(r"[a-z][a-z0-9-]{0,39}")
SECRET_BYTES = 32
LEAST_ROOM_BYTES = 500 * 1024**2


def project_root() -> Path:
    """The folder that holds `./kanava`."""
    return Path(os.environ.get("KANAVA_ROOT") or Path(__file__).resolve().parents[4])


def data_root() -> Path:
    """Where profiles live: `.kanava/data`, or the folder that KANAVA_DATA names."""
    return Path(os.environ.get("KANAVA_DATA") or project_root() / ".kanava" / "data").absolute()


@dataclass(frozen=True)
class Profile:
    """One profile by its name and folder; making the object touches nothing."""

    name: str
    folder: Path

    @property
    def pids(self) -> Path:
        """Pid files of what this profile started."""
        return self.folder / "pids"

    @property
    def logs(self) -> Path:
        """Output of what this profile started."""
        return self.folder / "logs"

    def prepare(self) -> "Profile":
        """Make its folders. Raises DiskFull, or PlatformProblem when they may not be written."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            self.folder.chmod(0o711)  # the server without root passes here to its own folder
            for folder in (self.pids, self.logs, self.folder / "secrets"):
                folder.mkdir(exist_ok=True, mode=0o700)
        except OSError as error:
            if is_disk_full(error):
                raise DiskFull("Making the data folder") from error
            raise PlatformProblem(
                f"The data folder {self.folder} cannot be written ({error.strerror}). "
                "Give it to the user who runs this, or name another folder in KANAVA_DATA."
            ) from error
        return self

    def check_room(self) -> None:
        """Raise DiskFull before anything is made, when the disk could not hold it."""
        if shutil.disk_usage(self.folder).free < LEAST_ROOM_BYTES:
            raise DiskFull(
                f"Starting '{self.name}' (it needs {LEAST_ROOM_BYTES // 1024**2} MiB to begin with)"
            )

    def log(self, name: str) -> Path:
        """The log file of one process."""
        return self.logs / f"{name}.log"

    def pid_file(self, name: str) -> Path:
        """The pid file of one process."""
        return self.pids / f"{name}.pid"

    def running(self) -> list[processes.Process]:
        """What runs of this profile."""
        return processes.find_all(self.pids)

    def secret(self, name: str) -> str:
        """A secret of this profile, 32 random bytes in base64, made at the first asking, its owner's only."""
        path = self.folder / "secrets" / name
        if not path.exists():
            write_private(path, base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode())
        return path.read_text()

    def password(self, role: str) -> str:
        """The password of a database role, safe inside a URL."""
        path = self.folder / "secrets" / f"password-{role}"
        if not path.exists():
            write_private(path, secrets.token_urlsafe(24))
        return path.read_text()

    def remember(self, key: str, value: object) -> None:
        """Keep a fact (a port, an address) for the next command."""
        write_private(self.folder / "facts.json", json.dumps({**self.facts(), key: value}, indent=1))

    def facts(self) -> dict[str, object]:
        """What was remembered; empty at first."""
        try:
            return dict(json.loads((self.folder / "facts.json").read_text()))
        except (OSError, ValueError):
            return {}

    def remembered_port(self, key: str) -> int | None:
        """A remembered port, if there is one."""
        port = self.facts().get(key)
        return port if isinstance(port, int) else None

    def wipe(self) -> None:
        """Empty the profile, of which nothing may run; renamed first, so that no half of it is ever left."""
        if left := self.running():
            raise PlatformProblem(f"'{self.name}' still runs ({left[0].name}). Stop it with `./kanava down`.")
        for rest in self.folder.parent.glob(f".{self.name}.gone-*"):
            shutil.rmtree(rest, ignore_errors=True)
        gone = self.folder.with_name(f".{self.name}.gone-{secrets.token_hex(4)}")
        with contextlib.suppress(FileNotFoundError):
            self.folder.rename(gone)
            shutil.rmtree(gone, ignore_errors=True)

    @contextlib.contextmanager
    def claimed(self) -> Iterator[None]:
        """Hold the profile for this process; the kernel lets go when it dies. Raises AlreadyRunning."""
        self.folder.parent.mkdir(parents=True, exist_ok=True)
        with self.folder.with_name(f".{self.name}.lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise AlreadyRunning(self.name) from error
            yield

    def is_claimed(self) -> bool:
        """Whether another process holds the profile now."""
        try:
            with self.claimed():
                return False
        except AlreadyRunning:
            return True


def write_private(path: Path, text: str) -> None:
    """Write a file that only its owner reads, whole or not at all."""
    fresh = path.with_name(f".{path.name}.{os.getpid()}.new")
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)


def profile(name: str) -> Profile:
    """The profile of that name. Raises PlatformProblem for a name that could leave the data folder."""
    if not NAME.fullmatch(name):
        raise PlatformProblem(f"'{name}' is no profile name. Use lower-case letters, digits and hyphens.")
    return Profile(name, data_root() / name)


def profiles() -> list[Profile]:
    """All profiles that exist on this machine's data folder."""
    return [Profile(path.name, path) for path in sorted(data_root().glob("[a-z]*")) if path.is_dir()]
