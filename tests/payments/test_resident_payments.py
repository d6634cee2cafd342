"""Payments to residents on a real PostgreSQL: from what is owed to the bank's answer, whatever that is."""

import asyncio
import contextlib
import random
from datetime import date

import psycopg
import pytest
from lxml import etree

from kanava.common.db import Pool, one, rows, transaction
from kanava.common.errors import Refused
from kanava.payments.errors import Reason
from kanava.payments.scope import within
from kanava.payments.service.resident_accounts import hold_accounts
from kanava.payments.views import bank as bank_views
from kanava.payments.views import ceilings
from kanava.payments.views import resident_payments as views
from kanava.payments.views.trial_balance import clearing as clearing_accounts
from tests.payments import bank, clearing, story
from tests.payments import resident_story as steps
from tests.payments.bank import back, camt054, debit, notification, pain002
from tests.payments.resident_story import DECEMBER, IBANS, NOVEMBER
from tests.support import facts as told
from tests.support.facts import at, resident, resident_id, visit
from tests.support.schemas import schema_errors

FUNDED = steps.FUNDED


async def test_a_batch_is_drawn_approved_released_by_another_and_booked_once(pool: Pool) -> None:
    await steps.two_owed(pool)
    drawn = await steps.draw(pool)
    assert (drawn.number, drawn.payments, drawn.amount_cents, drawn.waiting) == (1, 2, 65_00, {})
    assert await steps.of_resident(pool, 1) == [("E-1", 0, 40_00, 0)], "in a batch it is no longer only owed"
    with pytest.raises(Refused) as early:
        await steps.release(pool, drawn.batch_id)
    assert early.value.reason is Reason.BATCH_NOT_APPROVED
    approved = await steps.approve(pool, drawn.batch_id)
    assert (approved.payments, approved.amount_cents, approved.to_confirm) == (2, 65_00, 0)
    own = await steps.release(pool, drawn.batch_id, by="anna")
    assert ({held.reason for held in own.held}, own.payout_id) == ({"approved_by_the_same"}, None)
    assert own.held_payments == 2
    released = await steps.release(pool, drawn.batch_id)
    assert (released.payments, released.amount_cents, released.held) == (2, 65_00, [])
    assert await steps.balances(pool) == {"1100": FUNDED, "1190": -65_00, "3100": -FUNDED, "4600": 65_00}
    sent = await steps.open_payments(pool)
    entries = [debit(f"B{place}", (name, cents)) for place, (name, cents) in enumerate(sent.items())]
    assert (await clearing.take(pool, notification("M1", *entries))).booked == 2
    assert (await clearing.take(pool, notification("M2", *entries))).known_before == 2, "told twice it is booked once"
    assert await steps.balances(pool) == {"1100": FUNDED - 65_00, "3100": -FUNDED, "4600": 65_00}
    assert await steps.of_resident(pool, 1) == [("E-1", 40_00, 0, 0)]
    async with transaction(pool) as tx:
        (payment,) = await views.to_resident(tx, resident_id(1))
        (batch,) = await views.batches(tx, told.AREA, before=100, limit=10)
        assert await clearing_accounts(tx, told.AREA, date(2026, 12, 31)) == [], "nothing is left on its way"
    assert (payment["state"], payment["amount_cents"], payment["benefits_cents"]) == ("booked", 40_00, 40_00)
    assert batch["states"] == {"booked": {"payments": 2, "amount_cents": 65_00}}
    with pytest.raises(Refused) as nothing:
        await steps.draw(pool)
    assert nothing.value.reason is Reason.NOTHING_TO_PAY


