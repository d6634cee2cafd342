"""Entries of a run belong to its month, what was sealed stays, every row has its area, and contracts one table."""

from alembic import op

revision = "0024"
down_revision = "0021"
branch_labels = None
depends_on = None

PARENTS = (
    ("dispute_line", "dispute", "dispute_id"),
    ("dispute_decision", "dispute", "dispute_id"),
    ("account_confirmation", "statement", "statement_id"),
    ("measure_done", "agreed_measure", "measure_id"),
    ("refund_decision", "refund_proposal", "refund_id"),
    ("refund_account", "refund_proposal", "refund_id"),
    ("refund_payment", "refund_proposal", "refund_id"),
    ("refund_outcome", "refund_payment", "end_to_end_id"),
    ("bank_entry", "area_account", "iban"),
    ("bank_report", "area_account", "iban"),
)


def upgrade() -> None:
    """Bring the database forward; there is no way back but a backup."""
    op.execute(CLOSED_YEARS)
    op.execute(KEPT)
    for name, parent, key in PARENTS:
        op.execute(f"SELECT scope_by_parent('{name}', '{parent}', '{key}')")
    op.execute(STATUS)
    op.execute(ONE_TABLE_OF_CONTRACTS)
    op.drop_table("contract")


CLOSED_YEARS = """
CREATE OR REPLACE FUNCTION refuse_closed_year_of_entry() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (
        SELECT FROM entered e
        LEFT JOIN run r ON e.kind IN ('cost', 'reserved', 'reserve_dissolved', 'ceiling') AND r.run_id = e.reference
        JOIN year_end y ON y.area = e.area AND y.fiscal_year
            >= extract(year FROM coalesce(r.month::timestamp, e.booked_at AT TIME ZONE 'Europe/Helsinki'))
    ) THEN
        RAISE EXCEPTION 'an entry belongs to a fiscal year that is closed' USING ERRCODE = 'KA003';
    END IF;
    RETURN NULL;
END $$;
"""
KEPT = """
CREATE TRIGGER closed_stays BEFORE UPDATE ON run
    FOR EACH ROW WHEN (OLD.status = 'closed') EXECUTE FUNCTION refuse_change();
CREATE TRIGGER no_delete BEFORE DELETE ON run FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER no_truncate BEFORE TRUNCATE ON run FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER no_delete BEFORE DELETE ON statement FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER no_truncate BEFORE TRUNCATE ON statement FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
"""
"""What the application's role may change of them is granted column by column, with the tables."""
STATUS = """
ALTER TABLE bank_status ENABLE ROW LEVEL SECURITY;
CREATE POLICY by_area ON bank_status FOR SELECT USING (
    (SELECT current_setting('kanava.area', true)) = '*' OR end_to_end_id IN (SELECT end_to_end_id FROM payment));
CREATE POLICY told ON bank_status FOR INSERT WITH CHECK ((SELECT current_setting('kanava.area', true)) <> '');
"""
"""A bank may tell of a payment that nobody knows; who takes that in need not be able to see it."""
ONE_TABLE_OF_CONTRACTS = """
INSERT INTO contract_version (contract_id, version, recorded_at, area, producer_id, contract_class, compensation_kinds,
    starts_on, ends_on, effectiveness)
SELECT contract_id, version, least(starts_on::timestamptz, now()), area, producer_id, contract_class,
    compensation_kinds, starts_on, ends_on, '[]' FROM contract c
WHERE NOT EXISTS (SELECT FROM contract_version v WHERE v.contract_id = c.contract_id)
"""
"""A contract that was heard of before its versions were kept counts as known from the day on which it began."""
