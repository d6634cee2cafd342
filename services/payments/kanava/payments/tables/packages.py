"""Names of package nodes, so that a cost can be shown by its product."""

from datetime import date, datetime

from sqlmodel import Field

from kanava.common.db import APPEND_ONLY

from .base import TIMES, Base


class NodeName(Base, table=True):
    """The name of a node as the newest version of its package states it, and the node above it."""

    __tablename__ = "node_name"
    code: str = Field(primary_key=True)
    package_id: str
    number: int
    valid_from: date
    parent: str | None
    level: int
    name_fi: str


class CareCriterion(Base, table=True):
    """Whether a version of a package asks for a referral (lähete) at a node, from a day on; rows stay."""

    __tablename__ = "care_criterion"
    __table_args__ = {"info": APPEND_ONLY}
    code: str = Field(primary_key=True)
    package_id: str = Field(primary_key=True)
    number: int
    valid_from: date
    recorded_at: datetime = Field(sa_type=TIMES)
    needs_referral: bool