async def test_the_file_pays_the_accounts_and_says_nothing_of_the_benefit(pool: Pool) -> None:
    await steps.two_owed(pool)
    released = await steps.pay(pool)
    content = await steps.file(pool, released.payout_id)
    assert schema_errors(content) == []
    root = etree.fromstring(content)
    found = {name: [one.text for one in root.iterfind(f".//{{*}}{name}")] for name in ("IBAN", "EndToEndId", "Ustrd")}
    assert set(found["IBAN"]) == {story.DEBTOR, *IBANS[:2]}
    assert all(len(name or "") <= 35 for name in found["EndToEndId"])
    assert set(found["Ustrd"]) == {"Maksu asukkaalle 11/2026"}
    assert root.findtext(".//{*}CtrlSum") == "65.00"
    assert root.findtext(".//{*}Dbtr/{*}Nm") == "Lansi-Uudenmaan hyvinvointialue"
    assert root.findtext(".//{*}ReqdExctnDt/{*}Dt") == "2026-12-03"
    assert b"travel" not in content


async def test_of_sixty_and_sixty_against_a_hundred_one_is_paid_and_the_other_when_there_is_money(pool: Pool) -> None:
    await story.fund(pool, 100_00, at(11, 1))
    for number in (1, 2):
        await steps.decide(pool, number, 60_00)
        await steps.give(pool, number)
    drawn = await steps.draw(pool)
    await steps.approve(pool, drawn.batch_id)
    first = await steps.release(pool, drawn.batch_id)
    assert (first.payments, [held.reason for held in first.held]) == (1, ["over_the_limit"])
    assert (await steps.release(pool, drawn.batch_id)).payments == 0
    await story.fund(pool, 20_00, at(12, 1), reference="2/12")
    second = await steps.release(pool, drawn.batch_id)
    assert (second.payments, second.held) == (1, [])
    assert second.payout_id not in (None, first.payout_id)
    assert (await steps.balances(pool))["1190"] == -120_00


async def test_rejected_or_returned_it_is_owed_again_with_its_age_and_paid_in_the_next_batch(pool: Pool) -> None:
    await steps.two_owed(pool)
    await steps.pay(pool)
    by_cents = {cents: name for name, cents in (await steps.open_payments(pool)).items()}
    assert (await clearing.take(pool, pain002("R1", [(by_cents[40_00], 40_00)]))).rejected == 1
    assert (await clearing.take(pool, pain002("R1", [(by_cents[40_00], 40_00)]))).rejected == 0
    await clearing.take(pool, camt054("M1", [("B1", by_cents[25_00], 25_00)]))
    await clearing.take(pool, notification("M2", back("B2", by_cents[25_00], 25_00)))
    again = await steps.listed(pool, at(12, 13))
    assert [(row["owed_cents"], row["age_days"], row["has_account"]) for row in again] == [
        (40_00, 10, True),
        (25_00, 10, True),
    ]
    assert await steps.balances(pool) == {"1100": FUNDED, "2400": -65_00, "3100": -FUNDED, "4600": 65_00}
    released = await steps.pay(pool)
    assert (released.payments, released.amount_cents) == (2, 65_00)
    sent = await steps.open_payments(pool)
    assert not sent.keys() & set(by_cents.values()), "another payment has another end-to-end id"


async def test_answers_out_of_order_and_a_whole_file_rejected_end_where_they_should(pool: Pool) -> None:
    await steps.two_owed(pool)
    released = await steps.pay(pool)
    by_cents = {cents: name for name, cents in (await steps.open_payments(pool)).items()}
    returned = notification("M1", back("B2", by_cents[40_00], 40_00))
    assert (await clearing.take(pool, returned)).unmatched == 1, "a return before its booking waits"
    assert (await clearing.take(pool, camt054("M2", [("B1", by_cents[40_00], 40_00)]))).explained == 1
    assert await clearing.queue(pool) == []
    assert released.payout_id is not None
    whole = pain002("R1", [], original=released.payout_id.hex, group="RJCT")
    assert (await clearing.take(pool, whole)).rejected == 1, "what the bank had not booked"
    assert await steps.balances(pool) == {"1100": FUNDED, "2400": -65_00, "3100": -FUNDED, "4600": 65_00}
    assert await steps.of_resident(pool, 1) == [("E-1", 0, 0, 40_00)]


async def test_the_bank_may_book_a_file_as_one_sum(pool: Pool) -> None:
    await steps.two_owed(pool)
    released = await steps.pay(pool)
    assert released.payout_id is not None
    entry = debit("B1", cents=65_00, batch=released.payout_id.hex)
    assert (await clearing.take(pool, notification("M1", entry))).booked == 2
    assert await steps.balances(pool) == {"1100": FUNDED - 65_00, "3100": -FUNDED, "4600": 65_00}


