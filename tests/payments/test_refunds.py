"""The municipal refund from four years of payments to the bank's answer, on a real PostgreSQL."""

import asyncio
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from functools import partial
from uuid import UUID

import psycopg
import pytest
from lxml import etree
from pydantic import ValidationError

from kanava.common.db import Pool, rows, transaction
from kanava.common.errors import Invalid, Refused
from kanava.payments import ledger
from kanava.payments.api.needs import FigureIn, RuleIn
from kanava.payments.api.refunds import DecisionIn
from kanava.payments.bank_commands import RegisterAccount
from kanava.payments.commands import PlaceFunding, TakeBankMessage
from kanava.payments.domain import chart
from kanava.payments.domain.refund import Component
from kanava.payments.errors import Reason, UnknownMeasure, UnknownRefund
from kanava.payments.refund_commands import (
    AgreeMeasure,
    ConfirmMeasure,
    ConfirmRefundAccount,
    RecordNeed,
    SetRefundRule,
)
from kanava.payments.service import needs, refunds
from kanava.payments.service.accounts import register_account
from kanava.payments.service.bank import TakenIn, take_bank_message
from kanava.payments.service.funding import place_funding
from kanava.payments.settings import PaymentsSettings
from kanava.payments.views import bank as bank_views
from kanava.payments.views import books
from kanava.payments.views import refunds as views
from tests.payments import refund_story as story
from tests.payments.bank import camt054, debit, notification, pain002
from tests.payments.refund_story import IBAN, NEW_YEAR
from tests.support import facts as told

AMOUNT = 4_000_00 * 4 // 100 // 2 + 4_000_00 * 3 // 100


async def tell(pool: Pool, content: bytes) -> TakenIn:
    """A file of the bank."""
    async with transaction(pool) as tx:
        return await take_bank_message(tx, TakeBankMessage(content), NEW_YEAR, seal=PaymentsSettings().payee_seal())


async def status(pool: Pool, refund_id: UUID) -> str:
    """How far a refund has come."""
    async with transaction(pool) as tx:
        row = await views.refund_row(tx, refund_id)
    assert row is not None
    return str(row["status"])


async def balances(pool: Pool) -> dict[str, int]:
    """The accounts of the area that are not zero; the chain and the zero sum hold."""
    async with transaction(pool) as tx:
        assert (await ledger.verify(tx, told.AREA)).broken is None
        found = {row["account"]: row["amount_cents"] for row in await books.trial_balance(tx, told.AREA)}
    assert sum(found.values()) == 0
    return {account: cents for account, cents in found.items() if cents}


async def test_a_refund_is_proposed_decided_paid_and_booked_by_three_people(pool: Pool) -> None:
    await story.four_years(pool)
    proposed = await story.propose(pool)
    steps = proposed.steps
    assert (steps.index_then, steps.index_now, steps.need_decrease_permille) == (1_000_000, 960_000, 40)
    assert (steps.need_cents, steps.measures_cents, steps.cap_cents) == (80_00, 120_00, 240_00)
    assert proposed.amount_cents == AMOUNT == 200_00
    assert "4700" not in await balances(pool), "a proposal owes nothing"
    decided = await story.decide(pool, proposed.refund_id)
    assert (decided["status"], decided["reasons"], decided["decided_by"]) == (
        "approved",
        "Perusteet täyttyvät.",
        "bertta",
    )
    assert await balances(pool) == {"1100": 4_000_00, "2300": -200_00, "3200": -4_000_00, "4700": 200_00}
    paid = await story.pay(pool, proposed.refund_id)
    assert await balances(pool) == {"1100": 4_000_00, "1190": -200_00, "3200": -4_000_00, "4700": 200_00}
    record = ("B1", paid.end_to_end_id, 200_00)
    assert (await tell(pool, camt054("M1", [record]))).booked == 1
    assert (await tell(pool, camt054("M2", [record]))).known_before == 1, "told twice it is booked once"
    assert await balances(pool) == {"1100": 3_800_00, "3200": -4_000_00, "4700": 200_00}
    assert (await tell(pool, camt054("M3", [("B2", *record[1:])]))).unmatched == 1
    suspended = {"1100": 3_600_00, "2990": 200_00, "3200": -4_000_00, "4700": 200_00}
    assert await balances(pool) == suspended, "paid a second time it waits for somebody to explain it"
    assert await status(pool, proposed.refund_id) == "booked"
    async with transaction(pool) as tx:
        assert all(row["equal"] for row in await books.sums(tx, told.AREA)), "a refund has no resident lines"


