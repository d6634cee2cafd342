"""One database per service: its roles, the database itself, its migrations.

The owner role runs the migrations; the application role, which the running service has, owns nothing.
"""

import os
import traceback

import psycopg
from psycopg import sql

from kanava.common import migrate
from kanava.local.postgres import Postgres
from kanava.local.problems import DiskFull, PlatformProblem
from kanava.local.profile import Profile

SERVICES = ("registry", "listing", "payments", "monitoring")


def database(service: str) -> str:
    """The name of a service's database."""
    return f"kanava_{service}"


def owner_role(service: str) -> str:
    """The role that owns the database and runs its migrations."""
    return f"kanava_{service}_owner"


def app_role(service: str) -> str:
    """The role of the running service."""
    return f"kanava_{service}_app"


def password(profile: Profile, role: str) -> str:
    """A role's password: that of the environment (containers), else the profile's own."""
    setting = "KANAVA_OWNER_PASSWORD" if role.endswith("_owner") else "KANAVA_APP_PASSWORD"
    return os.environ.get(setting) or profile.password(role)


def app_url(profile: Profile, server: Postgres, service: str) -> str:
    """What a service is given as KANAVA_DATABASE_URL."""
    role = app_role(service)
    return server.url(database(service), user=role, password=password(profile, role))


def owner_url(profile: Profile, server: Postgres, service: str) -> str:
    """The URL that migrations use."""
    role = owner_role(service)
    return server.url(database(service), user=role, password=password(profile, role))


def prepare(profile: Profile, server: Postgres, service: str) -> None:
    """Make what is missing of a service's roles and database, and run the migrations that are missing.

    Raises PlatformProblem with what failed; the migrations before the failing one stay.
    """
    with psycopg.connect(server.url(), autocommit=True) as connection:
        for role in (owner_role(service), app_role(service)):
            _ensure_role(connection, role, password(profile, role))
        _ensure_database(connection, service)
    try:
        migrate.upgrade(service, owner_url(profile, server, service), app_role(service))
    except Exception as error:
        if "No space left" in str(error):
            raise DiskFull(f"Preparing the database of {service}") from error
        log = profile.log("prepare")
        log.write_text("".join(traceback.format_exception(error)))
        first = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise PlatformProblem(
            f"The database of {service} could not be brought up to date: {first}. {log} has all of it; "
            "correct what it names and run the command again."
        ) from error


def _ensure_role(connection: psycopg.Connection, role: str, secret: str) -> None:
    """Make a role that may log in and nothing else, or give it its password again."""
    known = connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", (role,)).fetchone()
    verb = sql.SQL("ALTER ROLE" if known else "CREATE ROLE")
    rights = sql.SQL("LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION")
    connection.execute(
        sql.SQL("{} {} WITH {} PASSWORD {}").format(verb, sql.Identifier(role), rights, sql.Literal(secret))
    )


def _ensure_database(connection: psycopg.Connection, service: str) -> None:
    """Make the database of a service, closed to every role but its own two."""
    name, owner, app = (
        sql.Identifier(database(service)),
        sql.Identifier(owner_role(service)),
        app_role(service),
    )
    if not connection.execute(
        "SELECT 1 FROM pg_database WHERE datname = %s", (database(service),)
    ).fetchone():
        connection.execute(sql.SQL("GRANT {} TO CURRENT_USER").format(owner))
        connection.execute(sql.SQL("CREATE DATABASE {} OWNER {}").format(name, owner))
    connection.execute(sql.SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC").format(name))
    connection.execute(
        sql.SQL("GRANT CONNECT, TEMPORARY ON DATABASE {} TO {}").format(name, sql.Identifier(app))
    )