async def test_who_has_no_account_stays_owed_and_is_listed_with_the_age(pool: Pool) -> None:
    await steps.two_owed(pool)
    await steps.decide(pool, 3, 12_00, now=at(11, 3))
    drawn = await steps.draw(pool)
    assert (drawn.payments, drawn.waiting, drawn.waiting_cents) == (2, {"no_account": 1}, {"no_account": 12_00})
    (waiting,) = await steps.listed(pool, without_account=True)
    assert (waiting["payee_id"], waiting["owed_cents"], waiting["age_days"]) == (resident_id(3), 12_00, 30)
    await steps.give(pool, 3)
    assert (await steps.draw(pool)).amount_cents == 12_00, "the next batch has only what is in none"
    assert await steps.listed(pool) == []


async def test_a_matter_is_as_old_as_the_first_cent_that_is_still_owed(pool: Pool) -> None:
    """10.00 € since 3 November and 5.00 € more since the 13th; once the first are paid, the rest is younger."""
    await story.fund(pool, FUNDED, at(11, 1))
    await steps.give(pool, 1)
    await steps.decide(pool, 1, 10_00, now=at(11, 3))
    await steps.decide(pool, 1, 15_00, now=at(11, 13))
    assert [row["age_days"] for row in await steps.listed(pool)] == [30]
    await steps.draw(pool)
    await steps.decide(pool, 1, 18_00, now=at(11, 23))
    await steps.decide(pool, 1, 19_00, now=at(11, 28))
    assert [(row["owed_cents"], row["age_days"]) for row in await steps.listed(pool)] == [(4_00, 10)]


async def test_the_dead_are_not_paid(pool: Pool) -> None:
    await steps.two_owed(pool)
    gone = resident(1, version=2, what="died", lives_until=date(2026, 11, 20), recorded_at=at(11, 21))
    await story.hear(pool, "listing.resident", resident(1), gone)
    drawn = await steps.draw(pool)
    assert (drawn.payments, drawn.waiting) == (1, {"died": 1})
    assert [row["died"] for row in await steps.listed(pool)] == [True]


async def test_from_the_first_day_without_the_resident_nothing_is_paid(pool: Pool) -> None:
    """Batches are drawn on 3 December: one resident is there no more from that day on, the other from the next."""
    await steps.two_owed(pool)
    for number, day in ((1, 3), (2, 4)):
        gone = resident(number, version=2, what="died", lives_until=date(2026, 12, day), recorded_at=at(12, 2))
        await story.hear(pool, "listing.resident", resident(number), gone)
    drawn = await steps.draw(pool)
    assert (drawn.payments, drawn.waiting) == (1, {"died": 1})
    assert {row["payee_id"]: row["died"] for row in await steps.listed(pool)} == {resident_id(1): True}


@pytest.mark.parametrize("why", ["limit", "unexplained debit"])
@pytest.mark.parametrize(("above_cents", "payments"), [(0, 2), (1, 1)])
async def test_a_release_leaves_the_limit_and_what_the_bank_took(
    pool: Pool, why: str, above_cents: int, payments: int
) -> None:
    """65.00 € fit to the cent above the area's limit, or beside money that left and nobody can explain."""
    await steps.two_owed(pool)
    kept_cents = FUNDED - 65_00 + above_cents
    if why == "limit":
        await story.set_limit(pool, kept_cents, at(12, 2))
    else:
        async with transaction(pool) as tx:
            await tx.execute("INSERT INTO area_account VALUES (%s, '03', 'operator', %s)", (bank.IBAN, at(10, 1)))
        await clearing.take(pool, notification("M1", debit("B1", ("unknown", kept_cents))))
    released = await steps.pay(pool)
    assert (released.payments, len(released.held)) == (payments, 2 - payments)


