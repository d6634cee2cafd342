"""Runs one command as a child of the launcher: writes its pid file, ties it to its parent, drops root.

Started by path with a bare interpreter, so it imports the standard library only. It replaces itself with
the command, which therefore keeps the pid that was written: there is no moment in which a process runs that
no pid file names.
"""

import argparse
import ctypes
import json
import os
import pwd
import signal
import sys
from pathlib import Path

PR_SET_SECUREBITS, NO_SETUID_FIXUP = 28, 1 << 2
PR_SET_PDEATHSIG, PR_SET_KEEPCAPS, PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE = 1, 8, 47, 2
CAP_DAC_READ_SEARCH, CAP_VERSION_3 = 2, 0x20080522
UNPRIVILEGED = "nobody"


def start_ticks(pid: int) -> str:
    """When a process started, as boot id and clock ticks: with its pid, its identity. Raises OSError."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return Path("/proc/sys/kernel/random/boot_id").read_text().strip() + ":" + fields[19]


def write_pid_file(path: Path, command: list[str]) -> None:
    """Name this process in a pid file, whole or not at all."""
    record = {"pid": os.getpid(), "started": start_ticks(os.getpid()), "command": command[0]}
    fresh = path.with_suffix(f".{os.getpid()}.new")
    fresh.write_text(json.dumps(record))
    fresh.replace(path)


def keep_reading_rights(libc: ctypes.CDLL) -> None:
    """Let the process without root still pass the folders above its data, which may be root's alone."""
    header = (ctypes.c_uint32 * 2)(CAP_VERSION_3, 0)
    mask = 1 << CAP_DAC_READ_SEARCH
    sets = (ctypes.c_uint32 * 6)(mask, mask, mask, 0, 0, 0)
    if libc.capset(header, sets) == 0:
        libc.prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_DAC_READ_SEARCH, 0, 0)


def open_to_all(paths: list[Path]) -> bool:
    """Whether every folder above these paths lets everybody pass."""
    return all(above.stat().st_mode & 0o001 for path in paths for above in path.absolute().parents)


def drop_root(libc: ctypes.CDLL, *, keep_reading: bool) -> None:
    """Become the unprivileged user: PostgreSQL refuses to run as root."""
    user = pwd.getpwnam(UNPRIVILEGED)
    os.setgroups([])
    os.setresgid(user.pw_gid, user.pw_gid, user.pw_gid)
    if not keep_reading:
        os.setresuid(user.pw_uid, user.pw_uid, user.pw_uid)
        return
    libc.prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0)
    libc.prctl(
        PR_SET_SECUREBITS, NO_SETUID_FIXUP, 0, 0, 0
    )  # else access(2) would not see the right kept below
    os.setresuid(user.pw_uid, user.pw_uid, user.pw_uid)
    keep_reading_rights(libc)


def main() -> None:
    """Prepare this process as its arguments say, then become the command."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--pid-file", type=Path)
    parser.add_argument("--tie", type=int, help="signal sent when the parent dies")
    parser.add_argument("--parent", type=int, default=0)
    parser.add_argument("--drop-root", action="store_true")
    parser.add_argument("command", nargs=argparse.REMAINDER)
    given = parser.parse_args()
    command = given.command[1:] if given.command[0] == "--" else given.command
    libc = ctypes.CDLL(None, use_errno=True)
    if given.pid_file:
        write_pid_file(given.pid_file, command)
    if given.drop_root and os.geteuid() == 0:
        drop_root(libc, keep_reading=not open_to_all([Path(command[0]), Path.cwd()]))
    if given.tie:
        libc.prctl(PR_SET_PDEATHSIG, given.tie, 0, 0, 0)
        if os.getppid() != given.parent:  # it died before the line above
            sys.exit(1)
    signal.pthread_sigmask(signal.SIG_SETMASK, [])
    os.execvp(command[0], command)


if __name__ == "__main__":
    main()
