"""The tables of payments, by family, with the constraints that hold its rules.

Reference data and facts as the bus told them carry `recorded_from`/`recorded_until` (when they were known);
the book (entry, posting, line) is append-only by grants and triggers. What only SQL can say (the deferred
sum-zero check, the triggers, the policies of row-level security, the functions that open a run's partition)
stands in the migrations.
"""

from . import (
    account_limits,
    bank,
    benefits,
    books,
    budgets,
    ceilings,
    disputes,
    facts,
    funding,
    packages,
    performance,
    proposals,
    receivables,
    refunds,
    resident_payments,
    statements,
    steering,
    suspense,
    traffic,
    vouchers,
    years,
)
from .base import Base

__all__ = [
    "Base",
    "account_limits",
    "bank",
    "benefits",
    "books",
    "budgets",
    "ceilings",
    "disputes",
    "facts",
    "funding",
    "packages",
    "performance",
    "proposals",
    "receivables",
    "refunds",
    "resident_payments",
    "statements",
    "steering",
    "suspense",
    "traffic",
    "vouchers",
    "years",
]
