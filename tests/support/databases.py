"""Migrated databases of services, with the roles that they have in earnest: an owner and an application role.

Migrations run once a session for each service, into a template; a test gets a copy of it. A copy costs some
hundreds of files, so one that a test has left is emptied and handed to the next, unless its shape was changed.
"""

import contextlib
import uuid
from collections.abc import AsyncIterator, Iterable, Iterator
from dataclasses import dataclass, field
from urllib.parse import urlsplit, urlunsplit

import psycopg

from kanava.common.db import Pool, make_pool
from kanava.common.migrate import upgrade
from kanava.local.postgres import Postgres
from kanava.payments.scope import national

OWNER = "kanava_test_owner"
APP = "kanava_test_app"
PASSWORD = "only-on-this-machine"
VERSION = "alembic_version"
"""The one table in which migrations write rows."""


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


@dataclass
class _Shelf:
    """The databases of a service on one server: its template, how that looks, and copies that are as new."""

    template: str
    tables: frozenset[str]
    shape: str
    idle: list[str] = field(default_factory=list)


_shelves: dict[tuple[Postgres, str], _Shelf] = {}


def _shelf(server: Postgres, service: str) -> _Shelf:
    """The shelf of a service, with its migrated template, made at the first use."""
    if (server, service) not in _shelves:
        name = f"template_{service}"
        with psycopg.connect(server.url(), autocommit=True) as connection:
            for role in (OWNER, APP):
                if not connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", (role,)).fetchone():
                    connection.execute("SET scram_iterations = 1")  # many connections, and nobody to guess it
                    connection.execute(f"CREATE ROLE {role} LOGIN PASSWORD '{PASSWORD}'")
            connection.execute(f"CREATE DATABASE {name} OWNER {OWNER}")
        upgrade(service, _database(server, name).owner_url, APP)
        with psycopg.connect(server.url(name), autocommit=True) as connection:
            shelf = _Shelf(name, frozenset(_tables(connection)), _shape(connection))
        _shelves[server, service] = shelf
    return _shelves[server, service]


@contextlib.contextmanager
def service_database(server: Postgres, service: str) -> Iterator[ServiceDatabase]:
    """A migrated database of a service for one test: empty, and nobody else's until its end."""
    shelf = _shelf(server, service)
    name = shelf.idle.pop() if shelf.idle else _copy(server, shelf.template)
    as_new = False
    try:
        yield _database(server, name)
        as_new = _emptied(server.url(name), shelf)
    finally:
        if as_new:
            shelf.idle.append(name)
        else:
            with psycopg.connect(server.url(), autocommit=True) as connection:
                connection.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


def _copy(server: Postgres, template: str) -> str:
    """The name of a new copy of a template."""
    name = f"{template.removeprefix('template_')}_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(server.url(), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {template} OWNER {OWNER}")
    return name


def _emptied(url: str, shelf: _Shelf) -> bool:
    """Empty a database; whether it then is as a new copy would be."""
    with psycopg.connect(url, autocommit=True) as connection:
        ended = connection.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        ).fetchall()
        connection.execute("SET session_replication_role = replica")  # the books refuse to be emptied
        tables = set(_tables(connection))
        for name in tables - shelf.tables:
            connection.execute(f'DROP TABLE IF EXISTS "{name}" CASCADE')
        if full := _full(connection, (tables & shelf.tables) - {VERSION}):
            connection.execute(f"TRUNCATE {', '.join(full)} RESTART IDENTITY CASCADE")
        for (name,) in connection.execute("SELECT sequencename FROM pg_sequences WHERE last_value IS NOT NULL"):
            connection.execute(f'ALTER SEQUENCE "{name}" RESTART')
        connection.execute("DELETE FROM pg_statistic WHERE starelid >= 16384")
        return all(gone for (gone,) in ended) and _shape(connection) == shelf.shape


def _tables(connection: psycopg.Connection) -> list[str]:
    """The tables of a database, partitions too."""
    found = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
    return [str(name) for (name,) in found]


def _full(connection: psycopg.Connection, tables: Iterable[str]) -> list[str]:
    """Those of the tables that have a row."""
    asked = " UNION ALL ".join(f"SELECT '{name}' WHERE EXISTS (SELECT FROM \"{name}\")" for name in tables)
    return [f'"{name}"' for (name,) in connection.execute(asked).fetchall()]


_CATALOGS = ("attribute", "attrdef", "constraint", "extension", "index", "policy", "proc", "trigger")
_SHAPES = (
    "oid, relname, relkind, relowner, relacl, relrowsecurity, relforcerowsecurity, reloptions FROM pg_class"
    " WHERE relnamespace = 'public'::regnamespace",
    *(f"count(*), sum(xmin::text::bigint) FROM pg_{catalog}" for catalog in _CATALOGS),
    "nspname, nspacl FROM pg_namespace WHERE nspname !~ '^pg_(toast_)?temp_'",
    "setrole, setconfig FROM pg_db_role_setting",
    "sequencename, last_value FROM pg_sequences",
    f"* FROM {VERSION}",
)
"""What stays of a database when it is emptied; copies of one template agree in it.

A row of a catalog that was changed has a later `xmin`, so of the large ones their number and sum are enough."""


def _shape(connection: psycopg.Connection) -> str:
    """A digest of everything in a database that is no row of a test."""
    parts = " UNION ALL ".join(
        f"SELECT {number} AS part, md5(string_agg(t::text, ',' ORDER BY t::text)) AS digest FROM (SELECT {what}) t"
        for number, what in enumerate(_SHAPES)
    )
    found = connection.execute(f"SELECT string_agg(coalesce(digest, ''), ',' ORDER BY part) FROM ({parts}) p")
    return str((found.fetchone() or ("",))[0])
