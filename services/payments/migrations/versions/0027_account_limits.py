"""The limits of areas' accounts: who set which, when and why; the service may put one in force in the book."""

import sqlalchemy as sa
import sqlmodel
from alembic import op

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None

TEXT = sqlmodel.sql.sqltypes.AutoString()
TABLE = "account_limit"


def upgrade() -> None:
    """Bring the database forward; there is no way back but a backup."""
    op.create_table(
        TABLE,
        sa.Column("area", TEXT, nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("limit_cents", sa.BigInteger(), nullable=False),
        sa.Column("reason", TEXT, nullable=False),
        sa.Column("set_by", TEXT, nullable=False),
        sa.Column("set_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("number > 0", name="account_limit_number"),
        sa.PrimaryKeyConstraint("area", "number"),
        info={"grants": "SELECT, INSERT"},
    )
    for event, each in (("UPDATE OR DELETE", "ROW"), ("TRUNCATE", "STATEMENT")):
        name = "no_truncate" if event == "TRUNCATE" else "no_change"
        op.execute(f"CREATE TRIGGER {name} BEFORE {event} ON {TABLE} FOR EACH {each} EXECUTE FUNCTION refuse_change()")
    op.execute(f"SELECT scope_by_area('{TABLE}')")
    op.execute(STANDING)


STANDING = f"""
INSERT INTO {TABLE} (area, number, limit_cents, reason, set_by, set_at)
SELECT area, 1, limit_cents, 'In force before limits were recorded', 'administrator', now() FROM book WHERE limit_cents <> 0
"""
"""A limit that an administrator gave a book before there was a command for it stays in force, and is found here."""
