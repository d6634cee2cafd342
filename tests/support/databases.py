"""Migrated databases of services, with the roles that they have in earnest: an owner and an application role.

Migrations run once a session for each service, into a template; a test gets a copy of it.
"""

import contextlib
import uuid
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit, urlunsplit

import psycopg

from kanava.common.db import Pool, make_pool
from kanava.common.migrate import upgrade
from kanava.local.postgres import Postgres
from kanava.payments.scope import national

OWNER = "kanava_test_owner"
APP = "kanava_test_app"
PASSWORD = "only-on-this-machine"


@dataclass(frozen=True)
class ServiceDatabase:
    """Addresses of one database: as its owner, and as the application that owns nothing."""

    owner_url: str
    app_url: str
    admin_url: str

    @contextlib.asynccontextmanager
    async def pool(self, size: int = 8) -> AsyncIterator[Pool]:
        """An open pool with the application's role, seeing every area."""
        pool = national(make_pool(self.app_url, size=size))
        await pool.open(wait=True)
        try:
            yield pool
        finally:
            await pool.close()


def _as_role(url: str, role: str, database: str) -> str:
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    return urlunsplit(parts._replace(netloc=f"{role}:{PASSWORD}@{host}", path=f"/{database}"))


def _database(server: Postgres, name: str) -> ServiceDatabase:
    return ServiceDatabase(_as_role(server.url(), OWNER, name), _as_role(server.url(), APP, name), server.url(name))


def _template(server: Postgres, service: str) -> str:
    """The name of the service's migrated template, made at the first use."""
    name = f"template_{service}"
    with psycopg.connect(server.url(), autocommit=True) as connection:
        if connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", (name,)).fetchone():
            return name
        for role in (OWNER, APP):
            if not connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", (role,)).fetchone():
                connection.execute(f"CREATE ROLE {role} LOGIN PASSWORD '{PASSWORD}'")
        connection.execute(f"CREATE DATABASE {name} OWNER {OWNER}")
    upgrade(service, _database(server, name).owner_url, APP)
    return name


@contextlib.contextmanager
def service_database(server: Postgres, service: str) -> Iterator[ServiceDatabase]:
    """A migrated database of a service for one test, dropped at its end."""
    template, name = _template(server, service), f"{service}_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(server.url(), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {template} OWNER {OWNER}")
    try:
        yield _database(server, name)
    finally:
        with psycopg.connect(server.url(), autocommit=True) as connection:
            connection.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
