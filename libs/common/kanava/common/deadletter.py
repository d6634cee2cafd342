"""Dead letters: what a consumer could not digest, why, and how it is driven again.

A letter goes through the outbox to `<topic>.dlq`, in the same transaction as the offsets of its batch, so it
is neither lost nor doubled. Driving it again publishes the original record with a header that names the one
service that failed; the others leave it alone.
"""

import base64
from dataclasses import asdict, dataclass
from typing import Any
from uuid import UUID, uuid4

import orjson
from aiokafka import ConsumerRecord

from .db import Tx
from .outbox import emit_raw

REDRIVE_HEADER = "kanava_redrive"
DEAD_LETTER_TYPE = "fi.kanava.common.deadletter.buried"
_SECRET_HEADERS = frozenset({"authorization"})


@dataclass(frozen=True)
class DeadLetter:
    """A record that one service could not digest: where it stood, why, and its bytes for driving it again."""

    letter_id: UUID
    service: str
    topic: str
    partition: int
    offset: int
    reason: str
    key_base64: str
    value_base64: str
    headers: dict[str, str]

    @classmethod
    def of(cls, service: str, record: "ConsumerRecord[bytes, bytes]", reason: str) -> "DeadLetter":
        """The letter of a record as it came from Kafka."""
        return cls(
            letter_id=uuid4(),
            service=service,
            topic=record.topic,
            partition=record.partition,
            offset=record.offset,
            reason=reason,
            key_base64=base64.b64encode(record.key or b"").decode(),
            value_base64=base64.b64encode(record.value or b"").decode(),
            headers={k: bytes(v).decode("utf-8", "replace") for k, v in record.headers if k not in _SECRET_HEADERS},
        )

    @classmethod
    def read(cls, body: bytes) -> "DeadLetter":
        """The letter of a record of a dead-letter topic."""
        fields: dict[str, Any] = orjson.loads(body)
        return cls(**(fields | {"letter_id": UUID(fields["letter_id"])}))

    @property
    def value(self) -> bytes:
        """The original body."""
        return base64.b64decode(self.value_base64)

    @property
    def redrive_headers(self) -> list[tuple[str, bytes]]:
        """The original headers and the one that says for whom the record is driven again."""
        kept = [(name, value.encode()) for name, value in self.headers.items() if name != REDRIVE_HEADER]
        return [*kept, (REDRIVE_HEADER, self.service.encode())]


async def bury(tx: Tx, letter: DeadLetter) -> None:
    """Send a letter to the dead letters of its topic once this transaction commits."""
    await emit_raw(
        tx,
        topic=f"{letter.topic}.dlq",
        key=str(letter.letter_id),
        kind=DEAD_LETTER_TYPE,
        body=orjson.dumps(asdict(letter)).decode(),
    )
