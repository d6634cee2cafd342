"""What payments refuses, and why.

Refused 409 with a `Reason`     a rule of the money says no
UnknownRun, UnknownStatement, UnknownPayout, UnknownItem, UnknownModel, UnknownRefund, UnknownMeasure,
UnknownDispute, UnknownProducer, UnknownBatch, UnknownResidentPayment, UnknownPerformance, NoAccountGiven 404
BadBankMessage 422              a bank's file that is not what it should be
"""

from kanava.common.errors import Invalid, NotFound, RefusalReason


class Reason(RefusalReason):
    """Why a command about money was refused."""

    OVER_THE_LIMIT = "over_the_limit", "The area's account would fall below its limit."
    LIMIT_ABOVE_BALANCE = "limit_above_balance", "A limit is raised at most to what the account can spend."
    LIMIT_OUT_OF_BOUNDS = "limit_out_of_bounds", "The limit is lower or higher than one may be set on this day."
    MONTH_NOT_OVER = "month_not_over", "A month is closed after its last day."
    MONTH_CLOSED = "month_closed", "The month is closed; what became known later is corrected in the next one."
    YEAR_CLOSED = "year_closed", "The fiscal year is closed; nothing is posted into it any more."
    YEAR_NOT_OVER = "year_not_over", "A fiscal year is closed after its last day."
    YEAR_OUT_OF_ORDER = "year_out_of_order", "Fiscal years of an area close in order, each once."
    MONTHS_OPEN = "months_open", "Every month of the fiscal year has to be closed before the year."
    STATEMENT_NOT_READY = "statement_not_ready", "A named statement is not of this area and month, or not in this step."
    BOOKS_BROKEN = "books_broken", "The books of the area do not hold; a year is not closed with them."
    NOT_PROPOSED = "not_proposed", "Somebody has to propose the closing of the year first."
    BOOKS_MOVED = "books_moved", "The books changed after the proposal; propose the closing again."
    OTHER_YEAR = "other_year", "An instalment belongs to the year of its arrival, the one before or the one after."
    OTHER_MATTER = "other_matter", "The reference names a benefit of another resident, kind or month."
    MONTH_OUT_OF_ORDER = "month_out_of_order", "Months of an area close in order, each once."
    ACCOUNT_TAKEN = "account_taken", "The account at the bank belongs to another area."
    ACCOUNT_DIFFERS = "account_differs", "The account that was checked is not the one that the payee has now."
    NOTHING_TO_CONFIRM = "nothing_to_confirm", "The payment is not approved, or its account did not change."
    ITEM_EXPLAINED = "item_explained", "The item of the suspense account is explained already."
    ITEM_WRONG_WAY = "item_wrong_way", "The item's money went the other way, or there is none."
    ITEM_DOES_NOT_FIT = "item_does_not_fit", "The payment, instalment or other item does not fit the item's money."
    RETURN_NOT_PROPOSED = "return_not_proposed", "Nobody has proposed to send this money back."
    RETURN_BY_THE_SAME = "return_by_the_same", "Somebody else than who proposed it sends money back."
    NO_SENDER_ACCOUNT = "no_sender_account", "The bank told no account to send the money back to; name it."
    TOO_LITTLE_HISTORY = "too_little_history", "A forecast needs twelve whole months of history."
    FEES_OVER_THE_POT = "fees_over_the_pot", "The fees alone cost more than capitation; compare with them on top."
    NO_REFUND_RULE = "no_refund_rule", "No incentive principle was in force when the four years began."
    RULE_STANDS = "rule_stands", "A rule of this day stands; a new one begins on another day."
    WINDOW_NOT_OVER = "window_not_over", "A refund is proposed after its four years."
    WINDOW_OVERLAPS = "window_overlaps", "The municipality got a refund for a part of these years."
    FIGURES_MISSING = "figures_missing", "A component of need has no fresh figure for the beginning or the end."
    SAME_PERSON = "same_person", "Somebody else has to do this step."
    ALREADY_DECIDED = "already_decided", "A proposal is decided once."
    ALREADY_DONE = "already_done", "That the measure was done is confirmed already."
    NOT_APPROVED = "not_approved", "The refund is not approved, or is nothing."
    PAYMENT_OPEN = "payment_open", "The refund was given to the bank and was not sent back."
    PERIOD_NOT_CLOSED = "period_not_closed", "The last month of the period is not closed yet."
    PERIOD_NOT_OVER = "period_not_over", "The year whose cost is told is not over yet."
    NO_OWN_COST = "no_own_cost", "Own production had no residents in the year, or its fees exceed its cost."
    ABSURD_RATE = "absurd_rate", "A proposed rate is absurdly high; look at the cost and the weights again."
    OTHER_MODEL = "other_model", "Another model priced months of the period; review the months of one model."
    PRODUCER_STAYS = "producer_stays", "Registry does not say that the producer has left, is revoked or suspended."
    MONTHS_STILL_OPEN = "months_still_open", "Residents are still listed with the producer in months not yet closed."
    PAYMENT_AT_THE_BANK = "payment_at_the_bank", "The bank has not yet answered a payment to the producer."
    DISPUTE_OPEN = "dispute_open", "A statement of the producer is contested and not yet decided."
    CORRECTION_WAITS = "correction_waits", "A correction that was decided for the producer waits for the next run."
    NOTHING_TO_SETTLE = "nothing_to_settle", "The producer owes nothing and is owed nothing."
    FINAL_ALREADY_DRAWN = "final_already_drawn", "A producer gets one final statement in an area."
    TOO_MANY_LINES = "too_many_lines", "A case contests from one to 500 lines."
    CONTESTED_TOO_LATE = "contested_too_late", "The time for contesting this statement is over."
    LINE_CONTESTED_BEFORE = "line_contested_before", "A line is contested once."
    NO_SUCH_LINE = "no_such_line", "A contested line does not stand on this statement."
    DISPUTE_DECIDED = "dispute_decided", "The case is decided."
    LINE_REVOKED = "line_revoked", "The performance line was revoked; a run takes back all of it."
    LINE_CORRECTED_SINCE = "line_corrected_since", "A later run corrected the line; contest what that one says."
    TAKES_BACK = "takes_back", "The line only takes back what stood; adjust the one beside it, which says what holds."
    ADJUSTED_BEFORE = "adjusted_before", "An adjustment of the same fact stands; contest the lines that it gave."
    HOLDS_TURN_THE_LINE = (
        "holds_turn_the_line",
        "What a line should have said has its sign or is nothing, and a refund takes back at most what stood.",
    )
    COUNTED_ELSEWHERE = (
        "counted_elsewhere",
        "The line counts towards a ceiling, a voucher or an incentive; its fact is corrected, and they follow.",
    )
    MONTH_NOT_BEGUN = "month_not_begun", "A batch pays what is owed up to a month that has begun."
    BATCH_OUT_OF_ORDER = "batch_out_of_order", "A later month of the area has a batch; draw one for that or after."
    PERFORMANCE_TOO_LARGE = "performance_too_large", "The sum of one performance line is beyond the limit of the day."
    BENEFIT_IN_THE_FUTURE = "benefit_in_the_future", "A benefit is for a month that has begun."
    PERFORMANCE_IN_THE_FUTURE = "performance_in_the_future", "A performance line is for a month that has begun."
    PERFORMANCE_TOO_OLD = "performance_too_old", "The day of the performance line lies too many months back."
    PERFORMANCE_REVOKED = "performance_revoked", "The performance line is revoked already."
    PERFORMANCE_ADJUSTED = "performance_adjusted", "A dispute adjusted the performance line; it is not revoked as well."
    NOT_LISTED_THERE = "not_listed_there", "The resident was not listed with the unit on that day."
    SCHEME_NOT_IN_PRODUCTION = "scheme_not_in_production", "The unit's scheme was not in production on that day."
    NOTHING_TO_PAY = "nothing_to_pay", "Nothing is owed to residents that can be paid and is in no batch."
    BATCH_APPROVED = "batch_approved", "The batch is approved already."
    BATCH_NOT_APPROVED = "batch_not_approved", "Somebody has to approve the batch first."
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


