"""What steering costs or takes back: sanctions, contracts, and charges without resident lines."""

import sqlalchemy as sa
import sqlmodel
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0010"
down_revision = "0008"
branch_labels = None
depends_on = None

APPEND_ONLY = ("sanction_version", "contract_version", "charge", "snapshot", "incentive_reserve", "incentive_outcome")


def upgrade() -> None:
    """Bring the database forward; there is no way back but a backup."""
    _facts()
    _incentives()
    op.create_table(
        "charge",
        sa.Column("run_id", sa.Uuid(), nullable=False),
        *(_text(name) for name in ("producer_id", "component", "source")),
        sa.Column("for_month", sa.Date(), nullable=False),
        _text("kind"),
        _text("area"),
        sa.Column("amount_cents", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("amount_cents <> 0"),
        sa.CheckConstraint("kind IN ('original', 'refund', 'correction')"),
        sa.ForeignKeyConstraint(["run_id"], ["run.run_id"]),
        sa.PrimaryKeyConstraint("run_id", "producer_id", "component", "source", "for_month", "kind"),
        info={"grants": "SELECT, INSERT"},
    )
    op.create_index(op.f("ix_charge_area"), "charge", ["area"], unique=False)
    for table in APPEND_ONLY:
        for event, each in (("UPDATE OR DELETE", "ROW"), ("TRUNCATE", "STATEMENT")):
            name = "no_truncate" if event == "TRUNCATE" else "no_change"
            op.execute(
                f"CREATE TRIGGER {name} BEFORE {event} ON {table} FOR EACH {each} EXECUTE FUNCTION refuse_change()"
            )
        op.execute(f"SELECT scope_by_area('{table}')")


def _text(name: str) -> sa.Column[str]:
    return sa.Column(name, sqlmodel.sql.sqltypes.AutoString(), nullable=False)


def _facts() -> None:
    op.create_table(
        "sanction_version",
        _text("sanction_id"),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        _text("area"),
        _text("producer_id"),
        sa.Column("step", sa.Integer(), nullable=False),
        _text("status"),
        sa.Column("effective_on", sa.Date(), nullable=False),
        sa.Column("amount_cents", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("sanction_id", "version"),
        info={"grants": "SELECT, INSERT"},
    )
    op.create_index(op.f("ix_sanction_version_area"), "sanction_version", ["area"], unique=False)
    op.create_table(
        "contract_version",
        _text("contract_id"),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        _text("area"),
        _text("producer_id"),
        sa.Column("compensation_kinds", sa.ARRAY(sa.Text()), nullable=False),
        sa.Column("starts_on", sa.Date(), nullable=False),
        sa.Column("ends_on", sa.Date(), nullable=True),
        sa.Column("monthly_base_payment_cents", sa.BigInteger(), nullable=True),
        sa.Column("effectiveness", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.PrimaryKeyConstraint("contract_id", "version"),
        info={"grants": "SELECT, INSERT"},
    )
    op.create_index(op.f("ix_contract_version_area"), "contract_version", ["area"], unique=False)


def _incentives() -> None:
    op.create_table(
        "snapshot",
        sa.Column("snapshot_id", sa.Uuid(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        _text("area"),
        _text("producer_id"),
        _text("indicator"),
        sa.Column("period_from", sa.Date(), nullable=False),
        sa.Column("period_until", sa.Date(), nullable=False),
        sa.Column("value", sa.BigInteger(), nullable=False),
        sa.Column("scale", sa.Integer(), nullable=False),
        sa.Column("floor", sa.BigInteger(), nullable=True),
        sa.Column("target", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("period_from < period_until"),
        sa.PrimaryKeyConstraint("snapshot_id"),
        info={"grants": "SELECT, INSERT"},
    )
    op.create_index(op.f("ix_snapshot_area"), "snapshot", ["area"], unique=False)
    op.create_table(
        "incentive_reserve",
        sa.Column("run_id", sa.Uuid(), nullable=False),
        _text("producer_id"),
        _text("municipality"),
        _text("area"),
        sa.Column("month", sa.Date(), nullable=False),
        _text("model"),
        sa.Column("reserved_cents", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("reserved_cents > 0"),
        sa.ForeignKeyConstraint(["run_id"], ["run.run_id"]),
        sa.PrimaryKeyConstraint("run_id", "producer_id", "municipality"),
        info={"grants": "SELECT, INSERT"},
    )
    op.create_index(op.f("ix_incentive_reserve_area"), "incentive_reserve", ["area"], unique=False)
    op.create_table(
        "incentive_outcome",
        sa.Column("reserve_run_id", sa.Uuid(), nullable=False),
        _text("producer_id"),
        _text("municipality"),
        _text("indicator"),
        _text("area"),
        sa.Column("run_id", sa.Uuid(), nullable=False),
        sa.Column("snapshot_id", sa.Uuid(), nullable=False),
        sa.Column("earned_cents", sa.BigInteger(), nullable=False),
        sa.Column("released_cents", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("earned_cents >= 0 AND released_cents >= 0"),
        sa.ForeignKeyConstraint(
            ["reserve_run_id", "producer_id", "municipality"],
            ["incentive_reserve.run_id", "incentive_reserve.producer_id", "incentive_reserve.municipality"],
        ),
        sa.PrimaryKeyConstraint("reserve_run_id", "producer_id", "municipality", "indicator"),
        info={"grants": "SELECT, INSERT"},
    )
    op.create_index(op.f("ix_incentive_outcome_area"), "incentive_outcome", ["area"], unique=False)
