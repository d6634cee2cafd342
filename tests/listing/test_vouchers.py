"""Vouchers and personal budgets over HTTP: granted, changed, annulled, ended, and seen by those whom they concern."""

from typing import Any
from uuid import UUID

import httpx
import psycopg
import pytest

from kanava.common.auth import Caller, Role
from kanava.common.contracts import listing as said
from kanava.common.contracts import registry
from tests.listing.conftest import Api
from tests.listing.test_choices import arrivals
from tests.listing.world import OCTOBER, World
from tests.support import facts as told

ORGANISER = Caller("organiser-1", Role.ORGANISER, area="03")
ELSEWHERE = Caller("organiser-2", Role.ORGANISER, area="04")
REASONS = "Sosiaaliohjausta tarvitaan arjen tueksi."
SERVICE = {
    "kind": "service",
    "starts_on": "2026-10-12",
    "until": "2027-04-12",
    "node": "SOS.1.1",
    "unit_of_measure": "kaynti",
    "value_cents": 4_500,
    "uses_granted": 10,
    "reasons": REASONS,
}
BUDGET = {
    "kind": "personal_budget",
    "starts_on": "2026-10-12",
    "until": "2027-10-12",
    "sum_granted_cents": 6_000_00,
    "plan": [{"node": "SOS.1.1", "amount_cents": 4_000_00}],
    "reasons": REASONS,
}
BANDS = [
    {"income_from_cents": 0, "self_pay_cents": 0},
    {"income_from_cents": 1_500_00, "self_pay_cents": 900},
    {"income_from_cents": 3_000_00, "self_pay_cents": 2_000},
]


def guidance() -> registry.Package:
    """The package of social guidance."""
    node = registry.PackageNode(code="SOS.1.1", parent="SOS.1", level=2, name_fi="Sosiaaliohjauskäynti")
    fields = {"package_id": "SOS:1", "number": 1, "valid_from": "2026-01-01", "nodes": [node], "source": "Kanava"}
    names = {"name_fi": "Sosiaaliohjaus", "name_en": "Social guidance"}
    return registry.Package.model_validate(fields | names | {"what": "published", "version": 1, "recorded_at": OCTOBER})


@pytest.fixture
async def aino(api: Api, world: World) -> UUID:
    """A resident of Espoo, where social guidance is published."""
    await world.hear(guidance())
    return (await arrivals(world, 1))[0]


async def grant(
    api: Api, resident: UUID, body: dict[str, Any], *, by: Caller = ORGANISER, key: str = "k-1"
) -> httpx.Response:
    """A grant over HTTP."""
    return await api.call(by, "POST", f"/v1/residents/{resident}/vouchers", body, idempotency_key=key)


async def test_a_service_voucher_is_granted_once_for_its_key_and_said_without_reasons(
    api: Api, world: World, aino: UUID
) -> None:
    first = await grant(api, aino, SERVICE)
    again = await grant(api, aino, SERVICE)
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.content == again.content
    (fact,) = await world.said(said.Voucher)
    assert (fact.what, fact.status, fact.kind, fact.version) == ("granted", "granted", "service", 1)
    assert (fact.node, fact.value_cents, fact.uses_granted, fact.self_pay.share_cents) == ("SOS.1.1", 4_500, 10, 0)
    assert REASONS not in first.text + fact.model_dump_json()
    stored = await world.query("SELECT reasons_sealed FROM voucher_decision")
    assert REASONS.encode() not in bytes(stored[0]["reasons_sealed"])


@pytest.mark.parametrize(("income", "share"), [(0, 0), (1_499_99, 0), (1_500_00, 900), (9_000_00, 2_000)])
async def test_an_income_decides_the_share_and_is_not_kept(
    api: Api, world: World, aino: UUID, income: int, share: int
) -> None:
    self_pay = {"kind": "income_tested", "bands": BANDS, "monthly_income_cents": income}
    granted = await grant(api, aino, SERVICE | {"self_pay": self_pay})
    assert granted.json()["self_pay"]["share_cents"] == share
    (fact,) = await world.said(said.Voucher)
    assert (fact.self_pay.kind, fact.self_pay.share_cents, len(fact.self_pay.bands)) == ("income_tested", share, 3)
    assert "monthly_income" not in fact.model_dump_json()