async def test_the_file_pays_the_municipality(pool: Pool) -> None:
    await story.four_years(pool)
    proposed = await story.propose(pool)
    await story.decide(pool, proposed.refund_id)
    await story.pay(pool, proposed.refund_id)
    async with transaction(pool) as tx:
        file = etree.fromstring(await views.refund_pain001(tx, proposed.refund_id) or b"")
    texts = {element.tag.rpartition("}")[2]: element.text for element in file.iter() if element.text}
    assert (texts["InstdAmt"], texts["CtrlSum"], texts["NbOfTxs"]) == ("200.00", "200.00", "1")
    assert "Espoon kaupunki" in [element.text for element in file.iter()]
    assert file.findtext(".//{*}Dbtr/{*}Nm") == "Lansi-Uudenmaan hyvinvointialue"


async def test_what_the_bank_sends_back_is_owed_again_and_paid_to_another_account(pool: Pool) -> None:
    await story.four_years(pool)
    proposed = await story.propose(pool)
    await story.decide(pool, proposed.refund_id)
    first = await story.pay(pool, proposed.refund_id)
    assert (await tell(pool, pain002("R1", [(first.end_to_end_id, 200_00)]))).rejected == 1
    assert (await balances(pool))["2300"] == -200_00
    other = ConfirmRefundAccount(proposed.refund_id, "Espoon kaupunki", "FI4950009420028730", "doris")
    async with transaction(pool) as tx:
        await refunds.confirm_refund_account(tx, other, NEW_YEAR)
    with pytest.raises(Refused) as own:
        await story.pay(pool, proposed.refund_id, by="doris")
    assert own.value.reason is Reason.SAME_PERSON
    second = await story.pay(pool, proposed.refund_id)
    assert second.end_to_end_id != first.end_to_end_id
    await tell(pool, camt054("M1", [("B1", second.end_to_end_id, 200_00)]))
    await tell(pool, camt054("M2", [("B2", second.end_to_end_id, 200_00)], returned="AC04"))
    assert await status(pool, proposed.refund_id) == "returned"
    assert await balances(pool) == {"1100": 4_000_00, "2300": -200_00, "3200": -4_000_00, "4700": 200_00}


async def test_nobody_decides_on_their_own_proposal_or_pays_what_they_decided(pool: Pool) -> None:
    await story.four_years(pool)
    proposed = await story.propose(pool)
    for step, reason in (
        (story.pay(pool, proposed.refund_id), Reason.NOT_APPROVED),
        (story.decide(pool, proposed.refund_id, by="aino"), Reason.SAME_PERSON),
    ):
        with pytest.raises(Refused) as refused:
            await step
        assert refused.value.reason is reason
    await story.decide(pool, proposed.refund_id)
    for step, reason in (
        (story.decide(pool, proposed.refund_id, approved=False, by="doris"), Reason.ALREADY_DECIDED),
        (story.pay(pool, proposed.refund_id, by="bertta"), Reason.SAME_PERSON),
        (story.pay(pool, proposed.refund_id, by="aino"), Reason.SAME_PERSON),
    ):
        with pytest.raises(Refused) as refused:
            await step
        assert refused.value.reason is reason
    await story.pay(pool, proposed.refund_id)
    with pytest.raises(Refused) as twice:
        await story.pay(pool, proposed.refund_id, by="doris")
    assert twice.value.reason is Reason.PAYMENT_OPEN


async def test_two_who_pay_at_once_pay_once(pool: Pool) -> None:
    await story.four_years(pool)
    proposed = await story.propose(pool)
    await story.decide(pool, proposed.refund_id)
    tries = [story.pay(pool, proposed.refund_id, by=f"payer-{n}") for n in range(6)]
    outcomes = await asyncio.gather(*tries, return_exceptions=True)
    refused = [one for one in outcomes if isinstance(one, Refused)]
    assert [one.reason for one in refused] == [Reason.PAYMENT_OPEN] * 5
    assert (await balances(pool))["1190"] == -200_00


