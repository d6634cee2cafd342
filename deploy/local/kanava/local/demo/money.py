"""Money in, months closed, statements approved by one person and released by another, and what the bank says."""

import asyncio
import time
from datetime import date
from typing import Any

from kanava.local import bank
from kanava.local.demo.cast import AREA, MUNICIPALITY, PRIVATE
from kanava.local.demo.story import Story, at
from kanava.local.problems import PlatformProblem

EVENING = 20
RUN_SECONDS, PAUSE_SECONDS = 300.0, 0.2
REJECTED = PRIVATE[2]
"""The producer whose account the bank finds closed."""


async def pay_instalments(story: Story, day: date) -> None:
    """The state and the municipality pay an instalment into the area's account."""
    if "account_before" not in story.found:
        story.found["account_before"] = await account(story)
    for payer, cents in (
        ("state", story.scale.state_cents_per_resident),
        ("municipality", story.scale.municipal_cents_per_resident),
    ):
        told: dict[str, Any] = {
            "area": AREA, "payer": payer, "amount_cents": cents * story.scale.residents,
            "received_on": str(day), "reference": f"{payer} {day:%Y-%m}",
        }  # fmt: skip
        told |= {"municipality": MUNICIPALITY} if payer == "municipality" else {}
        await story.desk.post("payments", "/v1/funding", told, who="operator")


async def account(story: Story) -> dict[str, Any]:
    """The area's account as it is now."""
    found: dict[str, Any] = await story.desk.get("payments", f"/v1/accounts/{AREA}", who="operator")
    return found


async def close_month(story: Story, month: str, day: date) -> None:
    """On the evening of a day, close a month and wait for its run."""
    await story.move_clock(at(day, EVENING))
    told = {"area": AREA, "month": month}
    run = await story.desk.post("payments", "/v1/runs", told, who="operator")
    until = time.monotonic() + RUN_SECONDS
    while run["status"] != "closed":
        if run["status"] == "failed" or time.monotonic() > until:
            why = run.get("problem") or "it took too long"
            raise PlatformProblem(
                f"The run of {month} did not close: {why}. Look at `./kanava logs payments-1`."
            )
        await asyncio.sleep(PAUSE_SECONDS)
        run = await story.desk.get("payments", f"/v1/runs/{run['run_id']}", who="operator")


async def pay_out(story: Story, month: str) -> None:
    """One person approves the month's statements, another releases them, and the bank answers."""
    told = {"area": AREA, "month": month}
    await story.desk.post("payments", "/v1/approvals", told, who="operator-approver")
    paid = await story.desk.post("payments", "/v1/payouts", {"area": AREA}, who="operator-releaser")
    assert not paid["held"], f"a statement of {month} was held: {paid['held']}"
    if paid["to_bank"]:
        await _ask_bank(story, paid["payout_id"])


async def _ask_bank(story: Story, payout_id: str) -> None:
    """Give the pain.001 file to the bank and take in its answers."""
    path = f"/v1/payouts/{payout_id}/pain.001"
    pain001 = await story.desk.download("payments", path, who="operator-releaser")
    answers = bank.answer(pain001, closed={REJECTED.iban or ""}, number=await _next_number(story))
    for content in filter(None, (answers.camt054, answers.pain002)):
        taken = await story.desk.upload(
            "payments", "/v1/bank/messages", content, "application/xml", who="operator"
        )
        assert not taken["unmatched"], "the bank spoke of a payment that nobody knows"
    story.found["bank"] = {"booked": answers.booked, "rejected": answers.rejected}


async def _next_number(story: Story) -> int:
    """The number of the bank's next notification; a platform that was played on before has taken some in."""
    found = await story.desk.get("payments", f"/v1/accounts/{AREA}/bank", who="operator")
    return max((number for one in found["accounts"] for number in (one["last_numbers"] or {}).values()), default=0) + 1