async def test_a_flat_share_a_sote_centre_voucher_and_a_client_voucher(api: Api, world: World, aino: UUID) -> None:
    flat = SERVICE | {"kind": "client_voucher", "self_pay": {"kind": "flat", "share_cents": 1_100}}
    centre = {"kind": "sote_centre", "starts_on": "2026-11-01", "until": "2027-11-01", "reasons": REASONS}
    for number, body in enumerate((flat | {"producer_ids": [told.PRIVATE]}, centre)):
        assert (await grant(api, aino, body, key=f"k-{number}")).status_code == 201
    client, capitation = await world.said(said.Voucher)
    assert (client.self_pay.kind, client.self_pay.share_cents, client.producer_ids) == ("flat", 1_100, (told.PRIVATE,))
    assert (capitation.kind, capitation.node, capitation.value_cents) == ("sote_centre", None, None)


async def test_a_personal_budget_gets_a_new_plan_within_its_sum(api: Api, world: World, aino: UUID) -> None:
    voucher = (await grant(api, aino, BUDGET)).json()
    path = f"/v1/vouchers/{voucher['voucher_id']}/plan"
    more = {"plan": [{"node": "SOS", "amount_cents": 7_000_00}], "reasons": "Tarve kasvoi."}
    over = await api.call(ORGANISER, "PUT", path, more, idempotency_key="p-1")
    assert (over.status_code, over.json()["rule"]) == (422, "plan_within_sum")
    raised = await api.call(ORGANISER, "PUT", path, more | {"sum_granted_cents": 7_500_00}, idempotency_key="p-2")
    assert (raised.status_code, raised.json()["version"]) == (200, 2)
    fact = (await world.said(said.Voucher))[-1]
    assert (fact.what, fact.sum_granted_cents) == ("plan_changed", 7_500_00)
    assert [(one.node, one.amount_cents) for one in fact.plan] == [("SOS", 7_000_00)]
    service = (await grant(api, aino, SERVICE, key="k-2")).json()["voucher_id"]
    refused = await api.call(ORGANISER, "PUT", f"/v1/vouchers/{service}/plan", more, idempotency_key="p-3")
    assert (refused.status_code, refused.json()["reason"]) == (409, "no_plan")


async def test_an_annulled_voucher_never_was_and_an_ended_one_stops(api: Api, world: World, aino: UUID) -> None:
    first = (await grant(api, aino, SERVICE)).json()["voucher_id"]
    twice = await grant(api, aino, SERVICE, key="k-2")
    assert (twice.status_code, twice.json()["reason"]) == (409, "granted_already")
    error = {"ground": "granted_in_error", "reasons": "Väärä asiakas."}
    annulled = await api.call(ORGANISER, "POST", f"/v1/vouchers/{first}/annulment", error, idempotency_key="a-1")
    assert (annulled.status_code, annulled.json()["status"]) == (201, "annulled")
    second = (await grant(api, aino, SERVICE, key="k-3")).json()["voucher_id"]
    end = {"ends_on": "2027-01-01", "ground": "need_ended", "reasons": "Tuki ei ole enää tarpeen."}
    ended = await api.call(ORGANISER, "POST", f"/v1/vouchers/{second}/end", end, idempotency_key="e-1")
    assert (ended.json()["status"], ended.json()["until"]) == ("ended", "2027-01-01")
    again = await api.call(ORGANISER, "POST", f"/v1/vouchers/{second}/end", end, idempotency_key="e-2")
    assert (again.status_code, again.json()["reason"]) == (409, "not_in_force")
    facts = [(one.what, one.status, one.ground, one.version) for one in await world.said(said.Voucher)]
    assert facts == [
        ("granted", "granted", None, 1),
        ("annulled", "annulled", "granted_in_error", 2),
        ("granted", "granted", None, 1),
        ("ended", "ended", "need_ended", 2),
    ]