async def test_a_refused_proposal_leaves_room_and_an_approved_one_none(pool: Pool) -> None:
    await story.four_years(pool)
    first = await story.propose(pool)
    second = await story.propose(pool, now=NEW_YEAR.replace(hour=10))
    await story.decide(pool, first.refund_id, approved=False)
    assert await status(pool, first.refund_id) == "refused"
    third = await story.propose(pool, now=NEW_YEAR.replace(hour=11))
    await story.decide(pool, second.refund_id)
    with pytest.raises(Refused) as decided:
        await story.decide(pool, third.refund_id)
    with pytest.raises(Refused) as proposed:
        await story.propose(pool, last_year=2026, now=NEW_YEAR.replace(year=2027))
    assert decided.value.reason is proposed.value.reason is Reason.WINDOW_OVERLAPS
    assert (await balances(pool))["4700"] == 200_00


async def test_a_proposal_needs_its_years_its_rule_and_its_figures(pool: Pool) -> None:
    await story.four_years(pool)
    early = datetime(2025, 12, 31, 21, 30, tzinfo=UTC)
    for step, reason in (
        (story.propose(pool, now=early), Reason.WINDOW_NOT_OVER),
        (story.propose(pool, last_year=2024), Reason.NO_REFUND_RULE),
        (story.propose(pool, last_year=2028, now=NEW_YEAR.replace(year=2029)), Reason.FIGURES_MISSING),
    ):
        with pytest.raises(Refused) as refused:
            await step
        assert refused.value.reason is reason
    assert refused.value.extra["components"] == list(Component)
    in_helsinki = datetime(2025, 12, 31, 22, 30, tzinfo=UTC)
    assert (await story.propose(pool, now=in_helsinki)).amount_cents == 200_00


async def test_a_corrected_figure_counts_and_others_payments_do_not(pool: Pool) -> None:
    await story.four_years(pool)
    await story.pay_in(pool, 9_000_00, datetime(2024, 6, 1, 9, tzinfo=UTC), municipality="235")
    await story.pay_in(pool, 9_000_00, datetime(2026, 1, 2, 9, tzinfo=UTC))
    await story.measure_need(pool, date(2025, 12, 31), {Component.MORBIDITY: 1050})
    steps = (await story.propose(pool)).steps
    assert steps.own_payment_cents == 4_000_00
    assert (steps.index_now, steps.need_cents, steps.amount_cents) == (1_000_000, 0, 120_00)


async def test_need_is_measured_before_it_is_recorded(pool: Pool) -> None:
    with pytest.raises(Invalid) as refused:
        await story.measure_need(pool, story.NEW_YEAR.date() + timedelta(days=1), {Component.HOUSING: 900})
    assert (refused.value.pointer, refused.value.rule) == ("/measured_on", "not_in_the_future")
    await story.measure_need(pool, story.NEW_YEAR.date(), {Component.HOUSING: 900})


async def paid_on(pool: Pool, arrived: date, booked: datetime) -> None:
    """The municipality's payment of a euro that arrived on a day and was booked at an instant."""
    command = PlaceFunding(told.AREA, "municipality", told.MUNICIPALITY, 1_00, arrived, f"{arrived}")
    async with transaction(pool) as tx:
        await place_funding(tx, command, booked)


async def test_what_arrived_in_the_four_years_counts_whenever_it_was_booked(pool: Pool) -> None:
    await story.grounds(pool)
    for arrived in (date(2021, 12, 31), date(2022, 1, 1), date(2025, 12, 31), date(2026, 1, 1)):
        await paid_on(pool, arrived, datetime(arrived.year, arrived.month, arrived.day, 9, tzinfo=UTC))
    assert (await story.propose(pool)).steps.own_payment_cents == 2_00
    await paid_on(pool, date(2025, 12, 30), datetime(2026, 1, 5, 9, tzinfo=UTC))
    assert (await story.propose(pool)).steps.own_payment_cents == 3_00, "booked after New Year, paid before it"


