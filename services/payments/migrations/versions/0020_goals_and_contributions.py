"""A frozen indicator is a producer's, or a municipality's goal; contributions say what Kela reimburses of them."""

import sqlalchemy as sa
import sqlmodel
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the database forward; there is no way back but a backup."""
    op.execute(
        "ALTER TABLE snapshot ALTER COLUMN producer_id DROP NOT NULL, ADD COLUMN municipality varchar,"
        " ADD CONSTRAINT snapshot_of_one CHECK (num_nonnulls(producer_id, municipality) = 1)"
    )
    op.create_table(
        "contribution",
        sa.Column("instalment_id", sa.Uuid(), nullable=False),
        sa.Column("area", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("collected_cents", sa.BigInteger(), nullable=False),
        sa.Column("class_1_cents", sa.BigInteger(), nullable=False),
        sa.Column("class_2_cents", sa.BigInteger(), nullable=False),
        sa.Column("class_2_percent", sa.Integer(), nullable=False),
        sa.Column("kept_cents", sa.BigInteger(), nullable=False),
        sa.Column("gained_cents", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("class_2_percent BETWEEN 0 AND 100", name="contribution_percent"),
        sa.CheckConstraint("least(class_1_cents, class_2_cents, gained_cents) >= 0", name="contribution_cents"),
        sa.ForeignKeyConstraint(["instalment_id"], ["instalment.instalment_id"]),
        sa.PrimaryKeyConstraint("instalment_id"),
        info={"grants": "SELECT, INSERT"},
    )
    for event, each in (("UPDATE OR DELETE", "ROW"), ("TRUNCATE", "STATEMENT")):
        name = "no_truncate" if event == "TRUNCATE" else "no_change"
        op.execute(
            f"CREATE TRIGGER {name} BEFORE {event} ON contribution FOR EACH {each} EXECUTE FUNCTION refuse_change()"
        )
    op.execute("SELECT scope_by_area('contribution')")
