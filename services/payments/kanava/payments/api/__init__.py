"""The REST of payments, by family. A route parses, calls one service function and returns."""

from . import (
    books,
    funding_plans,
    journal,
    money_in,
    money_out,
    months,
    reconciliation,
    statements,
    transfers,
    years,
)

ROUTERS = [
    money_in.router,
    months.router,
    statements.router,
    money_out.router,
    books.router,
    transfers.router,
    funding_plans.router,
    journal.router,
    years.router,
    reconciliation.router,
]
