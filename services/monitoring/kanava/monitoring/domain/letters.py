"""Dead letters: how they are grouped for the operator, and why one may not be driven again."""

import base64
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from kanava.common.contracts import BY_NAME
from kanava.common.deadletter import DeadLetter
from kanava.common.errors import RefusalReason
from kanava.common.outbox import MAX_BODY_BYTES


class RedriveRefusal(RefusalReason):
    """Why letters are not driven again."""

    ALREADY_DRIVEN = (
        "already_driven",
        "A letter was driven again before; only force with a reason drives it once more.",
    )
    NOT_TEXT = (
        "not_text",
        "The original is no text, so no reader could digest it; driving it again would bury it again.",
    )
    TOO_LARGE = "too_large", "The original is larger than a broker takes from a service."
    NOT_OURS = "not_ours", "The letter names a topic or a reader that the table of topics does not have."


@dataclass(frozen=True)
class Buried:
    """What is known of a dead letter without its body: whose it is, of which topic, why, and since when."""

    letter_id: UUID
    service: str
    topic: str
    reason: str
    buried_at: datetime


@dataclass(frozen=True)
class LetterGroup:
    """Letters of one service, topic and reason on a page: how many, from when to when, and the ids, newest first."""

    service: str
    topic: str
    reason: str
    letters: int
    oldest_at: datetime
    newest_at: datetime
    letter_ids: list[UUID]


def grouped(letters: Iterable[Buried]) -> list[LetterGroup]:
    """Letters by service, topic and reason, the group with the newest letter first."""
    groups: dict[tuple[str, str, str], list[Buried]] = {}
    for one in letters:
        groups.setdefault((one.service, one.topic, one.reason), []).append(one)
    made = [_group(key, members) for key, members in groups.items()]
    return sorted(made, key=lambda group: group.newest_at, reverse=True)


def _group(key: tuple[str, str, str], members: list[Buried]) -> LetterGroup:
    # Of one millisecond the later one stands first too: members come in the order in which they were buried.
    newest_first = sorted(members, key=lambda one: one.buried_at)[::-1]
    service, topic, reason = key
    return LetterGroup(
        service=service,
        topic=topic,
        reason=reason,
        letters=len(members),
        oldest_at=newest_first[-1].buried_at,
        newest_at=newest_first[0].buried_at,
        letter_ids=[one.letter_id for one in newest_first],
    )


def refusal_of(letter: DeadLetter) -> RedriveRefusal | None:
    """Why this letter can never be driven again, or None."""
    topic = BY_NAME.get(letter.topic)
    if topic is None or letter.service not in topic.heard_by:
        return RedriveRefusal.NOT_OURS
    if len(letter.value) > MAX_BODY_BYTES:
        return RedriveRefusal.TOO_LARGE
    return None if _is_text(letter) else RedriveRefusal.NOT_TEXT


def original_key(letter: DeadLetter) -> str:
    """The key that the original record had."""
    return base64.b64decode(letter.key_base64).decode()


def original_headers(letter: DeadLetter) -> dict[str, Any]:
    """The original headers and the one that names the service that failed."""
    return {name: value.decode() for name, value in letter.redrive_headers}


def _is_text(letter: DeadLetter) -> bool:
    try:
        parts = [letter.value.decode(), original_key(letter), *letter.headers, *letter.headers.values()]
    except UnicodeDecodeError:
        return False
    return not any("\x00" in part for part in parts)
