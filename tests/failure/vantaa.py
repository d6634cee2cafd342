"""A second area for tests that need listing: Vantaa (092) in area 04, with an own and a private unit."""

import base64
import hashlib
import uuid
from collections.abc import Sequence
from datetime import date
from typing import Any

import orjson

from kanava.common.contracts import Fact, registry
from kanava.common.db import rows, transaction
from tests.support import bus
from tests.support import facts as told
from tests.support.cluster import Running

AREA, MUNICIPALITY = "04", "092"
PRIVATE, OWN = "1.2.246.10.32213481.10.0", "1.2.246.10.20125687.10.0"
OWN_UNIT = "1.2.246.10.20125687.10.1"
_CONTROL = "0123456789ABCDEFHJKLMNPRSTUVWXY"


def hetu(born: date, individual: int) -> str:
    """A HETU of the 900–999 range with a right control character."""
    digits = f"{born:%d%m%y}{individual:03d}"
    return f"{digits[:6]}{'-' if born.year < 2000 else 'A'}{digits[6:]}{_CONTROL[int(digits) % 31]}"


def place(unit_id: str, capacity: int | None) -> list[Fact]:
    """What the registry says of the area, with one private unit of this capacity."""
    here = {"area": AREA}
    private, own = here | {"producer_id": PRIVATE}, here | {"producer_id": OWN}
    scheme = told.scheme().model_copy(
        update=here | {"scheme_id": "vantaa", "municipality": MUNICIPALITY, "rule_book": f"{AREA}:rule_book:1"}
    )
    opened = told.unit(private=True).model_copy(
        update=private | {"unit_id": unit_id, "municipality": MUNICIPALITY, "capacity": capacity}
    )
    default = told.unit(private=False).model_copy(update=own | {"unit_id": OWN_UNIT, "municipality": MUNICIPALITY})
    producers = [
        told.producer(private=True).model_copy(update=private),
        told.producer(private=False).model_copy(update=own),
    ]
    return [rule_book(), scheme, *producers, default, opened]


def rule_book() -> registry.Document:
    """The area's rule book: a year between choices."""
    return registry.Document(
        what="published",
        version=1,
        recorded_at=told.SEPTEMBER,
        document_id=f"{AREA}:rule_book:1",
        kind="rule_book",
        area=AREA,
        number=1,
        valid_from=date(2026, 9, 1),
        title="Sääntökirja",
        rule_book=registry.RuleBookTerms(months_between_choices=12, days_to_effect=21),
    )


async def open_unit(cluster: Running, unit_id: str, capacity: int | None) -> None:
    """Let listing hear of the area and of a private unit, and wait until it has."""
    await bus.say(cluster.bootstrap, *place(unit_id, capacity))
    async with cluster.pool("listing") as pool:

        async def known() -> bool:
            async with transaction(pool) as tx:
                units = await rows(tx, "SELECT 1 FROM unit WHERE unit_id = ANY(%s)", ([unit_id, OWN_UNIT],))
                ready = await rows(tx, "SELECT 1 FROM rule_book b JOIN scheme s USING (area) WHERE area = %s", (AREA,))
                approved = await rows(tx, "SELECT 1 FROM producer WHERE producer_id = ANY(%s)", ([PRIVATE, OWN],))
            return len(units) == len(approved) == 2 and bool(ready)

        await bus.wait_until(known, what="the area in listing")


def person(of: str, **changed: Any) -> dict[str, Any]:
    """A line of the registration feed: somebody who registered in Vantaa."""
    return {
        "hetu": of,
        "given_names": "Aino Maria",
        "family_name": "Esimerkki",
        "street_address": "Mallikatu 1 A 2",
        "postal_code": "01300",
        "municipality": MUNICIPALITY,
        "protected": False,
        "fact": "registered",
        "effective_on": "2026-10-01",
    } | changed


async def feed(cluster: Running, name: str, sequence: int, lines: Sequence[dict[str, Any]]) -> Any:
    """Send the next file of a registration feed; the response."""
    body = b"".join(orjson.dumps(one) + b"\n" for one in lines)
    headers = {
        "content-type": "application/x-ndjson",
        "content-digest": f"sha-256=:{base64.b64encode(hashlib.sha256(body).digest()).decode()}:",
        "idempotency-key": uuid.uuid4().hex,
    }
    async with cluster.client("listing", "operator") as client:
        of = {"feed": name, "sequence": str(sequence)}
        return await client.post("/v1/registrations", params=of, content=body, headers=headers)


async def ids_of(cluster: Running, hetus: Sequence[str]) -> list[str]:
    """The pseudonymous ids of registered persons."""
    async with cluster.client("listing", "operator") as client:
        asked = {"hetus": list(hetus), "reason": "identity provider"}
        answer = await client.post("/v1/residents/lookup", json=asked)
    assert answer.status_code == 200, answer.text
    return list(answer.json()["resident_ids"])
