"""The four services and the issuer as processes of their own, each service in as many copies as asked."""

import http.client
import os
import signal
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

from kanava.local import ports, processes
from kanava.local.databases import SERVICES
from kanava.local.issuer import AUDIENCE, issuer_url
from kanava.local.problems import NotStarted, PlatformProblem
from kanava.local.processes import Process
from kanava.local.profile import Profile

START_SECONDS = 120.0
STOP_SECONDS = 20.0
PASSED_ON = ("PATH", "HOME", "LANG", "LC_ALL", "TZ", "TMPDIR", "LD_LIBRARY_PATH", "PYTHONDONTWRITEBYTECODE")
# Keys of one service only, which others must not even see.
KEYS_OF = {
    "listing": ("KANAVA_VAULT_KEY", "KANAVA_VAULT_INDEX_KEY"),
    "payments": ("KANAVA_PAYEE_KEY", "KANAVA_SESSION_KEY"),
}
PAGES = {"payments": "/pages/costs"}
"""Services that serve pages to browsers, and the page to begin with."""


@dataclass(frozen=True)
class Copy:
    """One copy of a service: its number from 1 and the port on which it serves."""

    service: str
    number: int
    port: int

    @property
    def name(self) -> str:
        """Its name among the processes of the profile."""
        return f"{self.service}-{self.number}"

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://{ports.LOOPBACK}:{self.port}"


def plan(profile: Profile, copies: Mapping[str, int]) -> list[Copy]:
    """Every copy with its port; one that runs keeps its own. Raises PlatformProblem, PortOccupied."""
    check_names(copies)
    numbered = [(service, number) for service in SERVICES for number in range(1, copies.get(service, 1) + 1)]
    return [Copy(service, number, _port(profile, service, number)) for service, number in numbered]


def check_names(copies: Mapping[str, int]) -> None:
    """Raise PlatformProblem when somebody asks for copies of a service that does not exist."""
    if unknown := set(copies) - set(SERVICES):
        raise PlatformProblem(f"There is no service '{min(unknown)}'. Choose among: {', '.join(SERVICES)}.")


def ensure_issuer(profile: Profile, *, tie: int | None) -> str:
    """Start the profile's issuer if it does not run, and give its URL without waiting for it.

    Raises PlatformProblem in production, where tokens come from a real issuer only.
    """
    if os.environ.get("KANAVA_ENVIRONMENT") == "production":
        raise PlatformProblem("The local issuer is not for production. Name a real one in KANAVA_ISSUER.")
    if not processes.find(profile.pid_file("issuer")):
        port = ports.port_for("KANAVA_ISSUER_PORT", profile.remembered_port("issuer"))
        profile.remember("issuer", port)
        processes.spawn(
            _command("issuer"), pid_file=profile.pid_file("issuer"), log=profile.log("issuer"), tie=tie,
            environment=_base() | {"KANAVA_PROFILE": profile.name, "KANAVA_PORT": str(port)},
        )  # fmt: skip
    return issuer_url(profile)


def environment(
    profile: Profile, copy: Copy, *, database_url: str, kafka: str, sandbox: bool, issuer: str
) -> dict[str, str]:
    """What a copy is told: its settings, and of the caller's environment only what is harmless."""
    told = {
        "KANAVA_DATABASE_URL": database_url,
        "KANAVA_KAFKA": kafka,
        "KANAVA_ISSUER": issuer,
        "KANAVA_JWKS_URL": os.environ.get("KANAVA_JWKS_URL", f"{issuer}/jwks.json"),
        "KANAVA_AUDIENCE": AUDIENCE,
        "KANAVA_SANDBOX": str(sandbox).lower(),
        "KANAVA_ENVIRONMENT": os.environ.get("KANAVA_ENVIRONMENT", "development"),
        "KANAVA_INSTANCE": str(copy.number),
        "KANAVA_PORT": str(copy.port),
    }
    if copy.service in PAGES:
        told["KANAVA_PUBLIC_URL"] = os.environ.get("KANAVA_PUBLIC_URL", copy.url)
        told["KANAVA_DISCOVERY_URL"] = os.environ.get(
            "KANAVA_DISCOVERY_URL", f"{issuer}/.well-known/openid-configuration"
        )
    keys = KEYS_OF.get(copy.service, ())
    told |= {name: os.environ.get(name) or profile.secret(name.lower()) for name in keys}
    of_pages = ("KANAVA_CLIENT_ID",) if copy.service in PAGES else ()
    for name in ("KANAVA_OTLP_ENDPOINT", "KANAVA_TRACE_FILE", "KANAVA_TRACE_RATIO", "KANAVA_LOG_LEVEL", *of_pages):
        if name in os.environ:
            told[name] = os.environ[name]
    return _base() | told


