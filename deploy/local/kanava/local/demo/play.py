"""The order of the demo month, each step with its time."""

import time
from collections.abc import Awaitable, Callable
from datetime import date

from kanava.local.demo import choices, money, people, terms, visits
from kanava.local.demo.bus import wait_until_quiet
from kanava.local.demo.outcome import Table, gather
from kanava.local.demo.story import Story

Step = Callable[[Story], Awaitable[None]]


async def _october_money(story: Story) -> None:
    await money.pay_instalments(story, date(2026, 10, 1))


async def _october(story: Story) -> None:
    await money.close_month(story, "2026-10", date(2026, 11, 2))
    await money.pay_out(story, "2026-10")
    await money.pay_instalments(story, date(2026, 11, 2))


async def _november(story: Story) -> None:
    await money.close_month(story, "2026-11", date(2026, 12, 2))


async def _payout(story: Story) -> None:
    await money.pay_out(story, "2026-11")


STEPS: tuple[tuple[str, str, Step], ...] = (
    ("terms", "The organiser publishes terms; producers apply and are approved", terms.publish_terms),
    ("feed", "Residents arrive by the registration feed", people.register_everybody),
    ("production", "1 October: the scheme enters production", terms.start_production),
    ("october_money", "The state and Espoo pay the first instalments", _october_money),
    ("choices", "12 October: residents choose", choices.choose_units),
    ("early", "14 October: some try again too early", choices.try_again),
    ("october", "2 November: October is closed, approved, released", _october),
    ("late", "5 November: deaths and moves of October become known", people.tell_late_news),
    ("visits", "1 December: producers report their visits", visits.report_visits),
    ("november", "2 December: November is closed", _november),
    ("payout", "November is approved, released, and the bank answers", _payout),
)
QUIET_BEFORE = {"feed", "production", "choices", "october", "visits", "november"}
"""Steps that need every earlier fact to have arrived everywhere."""


async def play(story: Story, seconds: dict[str, float]) -> Table:
    """Play the month; times go to `seconds` by step. Gives the result for machines."""
    for name, sentence, step in STEPS:
        if name in QUIET_BEFORE:
            await _timed(seconds, f"quiet_before_{name}", wait_until_quiet(story, "the last step"))
        story.say(sentence)
        await _timed(seconds, name, step(story))
    await _timed(seconds, "quiet_at_the_end", wait_until_quiet(story, "the payout"))
    return await _result(story, seconds)


async def _result(story: Story, seconds: dict[str, float]) -> Table:
    began = time.monotonic()
    try:
        return await gather(story)
    finally:
        seconds["result"] = time.monotonic() - began


async def _timed(seconds: dict[str, float], name: str, step: Awaitable[None]) -> None:
    began = time.monotonic()
    await step
    seconds[name] = time.monotonic() - began
