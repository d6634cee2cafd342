"""The REST of payments, by family. A route parses, calls one service function and returns."""

from . import (
    bank,
    books,
    funding_plans,
    journal,
    money_in,
    money_out,
    months,
    reconciliation,
    statements,
    suspense,
    transfers,
    years,
)

ROUTERS = [
    money_in.router,
    funding_plans.router,
    transfers.router,
    months.router,
    statements.router,
    money_out.router,
    bank.router,
    suspense.router,
    books.router,
    journal.router,
    years.router,
    reconciliation.router,
]
