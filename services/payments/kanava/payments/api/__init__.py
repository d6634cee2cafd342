"""The REST of payments, by family. A route parses, calls one service function and returns."""

from . import bank, books, money_in, money_out, months, statements, suspense

ROUTERS = [
    money_in.router,
    months.router,
    statements.router,
    money_out.router,
    bank.router,
    suspense.router,
    books.router,
]
