"""The REST of payments, by family. A route parses, calls one service function and returns."""

from . import books, forecasts, money_in, money_out, months, needs, proposals, refunds, statements, testcalcs

ROUTERS = [
    money_in.router,
    months.router,
    statements.router,
    money_out.router,
    books.router,
    forecasts.router,
    testcalcs.router,
    needs.router,
    refunds.router,
    proposals.router,
]