async def test_the_resident_reads_the_reasons_and_another_area_reads_nothing(api: Api, aino: UUID) -> None:
    await grant(api, aino, SERVICE)
    path = f"/v1/residents/{aino}/vouchers"
    resident = Caller("aino", Role.RESIDENT, resident=aino)
    own = (await api.call(resident, "GET", path)).json()
    assert [one["reasons"] for one in own["items"][0]["decisions"]] == [REASONS]
    assert (await api.call(ORGANISER, "GET", path)).json() == own
    for stranger in (ELSEWHERE, Caller("other", Role.RESIDENT, resident=UUID(int=5))):
        assert (await api.call(stranger, "GET", path)).status_code == 403
    refused = await grant(api, aino, SERVICE, by=ELSEWHERE, key="k-2")
    assert (refused.status_code, refused.json()["rule"]) == (403, "own_area")
    unknown = await grant(api, UUID(int=5), SERVICE, key="k-3")
    assert unknown.status_code == 404


@pytest.mark.parametrize(
    ("changes", "pointer", "rule"),
    [
        ({"node": "SOS.9"}, "/node", "node_published"),
        ({"value_cents": None}, "/value_cents", "part_of_kind"),
        ({"until": "2026-10-12"}, "/until", "days_in_range"),
        ({"producer_ids": ["1.2.246.10.12345671.10.0"]}, "/producer_ids/0", "producer_known"),
        ({"self_pay": {"kind": "flat", "share_cents": 4_501}}, "/self_pay/share_cents", "share_within_value"),
        ({"self_pay": {"kind": "income_tested", "bands": BANDS}}, "/self_pay/monthly_income_cents", "part_of_kind"),
        ({"self_pay": {"kind": "none", "bands": BANDS}}, "/self_pay/bands", "part_of_kind"),
    ],
)
async def test_a_voucher_that_breaks_a_rule_names_it_and_stores_nothing(
    api: Api, world: World, aino: UUID, changes: dict[str, Any], pointer: str, rule: str
) -> None:
    refused = await grant(api, aino, SERVICE | changes)
    assert refused.status_code == 422
    assert (pointer, rule) in {(one["pointer"], one["rule"]) for one in refused.json()["errors"]}
    assert await world.said(said.Voucher) == []


async def test_before_the_roll_out_nothing_is_granted(api: Api, world: World, aino: UUID) -> None:
    await world.query("UPDATE scheme SET phase = 3 RETURNING phase")
    refused = await grant(api, aino, SERVICE)
    assert (refused.status_code, refused.json()["reason"]) == (409, "scheme_not_ready")


async def test_the_time_limit_of_the_scheme_holds_for_its_vouchers(api: Api, world: World, aino: UUID) -> None:
    limited = {"phase": 6, "version": 6, "voucher_valid_months": 5}
    await world.hear(told.scheme().model_copy(update=limited))
    refused = await grant(api, aino, SERVICE)
    assert (refused.status_code, refused.json()["rule"]) == (422, "within_time_limit")
    assert (await grant(api, aino, SERVICE | {"until": "2027-03-12"}, key="k-2")).status_code == 201


async def test_the_database_keeps_one_voucher_for_a_day(api: Api, world: World, aino: UUID) -> None:
    await grant(api, aino, SERVICE)
    doubled = """
        INSERT INTO voucher SELECT gen_random_uuid(), version, resident_id, area, kind, status, starts_on, until, node,
            unit_of_measure, value_cents, self_pay, uses_granted, sum_granted_cents, plan, producer_ids, ground,
            recorded_at FROM voucher RETURNING 1
    """
    with pytest.raises(psycopg.errors.ExclusionViolation):
        await world.query(doubled)
