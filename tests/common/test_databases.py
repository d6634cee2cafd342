"""A test's database is as empty as a new one, whatever the test before it did there."""

import subprocess
from pathlib import Path

import psycopg
import pytest

from kanava.local.postgres import Postgres, binary
from tests.support.databases import ServiceDatabase, service_database

pytestmark = pytest.mark.platform
ACCOUNT = "INSERT INTO book (area, next_seq, head_hash, spendable_cents, limit_cents) VALUES ('03', 1, '', 0, 0)"
SAID = "INSERT INTO outbox (topic, key, type, body) VALUES ('t', 'k', 't', '{}')"


def dumped(database: ServiceDatabase) -> str:
    """Everything that the database holds, tables, rights, rows and sequences, as pg_dump writes it."""
    told = subprocess.run([binary("pg_dump"), database.admin_url], capture_output=True, text=True, check=True).stdout
    return "\n".join(line for line in told.splitlines() if not line.startswith(("\\restrict", "\\unrestrict")))


def test_what_a_test_left_is_gone_and_the_database_is_used_again(postgres: Postgres) -> None:
    with service_database(postgres, "payments") as fresh, service_database(postgres, "payments") as used:
        expected = dumped(fresh)
        open_still = psycopg.connect(used.app_url)
        open_still.execute(SAID)
        with psycopg.connect(used.owner_url, autocommit=True) as owner:
            owner.execute(f"{ACCOUNT}; {SAID}; {SAID}")
            owner.execute("CREATE TABLE of_a_test AS SELECT 1 AS n")
            owner.execute("ANALYZE")
        assert dumped(used) != expected
    with pytest.raises(psycopg.OperationalError):
        open_still.execute("SELECT 1")
    open_still.close()
    with service_database(postgres, "payments") as first, service_database(postgres, "payments") as second:
        assert {first, second} == {fresh, used}
        assert dumped(first) == dumped(second) == expected


CHANGES = {
    "a right": "GRANT DELETE ON entry TO kanava_test_app",
    "a trigger": "ALTER TABLE entry DISABLE TRIGGER USER",
    "the rows of an area": "ALTER TABLE entry DISABLE ROW LEVEL SECURITY",
    "a policy": "ALTER POLICY by_area ON entry USING (true)",
    "a column": "ALTER TABLE entry ADD COLUMN more int",
    "a constraint": "ALTER TABLE book ADD CHECK (limit_cents < 5)",
    "a function": "CREATE FUNCTION own() RETURNS int LANGUAGE sql RETURN 1",
    "a table that is gone": "DROP TABLE entry CASCADE",
    "a version": "UPDATE alembic_version SET version_num = 'other'",
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_one_whose_shape_was_changed_is_not_used_again(postgres: Postgres, change: str) -> None:
    with (
        service_database(postgres, "payments") as changed,
        psycopg.connect(changed.owner_url, autocommit=True) as owner,
    ):
        owner.execute(change)
    with service_database(postgres, "payments") as another:
        assert another != changed


@pytest.mark.parametrize("how", [RuntimeError, KeyboardInterrupt])
def test_one_whose_test_was_broken_off_is_not_used_again(postgres: Postgres, how: type[BaseException]) -> None:
    with pytest.raises(how), service_database(postgres, "payments") as broken:
        raise how
    with psycopg.connect(postgres.url(), autocommit=True) as admin:
        name = Path(broken.admin_url).name
        assert admin.execute("SELECT 1 FROM pg_database WHERE datname = %s", (name,)).fetchall() == []
