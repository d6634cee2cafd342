"""What came out of the month, asked of the services at its end, and whether all of it agrees."""

from collections import Counter
from typing import Any

from kanava.common.contracts import TOPICS
from kanava.local.demo import bus
from kanava.local.demo.cast import AREA, COMPANIES
from kanava.local.demo.money import account
from kanava.local.demo.scale import Scale
from kanava.local.demo.story import Story

MONTHS = ("2026-10", "2026-11")
TIERS = {"capitation": "capitation_cents", "fee": "fee_cents", "client_fee": "client_fee_cents"}
Table = dict[str, Any]


async def gather(story: Story) -> Table:
    """The result for machines, without times and memory: the same for the same seed."""
    statements = await story.desk.get("payments", "/v1/statements", who="operator", area=AREA)
    return {
        "residents": story.found["residents"],
        "choices": story.found["choices"],
        "visits": story.found["visits"],
        "account": await _account(story),
        "producers": await _producers(story, statements),
        "statements": _statements(story, statements),
        "sums": await _sums(story),
        "books": await _books(story),
        "bus": await _bus(story),
    }


async def _account(story: Story) -> Table:
    """The area's account before and after, with every kind of movement."""
    before, after = story.found["account_before"], await account(story)
    names = ("bank_cents", "spendable_cents", "limit_cents")
    return {
        "area": AREA,
        "before": {name: before[name] for name in names},
        "after": {name: after[name] for name in names},
        "movements": after["movements"],
        "trial_balance": after["trial_balance"],
    }


async def _producers(story: Story, statements: list[Table]) -> list[Table]:
    """Money by tier from the statements, and the indicators of November from monitoring."""
    report = await story.desk.get("monitoring", "/v1/indicators", who="operator", area=AREA, month=MONTHS[-1])
    measured = {one["producer_id"]: one["values"] for one in report["producers"]}
    found = []
    for company in COMPANIES:
        tiers: Counter[str] = Counter()
        for statement in statements:
            if statement["producer_id"] == company.producer_id:
                tiers.update({name: part["amount_cents"] for name, part in statement["sums"].items()})
        values = {name: one["value"] for name, one in measured[company.producer_id].items()}
        money = {key: tiers[name] for name, key in TIERS.items()} | {"total_cents": sum(tiers.values())}
        found.append(
            {
                "producer_id": company.producer_id,
                "name": company.name,
                "kind": company.kind,
                **values,
                **money,
            }
        )
    return found


def _statements(story: Story, statements: list[Table]) -> Table:
    rows = [
        {name: one[name] for name in ("month", "producer_id", "producer", "amount_cents", "status")}
        for one in statements
    ]
    return {
        **dict(sorted(Counter(row["status"] for row in rows).items())),
        "bank": story.found["bank"],
        "each": rows,
    }


async def _sums(story: Story) -> Table:
    """The three sums in total and for every component."""
    rows = await story.desk.get("payments", f"/v1/accounts/{AREA}/sums", who="operator")
    totals = {
        name: sum(row[name] for row in rows) for name in ("lines_cents", "producers_cents", "account_cents")
    }
    return {**totals, "components": rows}


async def _books(story: Story) -> Table:
    """Whether the books balance and their chain holds."""
    verified = await story.desk.get("payments", f"/v1/accounts/{AREA}/verification", who="operator")
    balance = (await account(story))["trial_balance"]
    return {
        "balanced": bool(balance) and sum(row["amount_cents"] for row in balance) == 0,
        "chain_ok": verified["broken"] is None,
        "entries": verified["entries"],
        "broken": verified["broken"],
    }


async def _bus(story: Story) -> Table:
    """Published, received and effects for each topic and reader, and the lag of every consumer group.

    What was delivered twice is counted once, since deliveries depend on time and the result does not.
    """
    lag = await story.desk.get("monitoring", "/v1/bus/lag", who="operator")
    behind: Counter[str] = Counter()
    for one in lag["groups"]:
        behind[one["group"]] += one["lag_messages"]
    readings = await bus.look(story)
    topics = {
        topic.name: {
            "published": next(one.published for one in readings if one.topic == topic.name),
            "received": {
                one.reader: min(one.received, one.published) for one in readings if one.topic == topic.name
            },
            "effects": {one.reader: one.effects for one in readings if one.topic == topic.name},
        }
        for topic in TOPICS
        if topic.heard_by
    }
    return {"topics": topics, "lag": dict(sorted(behind.items()))}


def flaws(result: Table, scale: Scale) -> list[str]:
    """What does not agree, each in a sentence; empty when the month is sound and went as planned."""
    sums, found = result["sums"], _unplanned(result, scale)
    found += [
        f"The three sums of {row['component']} differ." for row in sums["components"] if not row["equal"]
    ]
    if (
        len({sums["lines_cents"], sums["producers_cents"], sums["account_cents"]}) != 1
        or not sums["components"]
    ):
        found.append("The three sums in total differ, or there are none.")
    if not result["books"]["balanced"]:
        found.append("The books do not balance.")
    if not result["books"]["chain_ok"]:
        found.append(f"The chain of the books is broken: {result['books']['broken']}.")
    for name, topic in result["bus"]["topics"].items():
        counts = {topic["published"], *topic["received"].values(), *topic["effects"].values()}
        if len(counts) != 1:
            found.append(f"Published, received and effects of {name} differ.")
    return found


def _unplanned(result: Table, scale: Scale) -> list[str]:
    """Counts that are not those of the plan."""
    happened, visits = result["choices"], result["visits"]
    counts = {
        "residents": (result["residents"]["listed_by_default"], scale.residents),
        "choices": (happened["made"], scale.choices),
        "choices for the full unit": (happened["refused"].get("unit_full", 0), scale.small_unit_refused),
        "choices too early": (happened["refused"].get("too_early", 0), scale.too_early),
        "accepted visits": (visits["accepted"], scale.visits - scale.broken),
        "doubled rows": (visits["doubled"], scale.doubled),
        "rejected rows": (visits["rejected"], scale.broken),
    }
    return [
        f"There are {found:,} {what} instead of {planned:,}."
        for what, (found, planned) in counts.items()
        if found != planned
    ]
