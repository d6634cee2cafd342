"""What payments refuses, and why.

Refused 409 with a `Reason`     a rule of the money says no
UnknownRun, UnknownStatement, UnknownPayout, UnknownItem 404
BadBankMessage 422              a bank's file that is not what it should be
"""

from kanava.common.errors import Invalid, NotFound, RefusalReason


class Reason(RefusalReason):
    """Why a command about money was refused."""

    OVER_THE_LIMIT = "over_the_limit", "The area's account would fall below its limit."
    MONTH_NOT_OVER = "month_not_over", "A month is closed after its last day."
    YEAR_CLOSED = "year_closed", "The fiscal year is closed; nothing is posted into it any more."
    YEAR_NOT_OVER = "year_not_over", "A fiscal year is closed after its last day."
    YEAR_OUT_OF_ORDER = "year_out_of_order", "Fiscal years of an area close in order, each once."
    MONTHS_OPEN = "months_open", "Every month of the fiscal year has to be closed before the year."
    BOOKS_BROKEN = "books_broken", "The books of the area do not hold; a year is not closed with them."
    NOT_PROPOSED = "not_proposed", "Somebody has to propose the closing of the year first."
    BOOKS_MOVED = "books_moved", "The books changed after the proposal; propose the closing again."
    SAME_PERSON = "same_person", "Nobody closes the year that they proposed to close."
    OTHER_YEAR = "other_year", "An instalment belongs to the year of its arrival, the one before or the one after."
    MONTH_OUT_OF_ORDER = "month_out_of_order", "Months of an area close in order, each once."
    ACCOUNT_TAKEN = "account_taken", "The account at the bank belongs to another area."
    ACCOUNT_DIFFERS = "account_differs", "The account that was checked is not the one that the producer has now."
    NOTHING_TO_CONFIRM = "nothing_to_confirm", "The statement is not approved, or its account did not change."
    ITEM_EXPLAINED = "item_explained", "The item of the suspense account is explained already."
    ITEM_WRONG_WAY = "item_wrong_way", "The item's money went the other way, or there is none."
    ITEM_DOES_NOT_FIT = "item_does_not_fit", "The payment, instalment or other item does not fit the item's money."
    RETURN_NOT_PROPOSED = "return_not_proposed", "Nobody has proposed to send this money back."
    RETURN_BY_THE_SAME = "return_by_the_same", "Somebody else than who proposed it sends money back."
    NO_SENDER_ACCOUNT = "no_sender_account", "The bank told no account to send the money back to; name it."


class UnknownRun(NotFound):
    """There is no run with this id."""

    slug, title = "unknown-run", "There is no such run"


class UnknownStatement(NotFound):
    """There is no statement with this id."""

    slug, title = "unknown-statement", "There is no such statement"


class UnknownPayout(NotFound):
    """There is no payout with this id, or it has no file because it paid nobody by bank."""

    slug, title = "unknown-payout", "There is no such pain.001 file"


class UnknownItem(NotFound):
    """There is no item of the suspense account with this id."""

    slug, title = "unknown-item", "There is no such item"


class BadBankMessage(Invalid):
    """The bank's file breaks the rule that is named, at the element that the pointer names. Nothing was booked.

    It is cut, declares entities, is of no known kind, speaks of another account or currency, or its sums disagree.
    """

    slug, title = "bad-bank-message", "The bank's file could not be read"
