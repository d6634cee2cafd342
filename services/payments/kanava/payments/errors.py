"""What payments refuses, and why.

Refused 409 with a `Reason`     a rule of the money says no
UnknownRun, UnknownStatement, UnknownPayout, UnknownModel 404
BadBankMessage 422              a bank's file that is not what it should be
"""

from kanava.common.errors import Invalid, NotFound, RefusalReason


class Reason(RefusalReason):
    """Why a command about money was refused."""

    OVER_THE_LIMIT = "over_the_limit", "The area's account would fall below its limit."
    MONTH_NOT_OVER = "month_not_over", "A month is closed after its last day."
    MONTH_OUT_OF_ORDER = "month_out_of_order", "Months of an area close in order, each once."
    TOO_LITTLE_HISTORY = "too_little_history", "A forecast needs twelve whole months of the account's history."
    FEES_OVER_THE_POT = "fees_over_the_pot", "The fees alone cost more than capitation; compare with them on top."


class UnknownRun(NotFound):
    """There is no run with this id."""

    slug, title = "unknown-run", "There is no such run"


class UnknownStatement(NotFound):
    """There is no statement with this id."""

    slug, title = "unknown-statement", "There is no such statement"


class UnknownPayout(NotFound):
    """There is no payout with this id, or it has no file because it paid nobody by bank."""

    slug, title = "unknown-payout", "There is no such pain.001 file"


class UnknownModel(NotFound):
    """The area has no compensation model with this id."""

    slug, title = "unknown-model", "There is no such compensation model"


class BadBankMessage(Invalid):
    """The file is no pain.002, camt.053 or camt.054, is cut, or declares entities. Nothing was booked."""

    slug, title = "bad-bank-message", "The bank's file could not be read"
