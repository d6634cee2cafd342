"""When a choice takes effect, and when the next one is free."""

from calendar import monthrange
from datetime import date, timedelta


def effect_date(notice_on: date, days_to_effect: int) -> date:
    """The day on which a choice noticed on `notice_on` takes effect.

    The first of the next month if that is within `days_to_effect` of the notice, otherwise the last day of
    that time (21 days in the current law: Health Care Act 1326/2010, section 48).
    """
    next_first = _months_later(notice_on.replace(day=1), 1)
    latest = notice_on + timedelta(days=days_to_effect)
    return min(next_first, latest)


def next_choice_from(chosen_on: date, months_between: int) -> date:
    """The first day of a new choice: so many months after the notice of the last one, or the month's last
    day."""
    return _months_later(chosen_on, months_between)


def _months_later(day: date, months: int) -> date:
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))
