"""What payments refuses, and why.

Refused 409 with a `Reason`     a rule of the money says no
UnknownRun, UnknownStatement, UnknownPayout, UnknownDispute, UnknownProducer 404
BadBankMessage 422              a bank's file that is not what it should be
"""

from kanava.common.errors import Invalid, NotFound, RefusalReason


class Reason(RefusalReason):
    """Why a command about money was refused."""

    OVER_THE_LIMIT = "over_the_limit", "The area's account would fall below its limit."
    MONTH_NOT_OVER = "month_not_over", "A month is closed after its last day."
    MONTH_OUT_OF_ORDER = "month_out_of_order", "Months of an area close in order, each once."
    PRODUCER_STAYS = "producer_stays", "Registry does not say that the producer has left, is revoked or suspended."
    MONTHS_STILL_OPEN = "months_still_open", "Residents are still listed with the producer in months not yet closed."
    PAYMENT_AT_THE_BANK = "payment_at_the_bank", "The bank has not yet answered a payment to the producer."
    DISPUTE_OPEN = "dispute_open", "A statement of the producer is contested and not yet decided."
    NOTHING_TO_SETTLE = "nothing_to_settle", "The producer owes nothing and is owed nothing."
    FINAL_ALREADY_DRAWN = "final_already_drawn", "A producer gets one final statement in an area."
    TOO_MANY_LINES = "too_many_lines", "A case contests from one to 500 lines."
    CONTESTED_TOO_LATE = "contested_too_late", "The time for contesting this statement is over."
    LINE_CONTESTED_BEFORE = "line_contested_before", "A line is contested once."
    NO_SUCH_LINE = "no_such_line", "A contested line does not stand on this statement."
    DISPUTE_DECIDED = "dispute_decided", "The case is decided."
    DECIDED_BY_THE_SAME = (
        "decided_by_the_same",
        "Nobody decides on what they approved, released or contest.",
    )


class UnknownRun(NotFound):
    """There is no run with this id."""

    slug, title = "unknown-run", "There is no such run"


class UnknownStatement(NotFound):
    """There is no statement with this id."""

    slug, title = "unknown-statement", "There is no such statement"


class UnknownPayout(NotFound):
    """There is no payout with this id, or it has no file because it paid nobody by bank."""

    slug, title = "unknown-payout", "There is no such pain.001 file"


class UnknownDispute(NotFound):
    """There is no dispute with this id."""

    slug, title = "unknown-dispute", "There is no such dispute"


class UnknownProducer(NotFound):
    """Registry has told of no producer with this id in the area."""

    slug, title = "unknown-producer", "There is no such producer"


class BadBankMessage(Invalid):
    """The file is no pain.002, camt.053 or camt.054, is cut, or declares entities. Nothing was booked."""

    slug, title = "bad-bank-message", "The bank's file could not be read"
