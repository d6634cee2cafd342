"""The REST of payments, by family. A route parses, calls one service function and returns."""

from . import books, disputes, documents, money_in, money_out, months, receivables, reports, statements

ROUTERS = [
    money_in.router,
    months.router,
    documents.router,
    statements.router,
    receivables.router,
    disputes.router,
    money_out.router,
    reports.router,
    books.router,
]
"""`documents` comes before `statements`: the ending of `/v1/statements/{statement_id}.pdf` is no part of an id."""
