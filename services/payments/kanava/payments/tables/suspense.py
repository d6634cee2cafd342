"""The work queue of the suspense account (selvittelytili): what came, and every step that explained it."""

from datetime import date, datetime
from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Field

from kanava.common.db import APPEND_ONLY

from .base import TIMES, Base


class SuspenseItem(Base, table=True):
    """Something that the bank told and that matched nothing when it came; without money it is only a notice.

    The item is the party of its postings on the suspense account, so what is left of it can be proved there. The
    account of who sent the money is sealed; `sender_iban` is of items from before that.
    """

    __tablename__ = "suspense_item"
    __table_args__ = (
        sa.CheckConstraint("direction IN ('credit', 'debit', 'notice')"),
        sa.CheckConstraint("(direction = 'notice') = (amount_cents = 0) AND amount_cents >= 0"),
        sa.UniqueConstraint("iban", "reference", "part"),
        sa.CheckConstraint("(sealed_sender IS NULL) = (key_id IS NULL)", name="suspense_item_key"),
        sa.Index("suspense_item_debit", "area", postgresql_where=sa.text("direction = 'debit'")),
        {"info": APPEND_ONLY},
    )
    item_id: UUID = Field(primary_key=True)
    area: str = Field(index=True)
    iban: str
    reference: str
    part: str
    direction: str
    outcome: str
    amount_cents: int = Field(sa_type=sa.BigInteger)
    end_to_end_id: str | None = Field(index=True)
    why: str
    sender_iban: str | None
    sealed_sender: bytes | None
    key_id: str | None
    remittance: str
    booked_on: date
    created_at: datetime = Field(sa_type=TIMES)


class SuspenseStep(Base, table=True):
    """A step with an item: its owner, its explanation, its way back; `amount_cents` is what it explains.

    A step may be negative: money that was sent back and did not arrive waits again. To whom money is to be sent back
    is `sealed`; `payee` is of steps from before that.
    """

    __tablename__ = "suspense_step"
    __table_args__ = (
        sa.CheckConstraint(
            "what IN ('owned', 'explained_by_file', 'matched_to_payment', 'matched_to_funding', 'offset',"
            " 'return_proposed', 'return_released', 'return_failed', 'closed')",
            name="suspense_step_what",
        ),
        sa.CheckConstraint("length(reason) > 0"),
        sa.Index(
            "suspense_step_funding", "target", unique=True, postgresql_where=sa.text("what = 'matched_to_funding'")
        ),
        sa.CheckConstraint("(sealed IS NULL) = (key_id IS NULL)", name="suspense_step_key"),
        {"info": APPEND_ONLY},
    )
    item_id: UUID = Field(primary_key=True, foreign_key="suspense_item.item_id")
    number: int = Field(primary_key=True)
    what: str
    amount_cents: int = Field(sa_type=sa.BigInteger)
    target: str
    payee: str | None
    sealed: bytes | None
    key_id: str | None
    reason: str
    by: str
    at: datetime = Field(sa_type=TIMES)
