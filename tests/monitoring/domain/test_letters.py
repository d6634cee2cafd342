"""Dead letters: groups for the operator, and which may be driven again."""

import base64
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from kanava.common.deadletter import REDRIVE_HEADER, DeadLetter
from kanava.common.outbox import MAX_BODY_BYTES
from kanava.monitoring.domain.letters import (
    Buried,
    RedriveRefusal,
    grouped,
    original_headers,
    original_key,
    refusal_of,
)

START = datetime(2026, 11, 1, tzinfo=UTC)


def letter(**changes: Any) -> DeadLetter:
    fields: dict[str, Any] = {
        "letter_id": UUID(int=7),
        "service": "payments",
        "topic": "kanava.listing.resident.v1",
        "partition": 0,
        "offset": 5,
        "reason": "not valid",
        "key_base64": base64.b64encode(b"key").decode(),
        "value_base64": base64.b64encode(b"{}").decode(),
        "headers": {"ce_id": str(UUID(int=9)), "ce_type": "fi.kanava.listing.resident.moved"},
    }
    return DeadLetter(**(fields | changes))


def test_groups_stand_newest_first_and_name_their_letters() -> None:
    many = [Buried(UUID(int=n), "payments", "t", "r", START + timedelta(seconds=n)) for n in range(250)]
    one = Buried(UUID(int=999), "monitoring", "t", "r", START + timedelta(days=1))
    first, second = grouped([*many, one])
    assert (first.service, first.letters) == ("monitoring", 1)
    assert (second.letters, len(set(second.letter_ids))) == (250, 250)
    assert second.letter_ids[0] == UUID(int=249)
    assert (second.oldest_at, second.newest_at) == (START, START + timedelta(seconds=249))


def test_letters_of_one_instant_stand_newest_first_too() -> None:
    [group] = grouped([Buried(UUID(int=n), "payments", "t", "r", START) for n in range(3)])
    assert [one.int for one in group.letter_ids] == [2, 1, 0]


def test_an_original_goes_back_with_its_own_headers_and_its_reader() -> None:
    again = letter(headers=letter().headers | {REDRIVE_HEADER: "listing"})
    assert refusal_of(again) is None
    assert original_key(again) == "key"
    assert original_headers(again) == letter().headers | {REDRIVE_HEADER: "payments"}


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"topic": "kanava.listing.secret.v1"}, RedriveRefusal.NOT_OURS),
        ({"service": "registry"}, RedriveRefusal.NOT_OURS),
        ({"value_base64": base64.b64encode(b"\xff\xfe").decode()}, RedriveRefusal.NOT_TEXT),
        ({"key_base64": base64.b64encode(b"\xff").decode()}, RedriveRefusal.NOT_TEXT),
        ({"value_base64": base64.b64encode(b"a\x00").decode()}, RedriveRefusal.NOT_TEXT),
        ({"headers": {"ce_id": "\x00"}}, RedriveRefusal.NOT_TEXT),
        ({"value_base64": base64.b64encode(b"x" * (MAX_BODY_BYTES + 1)).decode()}, RedriveRefusal.TOO_LARGE),
    ],
)
def test_a_letter_that_would_only_be_buried_again_is_refused(
    changes: dict[str, Any], reason: RedriveRefusal
) -> None:
    assert refusal_of(letter(**changes)) is reason
