"""bank"""

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

APPEND_ONLY = (
    "area_account",
    "suspense_item",
    "suspense_step",
    "bank_report",
    "bank_booking",
    "bank_entry",
    "bank_status",
    "account_confirmation",
    "reference_wish",
)

TABLES = """
CREATE TABLE area_account (
    iban VARCHAR NOT NULL,
    area VARCHAR NOT NULL,
    registered_by VARCHAR NOT NULL,
    registered_at TIMESTAMP WITH TIME ZONE NOT NULL,
    PRIMARY KEY (iban)
);

CREATE INDEX ix_area_account_area ON area_account (area);

CREATE TABLE suspense_item (
    item_id UUID NOT NULL,
    area VARCHAR NOT NULL,
    iban VARCHAR NOT NULL,
    reference VARCHAR NOT NULL,
    part VARCHAR NOT NULL,
    direction VARCHAR NOT NULL,
    outcome VARCHAR NOT NULL,
    amount_cents BIGINT NOT NULL,
    end_to_end_id VARCHAR,
    why VARCHAR NOT NULL,
    sender_iban VARCHAR,
    remittance VARCHAR NOT NULL,
    booked_on DATE NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    PRIMARY KEY (item_id),
    CHECK (direction IN ('credit', 'debit', 'notice')),
    CHECK ((direction = 'notice') = (amount_cents = 0) AND amount_cents >= 0),
    UNIQUE (iban, reference, part)
);

CREATE INDEX ix_suspense_item_area ON suspense_item (area);

CREATE INDEX ix_suspense_item_end_to_end_id ON suspense_item (end_to_end_id);

CREATE TABLE suspense_step (
    item_id UUID NOT NULL,
    number INTEGER NOT NULL,
    what VARCHAR NOT NULL,
    amount_cents BIGINT NOT NULL,
    target VARCHAR NOT NULL,
    payee VARCHAR,
    reason VARCHAR NOT NULL,
    by VARCHAR NOT NULL,
    at TIMESTAMP WITH TIME ZONE NOT NULL,
    PRIMARY KEY (item_id, number),
    CONSTRAINT suspense_step_what CHECK (what IN ('owned', 'explained_by_file', 'matched_to_payment', 'matched_to_funding', 'offset', 'return_proposed', 'return_released', 'return_failed', 'closed')),
    CHECK (length(reason) > 0),
    FOREIGN KEY(item_id) REFERENCES suspense_item (item_id)
);

CREATE TABLE bank_report (
    iban VARCHAR NOT NULL,
    kind VARCHAR NOT NULL,
    year INTEGER NOT NULL,
    number INTEGER NOT NULL,
    page INTEGER NOT NULL,
    is_last_page BOOLEAN NOT NULL,
    message_id VARCHAR NOT NULL,
    received_at TIMESTAMP WITH TIME ZONE NOT NULL,
    opening_cents BIGINT,
    closing_cents BIGINT,
    closes_on DATE NOT NULL,
    PRIMARY KEY (iban, kind, year, number, page),
    FOREIGN KEY(iban) REFERENCES area_account (iban)
);

CREATE TABLE bank_booking (
    iban VARCHAR NOT NULL,
    reference VARCHAR NOT NULL,
    area VARCHAR NOT NULL,
    direction VARCHAR NOT NULL,
    amount_cents BIGINT NOT NULL,
    booked_on DATE NOT NULL,
    message_id VARCHAR NOT NULL,
    PRIMARY KEY (iban, reference),
    CHECK (amount_cents > 0),
    CHECK (direction IN ('credit', 'debit')),
    FOREIGN KEY(iban) REFERENCES area_account (iban)
);

CREATE TABLE bank_entry (
    iban VARCHAR NOT NULL,
    reference VARCHAR NOT NULL,
    part VARCHAR NOT NULL,
    end_to_end_id VARCHAR,
    outcome VARCHAR NOT NULL,
    amount_cents BIGINT NOT NULL,
    matched VARCHAR NOT NULL,
    entry_id UUID,
    message_id VARCHAR NOT NULL,
    PRIMARY KEY (iban, reference, part),
    CHECK (amount_cents > 0),
    CHECK (matched IN ('payment', 'funding', 'suspense', 'offset', 'explained'))
);

CREATE INDEX ix_bank_entry_end_to_end_id ON bank_entry (end_to_end_id);

CREATE TABLE bank_status (
    end_to_end_id VARCHAR NOT NULL,
    status VARCHAR NOT NULL,
    message_id VARCHAR NOT NULL,
    reason VARCHAR,
    told_at TIMESTAMP WITH TIME ZONE NOT NULL,
    PRIMARY KEY (end_to_end_id, status, message_id)
);

CREATE TABLE account_confirmation (
    statement_id UUID NOT NULL,
    number INTEGER NOT NULL,
    iban VARCHAR NOT NULL,
    reason VARCHAR NOT NULL,
    confirmed_by VARCHAR NOT NULL,
    confirmed_at TIMESTAMP WITH TIME ZONE NOT NULL,
    PRIMARY KEY (statement_id, number),
    FOREIGN KEY(statement_id) REFERENCES statement (statement_id)
);

CREATE TABLE reference_wish (
    producer_id VARCHAR NOT NULL,
    number INTEGER NOT NULL,
    kind VARCHAR NOT NULL,
    asked_by VARCHAR NOT NULL,
    asked_at TIMESTAMP WITH TIME ZONE NOT NULL,
    PRIMARY KEY (producer_id, number),
    CHECK (kind IN ('rf', 'viitenumero'))
);
"""

PAYMENTS = """
ALTER TABLE payment ALTER COLUMN statement_id DROP NOT NULL;
ALTER TABLE payment ADD COLUMN item_id UUID REFERENCES suspense_item (item_id);
CREATE INDEX ix_payment_item_id ON payment (item_id);
ALTER TABLE payment DROP CONSTRAINT payment_status_check;
ALTER TABLE payment ADD CONSTRAINT payment_status
    CHECK (status IN ('open', 'booked', 'rejected', 'returned'));
ALTER TABLE payment ADD CONSTRAINT payment_pays_one_thing CHECK (num_nonnulls(statement_id, item_id) = 1);
"""

OLD_ENTRIES = """
INSERT INTO bank_entry (iban, reference, part, end_to_end_id, outcome, amount_cents, matched, message_id)
SELECT '', bank_reference, end_to_end_id, end_to_end_id, outcome, amount_cents, 'payment', message_id
FROM bank_entry_before WHERE matched;
DROP TABLE bank_entry_before;
"""


def upgrade() -> None:
    """Bring the database forward; what was matched before knew no account, so its account is left empty."""
    op.execute("ALTER TABLE bank_entry RENAME TO bank_entry_before")
    op.execute("ALTER INDEX bank_entry_pkey RENAME TO bank_entry_before_pkey")
    op.execute(TABLES)
    op.execute(PAYMENTS)
    op.execute(OLD_ENTRIES)
    for table in APPEND_ONLY:
        op.execute(
            f"CREATE TRIGGER no_change BEFORE UPDATE OR DELETE ON {table} FOR EACH ROW EXECUTE FUNCTION refuse_change()"
        )
        op.execute(
            f"CREATE TRIGGER no_truncate BEFORE TRUNCATE ON {table} FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
        )
