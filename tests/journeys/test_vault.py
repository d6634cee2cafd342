"""A resident with a recognisable HETU, name and address is in the identity vault, sealed, and nowhere else.

Looked at: every byte that the broker keeps, what all processes logged, the spans, every table of every
database, and the answers to a file that was refused.
"""

import base64
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from uuid import UUID

import orjson
import psycopg
import pytest
from psycopg import sql

from kanava.listing.vault import Vault, vault_key
from tests.failure import vantaa
from tests.support import bus
from tests.support.cluster import Running, commanded

HETU = vantaa.hetu(date(1961, 7, 9), 987)
GIVEN, FAMILY, STREET = "Ylermiina Kuutamotar", "Tunnistettavainen-Koepersoona", "Salaisenpolunkuja 4711 C 99"
PLANTED = (HETU, "Ylermiina", "Kuutamotar", FAMILY, "Salaisenpolunkuja")
CHILD = vantaa.hetu(date(2015, 3, 1), 986)
UNIT = "1.2.246.10.32213481.10.7"

pytestmark = pytest.mark.platform


async def test_an_identity_is_found_in_the_vault_alone(cluster: Running) -> None:  # the fixture of that name
    resident = await live_a_life(cluster)
    await refuse_bad_files(cluster)
    await settle(cluster, resident)
    forms = {form: text for text in PLANTED for form in forms_of(text)}
    searched = list(everything(cluster))
    assert {where for where, content in searched for form in forms if form in content} == set()
    found = {where.partition(":")[0] for where, content in searched if resident.encode() in content}
    assert {"broker", "kanava_listing", "kanava_payments", "kanava_monitoring"} <= found, (
        "the search finds what is there"
    )
    assert opened(cluster, resident) == {
        "hetu": HETU,
        "given_names": GIVEN,
        "family_name": FAMILY,
        "street_address": STREET,
        "postal_code": "01300",
    }


def planted(**changed: object) -> dict[str, object]:
    """A line of the feed about the resident."""
    names = {"given_names": GIVEN, "family_name": FAMILY, "street_address": STREET}
    return vantaa.person(HETU, **names) | changed


def child_of(guardian: str) -> dict[str, object]:
    """A line of the feed about a child that names its guardian (huoltaja)."""
    return vantaa.person(CHILD, guardian_hetu=guardian)


async def live_a_life(cluster: Running) -> str:  # as above
    """Registered, looked up, chosen a unit, died; the pseudonymous id."""
    await vantaa.open_unit(cluster, UNIT, None)
    fed = await vantaa.feed(cluster, "vault", 1, [child_of(HETU), planted()])
    assert fed.status_code == 201, fed.text
    (resident,) = await vantaa.ids_of(cluster, [HETU])
    async with cluster.client("listing", "resident", resident=resident, sub=resident) as client:
        await commanded(client, "/v1/choices", {"unit_id": UNIT})
        seen = await client.get(f"/v1/residents/{resident}")
        assert seen.status_code == 200, seen.text
    fed = await vantaa.feed(cluster, "vault", 2, [planted(fact="died", effective_on="2026-11-01")])
    assert fed.status_code == 201, fed.text
    return resident


async def refuse_bad_files(cluster: Running) -> None:  # as above
    """Files with the resident's data in places where they do not belong; refused without saying them back."""
    for broken in (
        planted(hetu=HETU[:-1] + "?"),
        planted(fact=FAMILY),
        planted(effective_on=HETU),
        planted(postal_code=STREET),
        planted(municipality=FAMILY),
        planted() | {HETU: FAMILY},
        planted(guardian_hetu=HETU),
        child_of(HETU[:-1] + "?"),
    ):
        refused = await vantaa.feed(cluster, "vault", 3, [broken])
        assert refused.status_code == 422, refused.text
        assert not [text for text in PLANTED if text in refused.text]
    async with cluster.client("listing", "operator") as client:
        asked = {"hetus": [HETU + "?"], "reason": "identity provider"}
        refused = await client.post("/v1/residents/lookup", json=asked)
    assert refused.status_code == 422
    assert not [text for text in PLANTED if text in refused.text]