def start_copy(profile: Profile, copy: Copy, told: Mapping[str, str], *, tie: int | None = None) -> Process:
    """Start one copy without waiting for it; one that runs already is left as it is."""
    return processes.find(profile.pid_file(copy.name)) or processes.spawn(
        _command(copy.service), pid_file=profile.pid_file(copy.name), log=profile.log(copy.name),
        tie=tie, environment=told,
    )  # fmt: skip


def wait_for(profile: Profile, name: str, port: int) -> None:
    """Wait until a process serves and says that it is ready. Raises NotStarted."""
    process = processes.find(profile.pid_file(name))
    log = profile.log(name)
    if process is None:
        raise NotStarted(name, log, processes.tail(log))
    for path in ("/healthz", "/readyz"):
        processes.wait_ready(process, partial(answers, port, path), log=log, timeout_seconds=START_SECONDS)


def answers(port: int, path: str) -> bool:
    """Whether a GET of the path is answered with 200 now."""
    connection = http.client.HTTPConnection(ports.LOOPBACK, port, timeout=5)
    try:
        connection.request("GET", path)
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def stop_all(profile: Profile) -> None:
    """Stop every copy and the issuer side by side; each has 20 seconds to finish what it began."""
    running = [
        each for each in profile.running() if each.name == "issuer" or each.name.split("-")[0] in SERVICES
    ]
    for process in running:
        process.send(signal.SIGTERM)
    for process in running:
        process.stop(timeout_seconds=STOP_SECONDS)


def page_addresses(profile: Profile) -> list[str]:
    """Where a browser finds the pages of the running services: the first copy of each."""
    found = addresses(profile)
    return [f"{found[service][0]}{path}" for service, path in PAGES.items() if service in found]


def addresses(profile: Profile) -> dict[str, list[str]]:
    """URLs of the running copies by service, and of the issuer."""
    found: dict[str, list[str]] = {}
    for process in profile.running():
        service = process.name.rsplit("-", 1)[0]
        port = profile.remembered_port(process.name)
        if port and (service in SERVICES or service == "issuer"):
            found.setdefault(service, []).append(f"http://{ports.LOOPBACK}:{port}")
    return found


def _port(profile: Profile, service: str, number: int) -> int:
    """The port of one copy: its own while it runs, else the configured, remembered or a free one."""
    name = f"{service}-{number}"
    kept = profile.remembered_port(name)
    if kept and processes.find(profile.pid_file(name)):
        return kept
    setting = f"KANAVA_{service.upper()}_PORT" + ("" if number == 1 else f"_{number}")
    port = ports.port_for(setting, kept)
    profile.remember(name, port)
    return port


def _base() -> dict[str, str]:
    """What every process gets of the caller's environment."""
    kept = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
    places = {name: os.environ[name] for name in ("KANAVA_ROOT", "KANAVA_DATA") if name in os.environ}
    crash = {name: value for name, value in os.environ.items() if name.startswith("KANAVA_CRASH")}
    return kept | places | crash | {"PYTHONUNBUFFERED": "1"}


def _command(service: str) -> list[str]:
    """How a process is started."""
    return [sys.executable, "-m", "kanava.local.serve", service]