async def test_on_the_eighteenth_birthday_a_child_is_paid_itself(pool: Pool) -> None:
    await steps.two_owed(pool)
    for number, day in ((1, 3), (2, 4)):
        child = resident(number, date(2008, 12, day)).model_copy(update={"guardian_id": resident_id(3)})
        await story.hear(pool, "listing.resident", child)
    await steps.give(pool, 3)
    drawn = await steps.draw(pool)
    assert set(await steps.items(pool, drawn.batch_id)) == {resident_id(1), resident_id(3)}


async def test_an_account_that_changed_after_the_approval_stops_the_payment_until_it_is_confirmed(pool: Pool) -> None:
    await steps.two_owed(pool)
    drawn = await steps.draw(pool)
    await steps.approve(pool, drawn.batch_id)
    assert (await steps.give(pool, 1, IBANS[2])).account_number == 2
    item_id = (await steps.items(pool, drawn.batch_id))[resident_id(1)]["item_id"]
    first = await steps.release(pool, drawn.batch_id)
    assert (first.payments, [(held.item_id, held.reason) for held in first.held]) == (1, [(item_id, "account_changed")])
    for number, reason in ((1, Reason.NOTHING_TO_CONFIRM), (3, Reason.ACCOUNT_DIFFERS)):
        with pytest.raises(Refused) as refused:
            await steps.confirm(pool, item_id, number)
        assert refused.value.reason is reason
    await steps.confirm(pool, item_id, 2)
    own = await steps.release(pool, drawn.batch_id, by="cecilia")
    assert [held.reason for held in own.held] == ["confirmed_by_the_same"]
    second = await steps.release(pool, drawn.batch_id)
    assert second.payments == 1
    content = await steps.file(pool, second.payout_id)
    assert IBANS[2].encode() in content
    assert f"<CdtrAcct><Id><IBAN>{IBANS[0]}".encode() not in content


async def test_an_account_that_an_adviser_gave_is_confirmed_before_it_is_paid_to_and_then_known(pool: Pool) -> None:
    await steps.two_owed(pool)
    await steps.give(pool, 2, IBANS[2], role="adviser", mandate="Suullinen valtuutus 1.12.")
    drawn = await steps.draw(pool)
    assert (await steps.approve(pool, drawn.batch_id)).to_confirm == 1
    first = await steps.release(pool, drawn.batch_id)
    assert [(held.amount_cents, held.reason) for held in first.held] == [(25_00, "account_changed")]
    await steps.confirm(pool, first.held[0].item_id, 2)
    assert (await steps.release(pool, drawn.batch_id)).payments == 1
    await steps.decide(pool, 2, 5_00, reference="E-9")
    later = await steps.draw(pool)
    assert (await steps.approve(pool, later.batch_id)).to_confirm == 0, "it is confirmed once"
    own = await steps.release(pool, later.batch_id, by="cecilia")
    assert [held.reason for held in own.held] == ["confirmed_by_the_same"], "who confirmed it never releases to it"


async def test_a_decision_lowered_before_the_release_withdraws_the_payment_and_after_it_is_set_off(pool: Pool) -> None:
    await steps.two_owed(pool)
    drawn = await steps.draw(pool)
    await steps.approve(pool, drawn.batch_id)
    await steps.decide(pool, 1, 30_00)
    released = await steps.release(pool, drawn.batch_id)
    assert (released.amount_cents, [held.reason for held in released.held]) == (25_00, ["less_is_owed"])
    assert (await steps.pay(pool)).amount_cents == 30_00
    await steps.decide(pool, 1, 20_00)
    assert await steps.of_resident(pool, 1) == [("E-1", 0, 30_00, -10_00)]
    assert [(row["owed_cents"], row["age_days"]) for row in await steps.listed(pool)] == [(-10_00, None)]
    with pytest.raises(Refused) as nothing:
        await steps.draw(pool)
    assert (nothing.value.reason, nothing.value.extra["waiting"]) == (Reason.NOTHING_TO_PAY, {"overpaid": 1})
    await steps.decide(pool, 1, 15_00, reference="E-9")
    assert (await steps.pay(pool)).amount_cents == 5_00, "what was paid too much is set off"
    assert "2400" not in await steps.balances(pool)