async def settle(cluster: Running, resident: str) -> None:  # as above
    """Bury a damaged copy of the resident's own fact, and wait until everybody has heard everything."""
    await cluster.published("listing")
    topic = "kanava.listing.resident.v1"
    about = [one for one in await bus.records(cluster.bootstrap, topic) if one.key == resident.encode()]
    assert len(about) == 2, "registered and died"
    await bus.say_bytes(cluster.bootstrap, topic, (about[-1].value or b"")[:-1], key=resident.encode(), headers={
        "ce_id": str(UUID(int=7)), "ce_type": bus.header(about[-1], "ce_type"),
    })  # fmt: skip
    for service in ("payments", "monitoring"):
        async with cluster.pool(service) as pool:
            await bus.heard(pool, cluster.bootstrap, topic)
        await cluster.published(service)


def forms_of(text: str) -> Iterator[bytes]:
    """How a text may hide: plain, UTF-16, hexadecimal, and base64 at each of its three places."""
    plain = text.encode()
    for raw in (plain, text.encode("utf-16-le"), text.encode("utf-16-be")):
        yield raw
        yield raw.hex().encode()
        yield raw.hex().upper().encode()
        for before in range(3):
            inner = base64.b64encode(b"\0" * before + raw)
            yield inner[-(-8 * before // 6) : -4] if before else inner[:-4]


def everything(cluster: Running) -> Iterator[tuple[str, bytes]]:  # as above
    """Every place where something could have been left, with its bytes."""
    for path in files(cluster.profile.folder / "kafka-1" / "data", "*.log"):
        yield f"broker: {path.name}", path.read_bytes()
    for path in files(cluster.profile.logs, "*"):
        yield f"log: {path.name}", path.read_bytes()
    yield "spans", cluster.trace_file.read_bytes()
    for database in ("kanava_listing", "kanava_payments", "kanava_monitoring"):
        yield from tables(cluster.platform.postgres.url(database))


def files(folder: Path, pattern: str) -> Iterator[Path]:
    """Files below a folder that have something in them."""
    return (path for path in sorted(folder.rglob(pattern)) if path.is_file() and path.stat().st_size)


def tables(url: str) -> Iterator[tuple[str, bytes]]:
    """Every table of a database as the text that a dump has."""
    with psycopg.connect(url, autocommit=True) as connection:
        names = connection.execute(
            "SELECT schemaname, tablename FROM pg_tables WHERE schemaname NOT IN ('pg_catalog', 'information_schema')"
            " AND schemaname NOT LIKE 'pg_temp%'"  # other sessions' staging, empty between batches and in no dump
        ).fetchall()
        assert names
        for schema, table in names:
            statement = sql.SQL("COPY (SELECT * FROM {}.{}) TO STDOUT").format(
                sql.Identifier(schema), sql.Identifier(table)
            )
            with connection.cursor().copy(statement) as copied:
                yield f"{url.rpartition('/')[2]}: {table}", b"".join(map(bytes, copied))


def opened(cluster: Running, resident: str) -> dict[str, str]:  # as above
    """What the vault's row holds, with the keys of this platform."""
    keys = [vault_key(cluster.profile.secret(name)) for name in ("kanava_vault_key", "kanava_vault_index_key")]
    vault = Vault(keys[0], keys[1], "1")
    with psycopg.connect(cluster.platform.postgres.url("kanava_listing")) as connection:
        row = connection.execute("SELECT sealed, hetu_index FROM vault WHERE resident_id = %s", (resident,)).fetchone()
    assert row is not None
    assert bytes(row[1]) == vault.index_of(HETU)
    return dict(orjson.loads(vault.open(UUID(resident), bytes(row[0]))))
