"""What residents paid above the yearly ceiling of client fees: the sub-ledger behind what is owed to them."""

from uuid import UUID

import sqlalchemy as sa
from sqlmodel import Field

from kanava.common.db import APPEND_ONLY

from .base import Base


class CeilingClaim(Base, table=True):
    """By how much a run changed what is owed to `payee_id` for a resident's fees of a year (maksukaton ylitys).

    The sum over the runs is the claim. `payee_id` is the guardian of a child, else the resident.
    """

    __tablename__ = "ceiling_claim"
    __table_args__ = (
        sa.CheckConstraint("amount_cents <> 0", name="ceiling_claim_moves"),
        sa.Index("ceiling_claim_payee", "payee_id", "year"),
        sa.Index("ceiling_claim_resident", "resident_id"),
        {"info": APPEND_ONLY},
    )
    run_id: UUID = Field(primary_key=True, foreign_key="run.run_id")
    resident_id: UUID = Field(primary_key=True)
    payee_id: UUID = Field(primary_key=True)
    year: int = Field(primary_key=True, sa_type=sa.SmallInteger)
    area: str
    ceiling_cents: int = Field(sa_type=sa.BigInteger)
    amount_cents: int = Field(sa_type=sa.BigInteger)
