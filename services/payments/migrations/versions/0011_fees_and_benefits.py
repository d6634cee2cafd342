"""the yearly ceiling of client fees"""

import sqlalchemy as sa
import sqlmodel
from alembic import op

revision = "0011"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the database forward; there is no way back but a backup."""
    _ceilings()


def _ceilings() -> None:
    op.add_column("resident", sa.Column("guardian_id", sa.Uuid(), nullable=True))
    op.create_index(
        "resident_guardian", "resident", ["guardian_id"], postgresql_where=sa.text("guardian_id IS NOT NULL")
    )
    op.create_index("visit_client_fee", "visit", ["resident_id"], postgresql_where=sa.text("client_fee_cents > 0"))
    op.create_table(
        "ceiling_claim",
        sa.Column("run_id", sa.Uuid(), nullable=False),
        sa.Column("resident_id", sa.Uuid(), nullable=False),
        sa.Column("payee_id", sa.Uuid(), nullable=False),
        sa.Column("year", sa.SmallInteger(), nullable=False),
        sa.Column("area", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("ceiling_cents", sa.BigInteger(), nullable=False),
        sa.Column("amount_cents", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("amount_cents <> 0", name="ceiling_claim_moves"),
        sa.ForeignKeyConstraint(["run_id"], ["run.run_id"]),
        sa.PrimaryKeyConstraint("run_id", "resident_id", "payee_id", "year"),
        info={"grants": "SELECT, INSERT"},
    )
    op.create_index("ceiling_claim_payee", "ceiling_claim", ["payee_id", "year"])
    op.create_index("ceiling_claim_resident", "ceiling_claim", ["resident_id"])
    op.execute(
        "CREATE TRIGGER no_change BEFORE UPDATE OR DELETE ON ceiling_claim"
        " FOR EACH ROW EXECUTE FUNCTION refuse_change()"
    )
    op.execute(
        "CREATE TRIGGER no_truncate BEFORE TRUNCATE ON ceiling_claim"
        " FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
    )
    op.execute("SELECT scope_by_area('ceiling_claim')")