async def test_a_measure_counts_when_it_was_done_within_the_four_years(pool: Pool) -> None:
    await story.grounds(pool)
    edges = (date(2021, 12, 31), date(2022, 1, 1), date(2025, 12, 31), date(2026, 1, 1))
    for number, done_on in enumerate(edges):
        agree = AgreeMeasure(told.AREA, told.MUNICIPALITY, f"M{number}", 10**number, date(2021, 11, 1), "anna")
        async with transaction(pool) as tx:
            agreed = await needs.agree_measure(tx, agree, NEW_YEAR)
            await needs.confirm_measure(tx, ConfirmMeasure(agreed.measure_id, done_on, "Ptk 1", "bertta"), NEW_YEAR)
    measures = (await story.propose(pool)).steps.measures
    assert sorted(one.permille for one in measures) == [10, 30, 100]


async def test_the_next_four_years_begin_when_these_end(pool: Pool) -> None:
    await story.four_years(pool)
    await story.decide(pool, (await story.propose(pool)).refund_id)
    then = NEW_YEAR.replace(year=2030)
    async with transaction(pool) as tx:
        for component in Component:
            figure = RecordNeed(told.MUNICIPALITY, component, date(2029, 12, 31), 900, "THL", "thl")
            await needs.record_need(tx, figure, then)
    assert (await story.propose(pool, last_year=2029, now=then)).amount_cents == 0
    with pytest.raises(Refused) as overlaps:
        await story.propose(pool, last_year=2028, now=then)
    assert overlaps.value.reason is Reason.WINDOW_OVERLAPS


async def test_who_paid_nothing_gets_nothing_and_nothing_is_booked(pool: Pool) -> None:
    await story.grounds(pool)
    proposed = await story.propose(pool)
    assert (proposed.steps.need_decrease_permille, proposed.amount_cents) == (40, 0)
    assert (await story.decide(pool, proposed.refund_id))["status"] == "approved"
    assert await balances(pool) == {}
    with pytest.raises(Refused) as nothing:
        await story.pay(pool, proposed.refund_id)
    assert nothing.value.reason is Reason.NOT_APPROVED


async def test_a_measure_is_confirmed_once_by_another(pool: Pool) -> None:
    measure_id = await story.do_measure(pool, "Omahoito", 10, date(2024, 1, 1))
    for by, of, error in (
        ("doris", measure_id, Refused),
        ("anna", measure_id, Refused),
        ("doris", UUID(int=5), UnknownMeasure),
    ):
        with pytest.raises(error):
            async with transaction(pool) as tx:
                await needs.confirm_measure(tx, ConfirmMeasure(of, date(2024, 1, 2), "x", by), NEW_YEAR)


@pytest.mark.parametrize("done_on", [date(2019, 12, 31), date(2026, 1, 16)])
async def test_a_measure_is_not_done_before_it_was_agreed_on_nor_in_a_day_to_come(pool: Pool, done_on: date) -> None:
    measure_id = await story.do_measure(pool, "Omahoito", 10, None)
    with pytest.raises(Invalid) as refused:
        async with transaction(pool) as tx:
            await needs.confirm_measure(tx, ConfirmMeasure(measure_id, done_on, "x", "bertta"), NEW_YEAR)
    assert refused.value.pointer == "/done_on"


