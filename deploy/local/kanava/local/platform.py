"""The whole platform of a profile: PostgreSQL, Kafka, databases, topics, issuer, services; up and down.

KANAVA_POSTGRES and KANAVA_KAFKA name servers that exist already; those are used and never stopped.
"""

import asyncio
import os
import signal
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from kanava.common import topics_admin
from kanava.local import databases, kafka, postgres, processes, services
from kanava.local.postgres import Postgres
from kanava.local.problems import PlatformProblem
from kanava.local.profile import Profile
from kanava.local.services import Copy

MOST_REPLICAS = 3
Say = Callable[[str], None]


@dataclass(frozen=True)
class Options:
    """How a platform is started.

    `copies` by service, one where nothing is said. `tied`: it dies with the process that started it.
    """

    copies: Mapping[str, int] = field(default_factory=dict)
    brokers: int = 1
    sandbox: bool = False
    tied: bool = False
    only: Sequence[str] = databases.SERVICES


@dataclass(frozen=True)
class Platform:
    """A running platform: where everything is."""

    profile: Profile
    postgres: Postgres
    kafka: str
    issuer: str
    copies: tuple[Copy, ...]
    options: Options

    def url(self, service: str, number: int = 1) -> str:
        """The address of a copy of a service."""
        return next(copy.url for copy in self.copies if (copy.service, copy.number) == (service, number))

    def told(self, copy: Copy) -> dict[str, str]:
        """The environment of one copy."""
        url = databases.app_url(self.profile, self.postgres, copy.service)
        return services.environment(
            self.profile,
            copy,
            database_url=url,
            kafka=self.kafka,
            sandbox=self.options.sandbox,
            issuer=self.issuer,
        )

    def start_copy(self, copy: Copy) -> None:
        """Start one copy (again) without waiting for it."""
        tie = signal.SIGKILL if self.options.tied else None
        services.start_copy(self.profile, copy, self.told(copy), tie=tie)


def start(profile: Profile, options: Options, say: Say) -> Platform:
    """Start what does not run yet and wait until all of it is ready.

    Raises PlatformProblem (one sentence for a person) when something stands in the way; what was started by
    then runs on, and `stop` ends it.
    """
    services.check_names(options.copies)
    profile.prepare().check_room()
    cluster = _launch_kafka(profile, options, say)
    server = _start_postgres(profile, options, say)
    say("Preparing the databases …")
    for service in options.only:
        databases.prepare(profile, server, service)
    issuer = os.environ.get("KANAVA_ISSUER") or services.ensure_issuer(
        profile, tie=_tie(options, signal.SIGKILL)
    )
    bootstrap = _wait_for_kafka(profile, cluster, say)
    copies = tuple(copy for copy in services.plan(profile, options.copies) if copy.service in options.only)
    platform = Platform(profile, server, bootstrap, issuer, copies, options)
    say(f"Starting the services ({len(copies)} processes) …")
    for copy in copies:
        platform.start_copy(copy)
    _wait_for_services(platform)
    return platform


def stop(profile: Profile, say: Say = lambda _: None) -> None:
    """Stop whatever of the profile runs: first the services, then the servers that they need."""
    say("Stopping the services …")
    services.stop_all(profile)
    say("Stopping Kafka and PostgreSQL …")
    kafka.stop(profile)
    postgres.stop(profile)
    for process in profile.running():
        process.stop()


def kill(profile: Profile) -> None:
    """End everything at once as a power cut would, for tests."""
    for process in profile.running():
        process.stop(signal.SIGKILL)


def ensure_topics(bootstrap: str, *, replication: int) -> None:
    """Make the topics that are missing, whether or not the caller runs an event loop."""
    failures: list[BaseException] = []

    def run() -> None:
        try:
            asyncio.run(topics_admin.ensure_topics(bootstrap, replication=replication))
        except Exception as error:
            failures.append(error)

    worker = threading.Thread(target=run)
    worker.start()
    worker.join()
    if failures:
        raise PlatformProblem(
            f"The topics could not be made ({failures[0]}). "
            "Look at `./kanava logs kafka-1` and run this again."
        ) from failures[0]


def _tie(options: Options, number: int) -> int | None:
    """The signal that ends a tied child with its launcher."""
    return number if options.tied else None


def _launch_kafka(profile: Profile, options: Options, say: Say) -> kafka.Kafka | None:
    """Start brokers of our own unless KANAVA_KAFKA names others; nobody waits for them yet."""
    if os.environ.get("KANAVA_KAFKA"):
        return None
    say("Starting Kafka …")
    return kafka.launch(profile, brokers=options.brokers, tie=_tie(options, signal.SIGKILL), say=say)


def _start_postgres(profile: Profile, options: Options, say: Say) -> Postgres:
    """A server of our own unless KANAVA_POSTGRES names another."""
    if url := os.environ.get("KANAVA_POSTGRES"):
        server = postgres.existing(url)
        if not postgres.healthy(server):
            raise PlatformProblem(
                f"PostgreSQL at {server.host}:{server.port} (KANAVA_POSTGRES) does not answer or refuses the "
                "password. Start it, correct the URL, or unset KANAVA_POSTGRES."
            )
        return server
    say("Starting PostgreSQL …")
    return postgres.start(profile, tie=_tie(options, signal.SIGQUIT))


def _wait_for_kafka(profile: Profile, cluster: kafka.Kafka | None, say: Say) -> str:
    """Wait for the brokers and make the topics; gives the bootstrap servers."""
    if cluster is not None:
        kafka.wait(profile, cluster)
    bootstrap = cluster.bootstrap if cluster else os.environ["KANAVA_KAFKA"]
    members = kafka.brokers_up(bootstrap)
    if not members:
        raise PlatformProblem(
            f"Kafka at {bootstrap} (KANAVA_KAFKA) does not answer. "
            "Start it, correct the address, or unset KANAVA_KAFKA."
        )
    say("Preparing the topics …")
    ensure_topics(bootstrap, replication=min(MOST_REPLICAS, members))
    return bootstrap


def _wait_for_services(platform: Platform) -> None:
    """Wait until the issuer and every copy are ready."""
    if processes.find(platform.profile.pid_file("issuer")):
        services.wait_for(platform.profile, "issuer", platform.profile.remembered_port("issuer") or 0)
    for copy in platform.copies:
        services.wait_for(platform.profile, copy.name, copy.port)