async def test_the_ceiling_and_a_childs_benefit_are_paid_to_the_guardian_in_one_payment(pool: Pool) -> None:
    await story.open_area(pool)
    child = resident(2, date(2015, 1, 1), guardian_id=resident_id(1))
    await story.hear(pool, "listing.resident", resident(1), child)
    fees = [visit(n, n % 2 + 1, date(2026, 10, n), recorded_at=at(10, 20), fee_cents=300_00) for n in (1, 2, 3)]
    await story.hear(pool, "monitoring.production", *fees)
    await story.close(pool, date(2026, 10, 1), at(11, 2))
    await story.fund(pool, FUNDED, at(11, 3))
    await steps.decide(pool, 2, 10_00)
    await steps.give(pool, 1)
    released = await steps.pay(pool)
    assert (released.payments, released.amount_cents) == (1, 85_00 + 10_00)
    async with transaction(pool) as tx:
        (payment,) = await views.to_resident(tx, resident_id(1))
        assert await views.to_resident(tx, resident_id(2)) == []
    assert (payment["benefits_cents"], payment["ceiling_cents"], payment["state"]) == (10_00, 85_00, "released")
    assert await steps.of_resident(pool, 2) == [("E-2", 0, 10_00, 0)], "the child sees its own benefit"
    async with transaction(pool) as tx:
        (fees_of_2026,) = await ceilings.of_family(tx, resident_id(1))
    item = (await steps.items(pool, released.batch_id))[resident_id(1)]
    assert [fees_of_2026[name] for name in ("claimed_cents", "in_payment_cents", "owed_cents")] == [85_00, 85_00, 0]
    assert [(part["source"], part["matter"], part["amount_cents"]) for part in item["parts"]] == [
        ("benefit", "E-2", 10_00),
        ("ceiling", "2026", 85_00),
    ]
    assert "2400" not in await steps.balances(pool)


async def test_what_is_granted_for_a_later_month_waits_for_its_batch(pool: Pool) -> None:
    await steps.two_owed(pool)
    await steps.decide(pool, 1, 7_00, reference="E-8", month=DECEMBER)
    assert (await steps.draw(pool)).amount_cents == 65_00
    assert (await steps.draw(pool, DECEMBER)).amount_cents == 7_00
    for month, reason in ((NOVEMBER, Reason.BATCH_OUT_OF_ORDER), (date(2027, 1, 1), Reason.MONTH_NOT_BEGUN)):
        with pytest.raises(Refused) as refused:
            await steps.draw(pool, month)
        assert refused.value.reason is reason


async def test_two_who_draw_approve_or_release_at_once_pay_once(pool: Pool) -> None:
    await steps.two_owed(pool)
    tries = await asyncio.gather(*(steps.draw(pool) for _ in range(4)), return_exceptions=True)
    (drawn,) = [one for one in tries if not isinstance(one, BaseException)]
    assert {one.reason for one in tries if isinstance(one, Refused)} == {Reason.NOTHING_TO_PAY}
    approvals = await asyncio.gather(
        *(steps.approve(pool, drawn.batch_id, f"a{n}") for n in range(3)), return_exceptions=True
    )
    assert [one.reason for one in approvals if isinstance(one, Refused)] == [Reason.BATCH_APPROVED] * 2
    releases = await asyncio.gather(*(steps.release(pool, drawn.batch_id, f"r{n}") for n in range(3)))
    assert sorted(one.payments for one in releases) == [0, 0, 2]
    assert sum((await steps.open_payments(pool)).values()) == 65_00


