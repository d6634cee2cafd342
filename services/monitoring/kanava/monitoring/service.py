"""What monitoring does: one function per command, each inside the one transaction that its caller opened."""

from datetime import datetime
from typing import Any
from uuid import UUID

from kanava.common.clock import helsinki_date
from kanava.common.db import Tx
from kanava.common.outbox import emit_raw

from . import store
from .commands import DriveAgain, ReceiveFile
from .domain.faults import FAULT_FIELD
from .domain.letters import RedriveRefusal, original_headers, original_key, refusal_of
from .errors import RedriveRefused
from .views import Receipt

_TAKEN = ("accepted", "corrected", "doubled")


async def receive_file(tx: Tx, command: ReceiveFile, now: datetime) -> Receipt:
    """Take in a production file: accept, correct, drop as doubled or reject each row, and give a receipt.

    The counts add up to the rows of the file; a broken row never stops another.
    """
    version = await store.next_file_version(tx, command.producer_id)
    verdicts = await store.judge(
        tx, command.producer_id, command.reading.reports, today=helsinki_date(now), corrects=command.corrects
    )
    await store.merge_judged(tx, command, now)
    fields = {fault.value: field for fault, field in FAULT_FIELD.items()}
    await store.reject(tx, command.file_id, command.reading.rejected, fields)
    receipt = _receipt(command, version, verdicts, now)
    await store.add_receipt(
        tx, receipt.model_dump() | {"digest": command.digest, "now": now, "sent_by": command.sent_by}
    )
    return receipt


def _receipt(command: ReceiveFile, version: int, verdicts: dict[str, int], now: datetime) -> Receipt:
    taken = {name: verdicts.get(name, 0) for name in _TAKEN}
    rejected = sum(verdicts.values()) - sum(taken.values()) + len(command.reading.rejected)
    assert sum(taken.values()) + rejected == command.reading.rows, (
        "a row of the file was lost or counted twice"
    )
    return Receipt(
        file_id=command.file_id,
        producer_id=command.producer_id,
        version=version,
        format=command.format,
        corrects=command.corrects,
        received_at=now,
        rows=command.reading.rows,
        rejected=rejected,
        **taken,
    )


async def drive_again(tx: Tx, command: DriveAgain, now: datetime) -> list[UUID]:
    """Publish the originals of dead letters again through the outbox, all of them or none.

    Each letter is driven once; only `force` drives it once more, and `skip_driven` passes it over. Returns the ids
    of the letters that are driven.
    """
    _refuse_undrivable(command)
    driven = await store.record_redrive(tx, _drive_record(command, now))
    missed = {letter.letter_id for letter in command.letters} - driven
    if missed and not command.skip_driven:
        raise RedriveRefused(RedriveRefusal.ALREADY_DRIVEN, missed)
    letters = [letter for letter in command.letters if letter.letter_id in driven]
    for letter in letters:
        await emit_raw(
            tx,
            topic=letter.topic,
            key=original_key(letter),
            kind=letter.headers.get("ce_type", ""),
            body=letter.value.decode(),
            headers=original_headers(letter),
        )
    return [letter.letter_id for letter in letters]


def _refuse_undrivable(command: DriveAgain) -> None:
    refused = {letter.letter_id: refusal_of(letter) for letter in command.letters}
    for reason in RedriveRefusal:
        if ids := [letter_id for letter_id, why in refused.items() if why is reason]:
            raise RedriveRefused(reason, ids)


def _drive_record(command: DriveAgain, now: datetime) -> dict[str, Any]:
    return {
        "ids": [letter.letter_id for letter in command.letters],
        "topics": [letter.topic for letter in command.letters],
        "services": [letter.service for letter in command.letters],
        "reason": command.reason,
        "force": command.force,
        "driven_by": command.driven_by,
        "now": now,
    }
