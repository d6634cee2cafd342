"""Migrations bring an empty database to exactly the tables that the code declares."""

import pytest

from kanava.common import migrate
from kanava.local.postgres import Postgres
from tests.support.databases import service_database
from tests.tidy.source import MEMBERS, SERVICES


@pytest.mark.platform
@pytest.mark.parametrize("service", SERVICES)
def test_the_migrations_of_a_service_are_complete(postgres: Postgres, service: str) -> None:
    with service_database(postgres, service) as database:
        assert migrate.differences(service, database.owner_url) == []


@pytest.mark.parametrize("service", SERVICES)
def test_migrations_only_go_forward(service: str) -> None:
    """One line of versions without branches, and none that takes anything back."""
    folder = MEMBERS[service].parents[1] / "migrations" / "versions"
    texts = [path.read_text(encoding="utf-8") for path in sorted(folder.glob("*.py"))]
    assert texts, "a service has migrations"
    before = [_assigned(text, "down_revision") for text in texts]
    assert len(set(before)) == len(before), "two migrations follow the same one"


def _assigned(text: str, name: str) -> str:
    """What a migration assigns to a name at its top."""
    lines = (line for line in text.splitlines() if line.replace(":", " ").split(" ")[0] == name)
    return next(lines).split("=", 1)[1].strip()