async def test_the_database_too_wants_four_eyes_and_lets_nothing_be_changed(pool: Pool) -> None:
    await steps.two_owed(pool)
    released = await steps.pay(pool)
    file = (
        "INSERT INTO resident_file SELECT gen_random_uuid(), batch_id, area, released_by, released_by, sealed, key_id"
        " FROM resident_file"
    )
    with pytest.raises(psycopg.errors.CheckViolation):
        async with transaction(pool) as tx:
            await tx.execute(file)
    for table in ("resident_account", "resident_batch", "resident_item", "resident_part", "resident_step"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            async with transaction(pool) as tx:
                await tx.execute(f"DELETE FROM {table}")
    assert released.payments == 2


async def test_no_account_changes_between_the_selection_and_the_file(pool: Pool) -> None:
    """A release holds the accounts: a change waits for its commit, and comes after the file."""
    await steps.two_owed(pool)
    drawn = await steps.draw(pool)
    await steps.approve(pool, drawn.batch_id)
    async with transaction(pool) as tx:
        await hold_accounts(tx)
        change = asyncio.create_task(steps.give(pool, 1, IBANS[2]))
        _, waiting = await asyncio.wait({change}, timeout=0.5)
        assert waiting == {change}, "the change waits for the file"
    assert (await change).account_number == 2


async def test_an_alarm_is_raised_where_the_books_owe_another_sum(pool: Pool) -> None:
    await steps.two_owed(pool)
    await steps.pay(pool)
    async with transaction(pool) as tx:
        assert [one["alarm"] for one in await bank_views.alarms(tx, at(12, 9))] == []
        await tx.execute(
            "INSERT INTO benefit_decision SELECT area, 'F-1', 1, resident_id, kind, for_month, 1, 1, reasons,"
            " decided_by, decided_at FROM benefit_decision LIMIT 1"
        )
        found = await bank_views.alarms(tx, at(12, 9))
    assert [(one["alarm"], one["area"]) for one in found] == [("owed_to_residents_differs", told.AREA)]


@pytest.mark.parametrize("seed", range(4))
async def test_however_decisions_batches_and_the_bank_alternate_every_cent_is_owed_or_paid_once(
    pool: Pool, seed: int
) -> None:
    chance = random.Random(seed)
    await story.fund(pool, 300_00, at(11, 1))
    holds: dict[str, tuple[int, int]] = {}
    for turn in range(12):
        for _ in range(3):
            number = chance.randint(1, 5)
            matter = f"E-{number}-{chance.randint(1, 2)}"
            holds[matter] = (number, chance.choice((0, 10_00, 25_00, 40_00)))
            await steps.decide(pool, number, holds[matter][1], reference=matter)
        if chance.random() < 0.6:
            await steps.give(pool, chance.randint(1, 5), chance.choice(IBANS))
        with contextlib.suppress(Refused):  # nothing is owed that can be paid; the sums below say whether that is so
            await steps.pay(pool)
        for name, cents in (await steps.open_payments(pool)).items():
            answer = chance.choice(("booked", "rejected", "returned", "later"))
            if answer in ("booked", "returned"):
                await clearing.take(pool, camt054(f"M{turn}{name}", [(f"B{name}", name, cents)]))
            if answer == "returned":
                await clearing.take(pool, notification(f"N{turn}{name}", back(f"C{name}", name, cents)))
            if answer == "rejected":
                await clearing.take(pool, pain002(f"R{turn}{name}", [(name, cents)]))
        await steps.balances(pool)
    for number in range(1, 6):
        shown = {row[0]: sum(row[1:]) for row in await steps.of_resident(pool, number)}
        assert shown == {matter: cents for matter, (whose, cents) in holds.items() if whose == number}
    async with transaction(pool) as tx:
        row = await one(tx, "SELECT min(spendable_cents) AS cents FROM book")
    assert row is not None
    assert row["cents"] >= 0
    assert bank.IBAN == story.DEBTOR


async def test_batches_of_another_area_are_invisible(pool: Pool) -> None:
    await steps.two_owed(pool)
    await steps.pay(pool)
    tables = ("resident_batch", "resident_item", "resident_part", "resident_step", "resident_file", "payment")
    query = " UNION ALL ".join(f"SELECT '{name}' AS name, count(*)::int AS n FROM {name}" for name in tables)
    seen = []
    for area in (told.AREA, "05"):
        async with within(pool, area) as tx:
            seen.append({row["name"]: row["n"] for row in await rows(tx, query)})
    assert seen[0] == dict.fromkeys(tables, 2) | {"resident_batch": 1, "resident_file": 1}
    assert seen[1] == dict.fromkeys(tables, 0)