async def test_the_limit_holds_and_the_rows_stay(pool: Pool) -> None:
    await story.four_years(pool)
    proposed = await story.propose(pool)
    await story.decide(pool, proposed.refund_id)
    with pytest.raises(UnknownRefund):
        await story.decide(pool, UUID(int=1))
    for table in ("refund_rule", "need_figure", "measure_done", "refund_proposal", "refund_decision", "refund_account"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            async with transaction(pool) as tx:
                await tx.execute(f"DELETE FROM {table}")
    async with transaction(pool) as tx:
        spend = chart.payment(
            chart.EntryKind.SETTLEMENT,
            statement_id=UUID(int=1),
            producer_id=told.OWN,
            sums={"capitation": 3_900_00},
        )
        await ledger.post(tx, told.AREA, [spend], NEW_YEAR)
    with pytest.raises(Refused) as limit:
        await story.pay(pool, proposed.refund_id)
    assert limit.value.reason is Reason.OVER_THE_LIMIT
    assert await status(pool, proposed.refund_id) == "approved"


async def test_money_that_left_unexplained_does_not_pay_a_refund(pool: Pool) -> None:
    """4,000.00 were there, and the bank took 3,900.00 that nobody knows of: a refund of 200.00 does not fit."""
    await story.four_years(pool)
    proposed = await story.propose(pool)
    await story.decide(pool, proposed.refund_id)
    async with transaction(pool) as tx:
        await register_account(tx, RegisterAccount(told.AREA, IBAN, "operator"), NEW_YEAR)
    await tell(pool, notification("M1", debit("B1", ("unknown", 3_900_00))))
    with pytest.raises(Refused) as limit:
        await story.pay(pool, proposed.refund_id)
    assert limit.value.reason is Reason.OVER_THE_LIMIT
    assert await status(pool, proposed.refund_id) == "approved"


async def test_the_principle_of_a_day_is_set_once_and_a_measure_is_done_once(pool: Pool) -> None:
    await story.grounds(pool)
    measure_id = await story.do_measure(pool, "Terveyskioski", 10, date(2025, 5, 1))
    higher = SetRefundRule(replace(story.RULE, cap_permille=90), "Kannustusperiaate 2/2021", "stm")
    again = ConfirmMeasure(measure_id, date(2025, 6, 1), "Pöytäkirja 2/2025", "cecilia")
    reasons = []
    for command in (partial(needs.set_refund_rule, command=higher), partial(needs.confirm_measure, command=again)):
        with pytest.raises(Refused) as refused:
            async with transaction(pool) as tx:
                await command(tx, now=NEW_YEAR)
        reasons.append(refused.value.reason)
    assert reasons == [Reason.RULE_STANDS, Reason.ALREADY_DONE]
    async with transaction(pool) as tx:
        assert [row["cap_permille"] for row in await rows(tx, "SELECT cap_permille FROM refund_rule")] == [60]
        done = await rows(tx, "SELECT done_on FROM measure_done WHERE measure_id = %s", (measure_id,))
    assert [row["done_on"] for row in done] == [date(2025, 5, 1)]


def test_an_approval_names_the_account_and_a_refusal_none() -> None:
    named = {"payee": "Espoon kaupunki", "iban": story.IBAN}
    assert DecisionIn.model_validate({"approved": True, "reasons": "x", **named}).iban == story.IBAN
    for body in (
        {"approved": True, "reasons": "x"},
        {"approved": False, "reasons": "x", **named},
        {"approved": True, "reasons": "x", "payee": "Espoon kaupunki"},
        {"approved": True, "reasons": "", **named},
        {"approved": True, "reasons": "x", **named, "iban": "FI2112345600000786"},
    ):
        with pytest.raises(ValidationError):
            DecisionIn.model_validate(body)


def test_weights_that_are_no_whole_and_absurd_figures_are_refused() -> None:
    weights = dict.fromkeys((f"{component}_permille" for component in Component), 250)
    rule = {"valid_from": "2026-01-01", "need_share_permille": 500, "cap_permille": 60, "source": "x", **weights}
    assert RuleIn.model_validate(rule).weights() == dict.fromkeys(Component, 250)
    with pytest.raises(ValidationError, match="sum to 1000"):
        RuleIn.model_validate(rule | {"housing_permille": 251})
    figure = {"municipality": "049", "component": "housing", "measured_on": "2025-12-31", "source": "THL"}
    for value in (0, -1, 10**6):
        with pytest.raises(ValidationError):
            FigureIn.model_validate(figure | {"value_permille": value})


async def test_payments_of_refunds_add_up_with_the_books_wherever_they_are(pool: Pool) -> None:
    await story.four_years(pool)
    proposed = await story.propose(pool)
    await story.decide(pool, proposed.refund_id)
    first = await story.pay(pool, proposed.refund_id)
    assert (await added_up(pool))["open_cents"] == 200_00
    await tell(pool, pain002("R1", [(first.end_to_end_id, 200_00)]))
    assert (await added_up(pool))["rejected_cents"] == 200_00
    second = await story.pay(pool, proposed.refund_id)
    await tell(pool, camt054("M1", [("B1", second.end_to_end_id, 200_00)]))
    assert (await added_up(pool))["booked_cents"] == 200_00
    await tell(pool, camt054("M2", [("B2", second.end_to_end_id, 200_00)], returned="AC04"))
    assert (await added_up(pool))["returned_cents"] == 200_00


async def added_up(pool: Pool) -> dict[str, int]:
    """Where the area's payments are; that they add up with the books is checked."""
    async with transaction(pool) as tx:
        found = await bank_views.payments(tx, told.AREA, NEW_YEAR)
    assert found["equal"], found
    return found
