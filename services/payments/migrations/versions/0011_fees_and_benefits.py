"""the yearly ceiling of client fees, and versions of prices, benefits"""

import sqlalchemy as sa
import sqlmodel
from alembic import op

revision = "0011"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the database forward; there is no way back but a backup."""
    _ceilings()
    _prices()
    _benefits()


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
    _append_only("ceiling_claim")
    op.execute("SELECT scope_by_area('ceiling_claim')")


def _prices() -> None:
    op.execute(
        "ALTER TABLE price ADD COLUMN version integer NOT NULL DEFAULT 1, ADD COLUMN price_basis varchar NOT NULL"
        " DEFAULT 'unit', ADD COLUMN total_price jsonb, ADD COLUMN correction_reason varchar,"
        " DROP CONSTRAINT price_pkey, ADD PRIMARY KEY (price_id, version),"
        " DROP CONSTRAINT price_area_node_unit_of_measure_valid_from_key"
    )
    op.execute("ALTER TABLE price ALTER COLUMN version DROP DEFAULT, ALTER COLUMN price_basis DROP DEFAULT")
    op.create_index("price_in_force", "price", ["area", "node", "unit_of_measure", "valid_from"])
    op.execute(
        "ALTER TABLE visit ADD COLUMN weight_ten_thousandths integer, ADD COLUMN drg_group varchar,"
        " ADD COLUMN referral_id varchar"
    )
    op.create_table(
        "care_criterion",
        sa.Column("code", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("package_id", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("needs_referral", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("code", "package_id"),
        info={"grants": "SELECT, INSERT"},
    )
    _append_only("care_criterion")


def _benefits() -> None:
    op.create_table(
        "benefit_decision",
        sa.Column("area", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("reference", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("resident_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("for_month", sa.Date(), nullable=False),
        sa.Column("holds_cents", sa.BigInteger(), nullable=False),
        sa.Column("change_cents", sa.BigInteger(), nullable=False),
        sa.Column("reasons", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("decided_by", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("kind IN ('medicines', 'travel', 'other')", name="benefit_kind"),
        sa.CheckConstraint("holds_cents >= 0", name="benefit_not_negative"),
        sa.PrimaryKeyConstraint("area", "reference", "number"),
        info={"grants": "SELECT, INSERT"},
    )
    op.create_index(op.f("ix_benefit_decision_resident_id"), "benefit_decision", ["resident_id"])
    _append_only("benefit_decision")
    op.execute("SELECT scope_by_area('benefit_decision')")


def _append_only(table: str) -> None:
    op.execute(
        f"CREATE TRIGGER no_change BEFORE UPDATE OR DELETE ON {table} FOR EACH ROW EXECUTE FUNCTION refuse_change()"
    )
    op.execute(
        f"CREATE TRIGGER no_truncate BEFORE TRUNCATE ON {table} FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
    )
