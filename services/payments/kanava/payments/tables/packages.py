"""Names of package nodes, so that a cost can be shown by its product."""

from datetime import date

from sqlmodel import Field

from .base import Base


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
