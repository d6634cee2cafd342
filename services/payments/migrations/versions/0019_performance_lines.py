"""Client-specific corrections afterwards: performance lines that organisers decide on, and their revocations."""

import sqlalchemy as sa
import sqlmodel
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

TEXT = sqlmodel.sql.sqltypes.AutoString()
TABLES = ("performance_decision", "performance_revocation")


def upgrade() -> None:
    """Bring the database forward; there is no way back but a backup."""
    op.create_table(
        "performance_decision",
        sa.Column("performance_id", sa.Uuid(), nullable=False),
        sa.Column("area", TEXT, nullable=False),
        sa.Column("resident_id", sa.Uuid(), nullable=False),
        sa.Column("unit_id", TEXT, nullable=False),
        sa.Column("producer_id", TEXT, nullable=False),
        sa.Column("performed_on", sa.Date(), nullable=False),
        sa.Column("amount_cents", sa.BigInteger(), nullable=False),
        sa.Column("reason", TEXT, nullable=False),
        sa.Column("decided_by", TEXT, nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("amount_cents <> 0", name="performance_moves"),
        sa.PrimaryKeyConstraint("performance_id"),
        info={"grants": "SELECT, INSERT"},
    )
    for column in ("area", "resident_id", "producer_id"):
        op.create_index(f"ix_performance_decision_{column}", "performance_decision", [column])
    op.create_table(
        "performance_revocation",
        sa.Column("performance_id", sa.Uuid(), nullable=False),
        sa.Column("area", TEXT, nullable=False),
        sa.Column("reason", TEXT, nullable=False),
        sa.Column("decided_by", TEXT, nullable=False),
        sa.Column("revoked_by", TEXT, nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("decided_by <> revoked_by", name="performance_four_eyes"),
        sa.ForeignKeyConstraint(["performance_id"], ["performance_decision.performance_id"]),
        sa.PrimaryKeyConstraint("performance_id"),
        info={"grants": "SELECT, INSERT"},
    )
    for table in TABLES:
        _append_only(table)


def _append_only(table: str) -> None:
    for event, each in (("UPDATE OR DELETE", "ROW"), ("TRUNCATE", "STATEMENT")):
        name = "no_truncate" if event == "TRUNCATE" else "no_change"
        op.execute(f"CREATE TRIGGER {name} BEFORE {event} ON {table} FOR EACH {each} EXECUTE FUNCTION refuse_change()")
    op.execute(f"SELECT scope_by_area('{table}')")
