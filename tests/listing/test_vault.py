"""The vault: identities open for their own resident alone, and stand nowhere else."""

import logging
from datetime import date
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kanava.common.auth import Caller, Role
from kanava.listing.settings import ListingSettings
from kanava.listing.vault import Vault, VaultSealBroken, vault_key
from tests.listing.conftest import Api
from tests.listing.people import content_digest, file_of, hetu_of, line
from tests.listing.world import World
from tests.support import facts as told
from tests.support.databases import ServiceDatabase
from tests.support.dumps import dumped, holds

VAULT = ListingSettings().vault()
PLANTED = {
    "hetu": hetu_of(date(1984, 5, 17), 987),
    "given_names": "Tunnistettavainen",
    "family_name": "Erityisnimi",
    "street_address": "Salaisuudenpolku 77",
    "postal_code": "02987",
}
OPERATOR = Caller("operator-1", Role.OPERATOR)


@given(st.binary(max_size=500))
def test_what_was_sealed_opens_again(identity: bytes) -> None:
    resident_id = uuid4()
    sealed = VAULT.seal(resident_id, identity)
    assert VAULT.open(resident_id, sealed) == identity
    assert sealed != VAULT.seal(resident_id, identity)


def test_a_seal_laid_under_another_resident_does_not_open() -> None:
    sealed = VAULT.seal(uuid4(), b"identity")
    with pytest.raises(VaultSealBroken):
        VAULT.open(uuid4(), sealed)


def test_a_changed_seal_or_another_key_does_not_open() -> None:
    resident_id = uuid4()
    sealed = VAULT.seal(resident_id, b"identity")
    with pytest.raises(VaultSealBroken):
        VAULT.open(resident_id, sealed[:-1] + bytes([sealed[-1] ^ 1]))
    with pytest.raises(VaultSealBroken):
        Vault(bytes(32), VAULT.index_key, "2").open(resident_id, sealed)


def test_keys_are_not_shown_and_must_be_whole() -> None:
    assert "key=" not in repr(VAULT).replace("key_id=", "")
    with pytest.raises(ValueError, match="32 bytes"):
        vault_key("c2hvcnQ=")


async def test_a_planted_identity_is_found_nowhere(
    api: Api,
    world: World,
    database: ServiceDatabase,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    """Sent by the feed, looked up, chosen for, and with broken commands: then every table and line is
    searched."""
    caplog.set_level(logging.DEBUG)
    answers = await _live_a_little(api, world)
    out, err = capfd.readouterr()
    places = {"dump": dumped(database), "log": caplog.text, "output": out + err, "answers": answers}
    planted = [*PLANTED.values(), PLANTED["hetu"][:6] + PLANTED["hetu"][7:]]
    found = [(name, word) for name, text in places.items() for word in planted if holds(text, word)]
    assert found == []
    [row] = await world.query("SELECT resident_id, sealed, hetu_index FROM vault")
    assert PLANTED["family_name"].encode() in VAULT.open(row["resident_id"], row["sealed"])


async def _live_a_little(api: Api, world: World) -> str:
    """Good and broken commands about the planted person; returns what was answered to others than the
    person."""
    answers = []
    await world.hear(told.scheme().model_copy(update={"scheme_id": "kauniainen", "municipality": "235"}))
    for sequence, body in enumerate((file_of(line(**PLANTED)), file_of(line(**PLANTED, municipality="235"))), start=1):
        answers.append(await _send(api, body, sequence))
    broken = line(**PLANTED) | {"hetu": PLANTED["hetu"][:-1] + "!", "municipality": "999"}
    answers.append(await _send(api, file_of(broken), 3))
    answers.append(await _send(api, file_of(line(**PLANTED))[:-40], 3))
    answers.append(await _send(api, file_of(line(**PLANTED, fact="died", effective_on="1984-01-01")), 3))
    for hetus in ([PLANTED["hetu"]], [PLANTED["hetu"] + "!"], PLANTED["hetu"]):
        answers.append(
            (await api.call(OPERATOR, "POST", "/v1/residents/lookup", {"hetus": hetus, "reason": "test"})).text
        )
    [resident_id] = await world.ids(PLANTED["hetu"])
    await world.choose(resident_id)
    return "\n".join(answers)


async def _send(api: Api, body: bytes, sequence: int) -> str:
    headers = {"content_type": "application/x-ndjson", "content_digest": content_digest(body)}
    path = f"/v1/registrations?sequence={sequence}"
    return (await api.call(OPERATOR, "POST", path, content=body, idempotency_key=str(uuid4()), **headers)).text
