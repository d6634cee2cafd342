"""No cent is corrected twice: disputes, revocations and facts that meet on one line, on a real PostgreSQL."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime
from uuid import UUID

import httpx
import pytest

from kanava.common.db import Pool, transaction
from kanava.common.errors import Refused
from kanava.payments.commands import DecideDispute
from kanava.payments.domain.disputes import Remedy
from kanava.payments.errors import Reason
from kanava.payments.main import create_app
from kanava.payments.service.disputes import decide_dispute
from kanava.payments.service.performance import RevokePerformance, revoke_performance
from kanava.payments.settings import PaymentsSettings
from tests.payments import dispute_story
from tests.payments.dispute_story import adjust, adjusted, cents, contest, find, key_of
from tests.payments.test_performance import close, decide, open_area, revoke, wanted
from tests.payments.test_statement_api import Api, Names, Stopped, contested
from tests.support.facts import at

NOVEMBER, DECEMBER, JANUARY = date(2026, 11, 1), date(2026, 12, 1), date(2027, 1, 1)
IN_JANUARY = datetime(2027, 1, 10, 9, tzinfo=UTC)


async def performed(pool: Pool, amount_cents: int = 120_00) -> UUID:
    """November closed with a performance line; its decision's id."""
    await open_area(pool)
    decided = await decide(pool, wanted(amount_cents), at(11, 20))
    await close(pool, NOVEMBER)
    return decided.performance_id


async def test_an_adjusted_performance_line_is_not_revoked_as_well(pool: Pool) -> None:
    """120.00 should have been 100.00, says the dispute; who revokes the whole line too would take 20.00 twice."""
    performance_id = await performed(pool)
    await adjusted(pool, await find(pool, NOVEMBER, "performance"), 100_00, at(12, 10))
    for now, month in ((at(12, 11), DECEMBER), (IN_JANUARY, JANUARY)):
        with pytest.raises(Refused) as refused:
            await revoke(pool, performance_id, now)
        assert refused.value.reason is Reason.PERFORMANCE_ADJUSTED
        await close(pool, month)
    assert await cents(pool, "performance", "adjustment") == 100_00
    await dispute_story.assert_whole(pool)


async def test_a_revoked_performance_line_is_not_adjusted_as_well(pool: Pool) -> None:
    """Revoked while the case was open: the next run takes all of it back, so the case cannot take a part of it."""
    performance_id = await performed(pool)
    line = await find(pool, NOVEMBER, "performance")
    dispute_id = await contest(pool, line, at(12, 10))
    await revoke(pool, performance_id, at(12, 11))
    with pytest.raises(Refused) as before:
        await adjust(pool, dispute_id, line, 100_00, at(12, 12))
    await close(pool, DECEMBER)
    with pytest.raises(Refused) as after:
        await adjust(pool, dispute_id, line, 100_00, IN_JANUARY)
    assert (before.value.reason, after.value.reason) == (Reason.LINE_REVOKED, Reason.LINE_REVOKED)
    await close(pool, JANUARY)
    assert await cents(pool, "performance") == await cents(pool, "adjustment") == 0
    await dispute_story.assert_whole(pool)


async def test_who_decided_on_a_performance_line_does_not_adjust_it(pool: Pool) -> None:
    """As nobody revokes their own: otherwise a dispute would be a way around the second pair of eyes."""
    await performed(pool)
    line = await find(pool, NOVEMBER, "performance")
    dispute_id = await contest(pool, line, at(12, 10))
    with pytest.raises(Refused) as refused:
        await adjust(pool, dispute_id, line, 900_00, at(12, 11), by="aino")
    assert refused.value.reason is Reason.SAME_PERSON
    await adjust(pool, dispute_id, line, 100_00, at(12, 11))
    await close(pool, DECEMBER)
    assert await cents(pool, "performance", "adjustment") == 100_00