class UnknownItem(NotFound):
    """There is no item of the suspense account with this id."""

    slug, title = "unknown-item", "There is no such item"


class UnknownModel(NotFound):
    """The area has no compensation model with this id."""

    slug, title = "unknown-model", "There is no such compensation model"


class UnknownRefund(NotFound):
    """There is no refund with this id, or it was not given to the bank."""

    slug, title = "unknown-refund", "There is no such refund"


class UnknownMeasure(NotFound):
    """There is no agreed measure with this id."""

    slug, title = "unknown-measure", "There is no such measure"


class UnknownDispute(NotFound):
    """There is no dispute with this id."""

    slug, title = "unknown-dispute", "There is no such dispute"


class UnknownProducer(NotFound):
    """Registry has told of no producer with this id in the area."""

    slug, title = "unknown-producer", "There is no such producer"


class UnknownBatch(NotFound):
    """There is no batch of payments to residents with this id."""

    slug, title = "unknown-batch", "There is no such batch"


class UnknownResidentPayment(NotFound):
    """There is no payment to a resident with this id."""

    slug, title = "unknown-resident-payment", "There is no such payment to a resident"


class UnknownPerformance(NotFound):
    """There is no decision on a performance line with this id."""

    slug, title = "unknown-performance", "There is no such performance line"


class NoAccountGiven(NotFound):
    """The resident has given no account to be paid to."""

    slug, title = "no-account-given", "The resident has given no account"


class BadBankMessage(Invalid):
    """The bank's file breaks the rule that is named, at the element that the pointer names. Nothing was booked.

    It is cut, declares entities, is of no known kind, speaks of another account or currency, or its sums disagree.
    """

    slug, title = "bad-bank-message", "The bank's file could not be read"