async def test_of_a_revocation_and_an_adjustment_at_once_one_is_refused(pool: Pool) -> None:
    """Both look before either has written: whoever comes second waits, and then sees the first."""
    performance_id = await performed(pool)
    line = await find(pool, NOVEMBER, "performance")
    dispute_id = await contest(pool, line, at(12, 10))
    holds = ((key_of(line), 100_00),)
    accepted = DecideDispute(dispute_id, True, "Perustelut on annettu.", "cecilia", Remedy.PAYMENTS, holds)
    async with transaction(pool) as tx:
        await decide_dispute(tx, accepted, at(12, 11))
        late = asyncio.create_task(revoke(pool, performance_id, at(12, 11)))
        done, _ = await asyncio.wait([late], timeout=0.5)
        assert not done, "it waits for the one that came first"
    with pytest.raises(Refused) as refused:
        await late
    assert refused.value.reason is Reason.PERFORMANCE_ADJUSTED
    await close(pool, DECEMBER)
    assert await cents(pool, "performance", "adjustment") == 100_00


async def test_of_an_adjustment_and_a_revocation_at_once_one_is_refused(pool: Pool) -> None:
    performance_id = await performed(pool)
    line = await find(pool, NOVEMBER, "performance")
    dispute_id = await contest(pool, line, at(12, 10))
    async with transaction(pool) as tx:
        await revoke_performance(tx, RevokePerformance(performance_id, "Tarve ei kasvanut.", "bertta"), at(12, 11))
        late = asyncio.create_task(adjust(pool, dispute_id, line, 100_00, at(12, 11)))
        done, _ = await asyncio.wait([late], timeout=0.5)
        assert not done, "it waits for the one that came first"
    with pytest.raises(Refused) as refused:
        await late
    assert refused.value.reason is Reason.LINE_REVOKED
    await close(pool, DECEMBER)
    assert await cents(pool, "performance", "adjustment") == 0


@pytest.fixture
async def api(pool: Pool) -> AsyncIterator[Api]:
    """Payments on 10 December 2026, without bus."""
    app = create_app(PaymentsSettings())
    app.state.pool, app.state.clock, app.state.verifier = pool, Stopped(), Names()
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://payments") as client:
        yield Api(client)


async def test_the_second_correction_is_a_conflict_that_names_its_reason(api: Api, pool: Pool) -> None:
    """From the line on the statement to the outcome, as producer and organiser see it."""
    performance_id = await performed(pool)
    shown = (await api.get("producer", "/v1/statements?area=03")).json()[0]
    lines = (await api.get("producer", f"/v1/statements/{shown['statement_id']}/lines")).json()["lines"]
    line = contested(next(line for line in lines if line["component"] == "performance"))
    body = {"lines": [line], "reason": "Tarve oli pienempi."}
    case = (await api.post("producer", f"/v1/statements/{shown['statement_id']}/disputes", body)).json()["dispute_id"]
    verdict = {"outcome": "accepted", "reasons": "Oikaistaan sovitusti.", "remedy": "payments"}
    turned = await api.post(
        "organiser", f"/v1/disputes/{case}/decision", verdict | {"holds": [line | {"holds_cents": -1}]}
    )
    assert (turned.status_code, turned.json()["reason"]) == (409, "holds_turn_the_line")
    accepted = await api.post(
        "organiser", f"/v1/disputes/{case}/decision", verdict | {"holds": [line | {"holds_cents": 100_00}]}
    )
    assert accepted.status_code == 200, "what was refused left the case open"
    (became,) = (await api.get("producer", f"/v1/disputes/{case}")).json()["contested"]
    assert (became["became"], became["holds_cents"]) == ("waiting", 100_00)
    revoked = await api.post("organiser", f"/v1/performance-lines/{performance_id}/revocation", {"reason": "Virhe."})
    assert (revoked.status_code, revoked.json()["reason"]) == (409, "performance_adjusted")
