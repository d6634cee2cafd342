"""Who may call each route of each service, and what "own" means there: one row for every route.

A test goes over every row with every role. A route without a row fails it, and so does a row without a route.
"""

import base64
import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Any

from kanava.common.auth import Role

World = Mapping[str, str]
"""Ids of the objects that were made for the test, by the name that paths and bodies use."""

R = Role


class Own(Enum):
    """What a caller whose area, municipality, producer and resident are others gets."""

    ALL = auto()
    """The same as everybody: the object is nobody's, or the role serves the whole country."""
    REFUSED = auto()
    """403 or 404: the object belongs to another."""
    FILTERED = auto()
    """The answer without what is another's; an own caller gets it."""
    HIDDEN = auto()
    """The answer without what this role never sees, whosever it is."""


@dataclass(frozen=True)
class Sent:
    """What goes with a request besides its path."""

    json: Any = None
    query: Mapping[str, str] | None = None
    content: bytes | None = None
    content_type: str | None = None

    @property
    def headers(self) -> dict[str, str]:
        """The content type and digest of a file."""
        if self.content is None or self.content_type is None:
            return {}
        digest = base64.b64encode(hashlib.sha256(self.content).digest()).decode()
        return {"content-type": self.content_type, "content-digest": f"sha-256=:{digest}:"}


@dataclass(frozen=True)
class Access:
    """A row of the table: the roles that may call a route, and what each gets of another's object.

    `marker` names the part of the world that FILTERED and HIDDEN answers lack. A route that `asks_kafka` cannot
    be answered here, so its own caller is only expected to get past the door. `instead` names for a role another
    part of the world in the place of a part of the path.
    """

    service: str
    method: str
    path: str
    own: Mapping[Role, Own]
    sends: Callable[[World, Role], Sent] = lambda world, role: Sent()
    marker: str = "producer_id"
    asks_kafka: bool = False
    instead: Mapping[Role, Mapping[str, str]] = field(default_factory=dict)

    def url(self, world: World, role: Role) -> str:
        """The path of the object that a role is tried with."""
        replaced = {name: world[other] for name, other in self.instead.get(role, {}).items()}
        return self.path.format_map({**world, **replaced})

    @property
    def name(self) -> str:
        """What a failure is called by."""
        return f"{self.service} {self.method} {self.path}"


def everybody(own: Own = Own.ALL) -> dict[Role, Own]:
    """Every role, with the same right."""
    return dict.fromkeys(Role, own)


def only(role: Role, own: Own = Own.REFUSED) -> dict[Role, Own]:
    """One role."""
    return {role: own}


def json(**fields: Any) -> Callable[[World, Role], Sent]:
    """A JSON body; a text that names a part of the world, as in `{producer_id}`, is filled in."""
    return lambda world, role: Sent(json={name: filled(value, world) for name, value in fields.items()})


def query(**fields: str) -> Callable[[World, Role], Sent]:
    """Query parameters, filled in the same way."""
    return lambda world, role: Sent(query={name: filled(value, world) for name, value in fields.items()})


def filled(value: Any, world: World) -> Any:
    """A value with the names of the world in it replaced."""
    if isinstance(value, str):
        return value.format_map(world)
    return value


def bus(service: str) -> list[Access]:
    """The routes that every service has from the platform."""
    return [
        Access(service, "GET", "/v1/bus", only(R.OPERATOR, Own.ALL)),
        Access(service, "GET", "/v1/sandbox/clock", everybody()),
        Access(
            *(service, "PUT", "/v1/sandbox/clock", only(R.OPERATOR, Own.ALL)),
            json(instant="2026-11-20T10:00:00Z"),
        ),
    ]


def document(kind: str = "service_description") -> dict[str, Any]:
    """The next version of a service description."""
    return {"area": "03", "kind": kind, "valid_from": "2026-11-01", "title": "Palvelukuvaus", "text": "Sisältö."}


PACKAGE = {
    "id": "SOS",
    "name_fi": "Sosiaaliohjaus",
    "name_en": "Social guidance",
    "children": [
        {
            "level": "toiminta",
            "name_fi": "Sosiaaliohjaus",
            "children": [{"level": "palvelu", "name_fi": "Sosiaaliohjauskäynti", "unit": "kaynti"}],
        }
    ],
}


def unit(world: World, role: Role) -> Sent:
    """A producer opens a unit of its own, the organiser one of its own enterprise."""
    producer_id = world["enterprise_id"] if role is R.ORGANISER else world["producer_id"]
    fields = {"municipality": "049", "name": "Asema", "opens_on": "2026-12-01"}
    return Sent(json=fields | {"producer_id": producer_id})


REGISTRY = [
    *bus("registry"),
    Access("registry", "POST", "/v1/documents", only(R.ORGANISER), json(**document())),
    Access("registry", "GET", "/v1/documents", everybody()),
    Access("registry", "GET", "/v1/documents/{document_id}", everybody()),
    # A package is the same in every area, so any organiser may publish the next version.
    Access(
        *("registry", "POST", "/v1/packages", only(R.ORGANISER, Own.ALL)),
        json(valid_from="2026-11-01", source="Kanava", package=PACKAGE),
    ),
    Access("registry", "GET", "/v1/packages", everybody()),
    Access("registry", "GET", "/v1/packages/{package_id}", everybody()),
    Access(
        *("registry", "POST", "/v1/prices", only(R.ORGANISER)),
        json(area="03", node="{node}", unit_of_measure="kaynti", valid_from="2026-12-01", price_cents=4600),
    ),
    Access("registry", "GET", "/v1/prices", everybody()),
    Access(
        *("registry", "POST", "/v1/schemes", only(R.ORGANISER)),
        lambda world, role: Sent(
            json={
                "area": "03",
                "municipality": "257",
                "purposes": ["use_of_market"],
                "goals": "Hoitoon viikossa.",
                "scope": "Koko kunta.",
                "voucher_valid_months": 12,
            }
        ),
    ),
    Access("registry", "GET", "/v1/schemes", everybody()),
    Access("registry", "GET", "/v1/schemes/{scheme_id}", everybody()),
    Access(
        *("registry", "POST", "/v1/schemes/{scheme_id}/comments", only(R.PRODUCER)),
        json(producer_id="{producer_id}", text="Kommentti."),
    ),
    Access(
        *("registry", "POST", "/v1/schemes/{scheme_id}/comments/{number}/answer", only(R.ORGANISER)),
        json(text="Vastaus."),
    ),
    Access(
        *("registry", "POST", "/v1/schemes/{scheme_id}/decision", only(R.MUNICIPALITY)),
        json(verdict="reject", reasons="Ei vielä."),
    ),
    Access("registry", "POST", "/v1/schemes/{scheme_id}/phase", only(R.ORGANISER), json(phase=6)),
    # A producer applies for itself: which one it is stands in the body.
    Access(
        *("registry", "POST", "/v1/producers", only(R.PRODUCER)),
        json(business_id="{business_id}", name="Esimerkki Oy", kind="private", area="03", iban="{iban}"),
    ),
    Access("registry", "GET", "/v1/producers", everybody(Own.HIDDEN), marker="iban"),
    Access(
        *("registry", "GET", "/v1/producers/{producer_id}"),
        everybody(Own.HIDDEN) | {R.PRODUCER: Own.FILTERED, R.ORGANISER: Own.FILTERED, R.OPERATOR: Own.ALL},
        marker="iban",
    ),
    Access("registry", "PUT", "/v1/producers/{producer_id}/checklist", only(R.PRODUCER), json(items=[])),
    Access(
        *("registry", "POST", "/v1/producers/{producer_id}/acceptances", only(R.PRODUCER)),
        json(document_id="{rule_book}"),
    ),
    Access(
        *("registry", "POST", "/v1/producers/{producer_id}/decision", only(R.ORGANISER)),
        json(verdict="approve", reasons="Täyttää ehdot."),
    ),
    Access(
        *("registry", "POST", "/v1/producers/{producer_id}/standing", only(R.ORGANISER)),
        json(verdict="suspend", reasons="Maksukyvytön."),
    ),
    Access("registry", "POST", "/v1/units", {R.PRODUCER: Own.REFUSED, R.ORGANISER: Own.REFUSED}, unit),
    Access("registry", "GET", "/v1/units", everybody()),
    # The organiser closes only units of its own enterprise.
    Access(
        *("registry", "POST", "/v1/units/{unit_id}/close", {R.PRODUCER: Own.REFUSED, R.ORGANISER: Own.REFUSED}),
        json(),
        instead={R.ORGANISER: {"unit_id": "enterprise_unit_id"}},
    ),
    Access(
        *("registry", "POST", "/v1/contracts", only(R.ORGANISER)),
        json(
            producer_id="{producer_id}",
            contract_class="basic",
            compensation_kinds=["capitation", "fee"],
            starts_on="2026-12-01",
        ),
    ),
    Access(
        *("registry", "POST", "/v1/contracts/{contract_id}/end", only(R.ORGANISER)),
        json(ends_on="2027-06-01"),
    ),
    Access(
        *("registry", "GET", "/v1/contracts"),
        {R.PRODUCER: Own.FILTERED, R.ORGANISER: Own.FILTERED, R.OPERATOR: Own.ALL, R.AUTHORITY: Own.ALL},
    ),
]


BUDGET_LINE = {"line": "1", "name_fi": "Momentti", "kind": "one_item", "amount_cents": 1_000_00, "on_breach": "flag"}
STEERED = {R.PRODUCER: Own.FILTERED, R.ORGANISER: Own.FILTERED, R.OPERATOR: Own.ALL, R.AUTHORITY: Own.ALL}
STEERED_ONE = STEERED | {R.PRODUCER: Own.REFUSED, R.ORGANISER: Own.REFUSED}


def ordered(world: World, role: Role) -> Sent:
    """The annual order of a year from a producer."""
    line = {"node": world["node"], "unit_of_measure": "kaynti", "quantity": 10}
    fields = {"area": "03", "year": 2026, "valid_from": "2026-12-01", "producer_id": world["producer_id"]}
    return Sent(json=fields | {"lines": [line]})


STEERING = [
    Access("registry", "POST", "/v1/orders", only(R.ORGANISER), ordered),
    Access(
        *("registry", "POST", "/v1/budgets", only(R.ORGANISER)),
        json(area="03", year=2028, valid_from="2028-01-01", lines=[BUDGET_LINE]),
    ),
    Access("registry", "GET", "/v1/orders", STEERED, marker="order_id"),
    Access("registry", "GET", "/v1/orders/{order_id}", STEERED_ONE),
    Access(
        *("registry", "POST", "/v1/orders/{order_id}/withdrawal", only(R.ORGANISER)),
        json(valid_from="2027-02-01", reasons="Korvataan."),
    ),
    Access(
        *("registry", "POST", "/v1/sanctions", only(R.ORGANISER)),
        json(producer_id="{producer_id}", step=1, reason="Viive.", effective_on="2026-11-20"),
    ),
    Access("registry", "GET", "/v1/sanctions", STEERED, marker="sanction_id"),
    Access("registry", "GET", "/v1/sanctions/{sanction_id}", STEERED_ONE),
    Access("registry", "POST", "/v1/sanctions/{sanction_id}/appeal", only(R.PRODUCER), json(reasons="Ei viivettä.")),
    Access(
        *("registry", "POST", "/v1/sanctions/{sanction_id}/outcome", only(R.ORGANISER)),
        json(outcome="withdrawn", reasons="Ei viivettä."),
    ),
]


def choice(world: World, role: Role) -> Sent:
    """A resident names itself, an adviser the resident and its mandate."""
    fields = {"unit_id": world["unit_id"], "resident_id": world["resident_id"]}
    return Sent(json=fields | ({"mandate": "Valtakirja 1/2026"} if role is R.ADVISER else {}))


def feed(world: World, role: Role) -> Sent:
    """The next file of the registration feed."""
    return Sent(query={"sequence": "2"}, content=world["registration"].encode(), content_type="application/x-ndjson")


LISTING = [
    *bus("listing"),
    Access("listing", "POST", "/v1/registrations", only(R.OPERATOR, Own.ALL), feed),
    # A mandate does not end at the border of an area, so an adviser of another area acts by it too.
    Access("listing", "POST", "/v1/choices", {R.RESIDENT: Own.REFUSED, R.ADVISER: Own.ALL}, choice),
    Access("listing", "GET", "/v1/residents/{resident_id}", {R.RESIDENT: Own.REFUSED, R.ORGANISER: Own.REFUSED}),
    Access(
        *("listing", "GET", "/v1/residents/{resident_id}/listing"),
        {R.RESIDENT: Own.REFUSED, R.ORGANISER: Own.REFUSED, R.OPERATOR: Own.ALL},
    ),
    Access(
        *("listing", "POST", "/v1/residents/{resident_id}/coefficient", only(R.ORGANISER)),
        json(coefficient_permille=1200, starts_on="2026-12-01"),
    ),
    Access("listing", "GET", "/v1/residents/{resident_id}/looks", only(R.RESIDENT)),
    Access(
        *("listing", "POST", "/v1/residents/lookup", {R.OPERATOR: Own.ALL, R.ADVISER: Own.ALL}),
        lambda world, role: Sent(json={"hetus": [world["hetu"]], "reason": "Neuvonta"}),
    ),
    Access(
        *("listing", "POST", "/v1/residents/{resident_id}/vouchers", only(R.ORGANISER)),
        json(kind="sote_centre", starts_on="2026-12-01", until="2027-12-01", reasons="Valinnanvapaus."),
    ),
    Access(
        *("listing", "GET", "/v1/residents/{resident_id}/vouchers"),
        {R.RESIDENT: Own.REFUSED, R.ORGANISER: Own.REFUSED},
    ),
    Access(
        *("listing", "PUT", "/v1/vouchers/{voucher_id}/plan", only(R.ORGANISER)),
        json(plan=[{"node": "SOS", "amount_cents": 1_000}], sum_granted_cents=0, reasons="Uusi suunnitelma."),
    ),
    Access(
        *("listing", "POST", "/v1/vouchers/{voucher_id}/annulment", only(R.ORGANISER)),
        json(ground="granted_in_error", reasons="Väärä asiakas."),
    ),
    Access(
        *("listing", "POST", "/v1/vouchers/{voucher_id}/end", only(R.ORGANISER)),
        json(ends_on="2026-12-02", ground="need_ended", reasons="Ei tarvetta."),
    ),
    Access("listing", "GET", "/v1/units", everybody()),
    Access("listing", "GET", "/v1/units/{unit_id}/clients", only(R.PRODUCER)),
]

WATCHERS = {R.OPERATOR: Own.ALL, R.ORGANISER: Own.REFUSED, R.AUTHORITY: Own.ALL}
STATEMENTS = {R.OPERATOR: Own.ALL, R.ORGANISER: Own.REFUSED, R.PRODUCER: Own.REFUSED}
TRANSFER = {"from_area": "03", "to_area": "05", "amount_cents": 1, "reference": "t-1"}
FUNDING = {
    "area": "03",
    "payer": "state",
    "amount_cents": 1_000_00,
    "received_on": "2026-11-02",
    "reference": "12/12",
}
PLAN = {
    "area": "03",
    "payer": "state",
    "fiscal_year": 2026,
    "reason": "Talousarvio",
    "instalments": [{"due_on": "2026-12-02", "amount_cents": 1_000_00}],
}
DETERMINANTS = (
    "service_need",
    "population",
    "population_density",
    "foreign_language",
    "bilingual",
    "sami_language",
    "archipelago",
    "university_hospital_supplement",
    "promotion_of_wellbeing",
)
STATE = {
    "fiscal_year": 2026,
    "total_cents": 1_000_000_00,
    "reason": "Talousarvio",
    "measures": [{"determinant": one, "area": "03", "measure": 1} for one in DETERMINANTS],
}
CONTRIBUTIONS = {
    "total_cents": 1_000_00,
    "received_on": "2026-11-02",
    "reference": "Vakuutusmaksut",
    "measures": [{"area": "03", "measure": 1}],
}

CONCERNED = WATCHERS | {R.MUNICIPALITY: Own.REFUSED}
REFUND_RULE = {
    "valid_from": "2030-01-01",
    "morbidity_permille": 400,
    "absence_permille": 200,
    "employment_permille": 300,
    "housing_permille": 100,
    "need_share_permille": 500,
    "cap_permille": 60,
    "source": "Periaate",
}
NEED_FIGURE = {
    "municipality": "049",
    "component": "housing",
    "measured_on": "2025-12-31",
    "value_permille": 900,
    "source": "THL",
}
MEASURE = {
    "area": "03",
    "municipality": "049",
    "title": "Omahoito",
    "permille": 10,
    "agreed_on": "2026-01-01",
}
MUNICIPAL_REFUNDS = [
    Access("payments", "POST", "/v1/refund-rules", only(R.AUTHORITY, Own.ALL), json(**REFUND_RULE)),
    Access("payments", "GET", "/v1/refund-rules", dict.fromkeys(CONCERNED, Own.ALL)),
    Access("payments", "POST", "/v1/need-figures", only(R.AUTHORITY, Own.ALL), json(**NEED_FIGURE)),
    # A municipality's index is public statistics.
    Access("payments", "GET", "/v1/need-figures", dict.fromkeys(CONCERNED, Own.ALL), query(municipality="049")),
    Access("payments", "POST", "/v1/refund-measures", only(R.ORGANISER), json(**MEASURE)),
    Access("payments", "GET", "/v1/refund-measures", CONCERNED, query(area="03")),
    Access(
        *("payments", "POST", "/v1/refund-measures/{measure_id}/done", only(R.ORGANISER)),
        json(done_on="2026-05-01", evidence="Raportti"),
    ),
    Access(
        *("payments", "POST", "/v1/refunds", {R.OPERATOR: Own.ALL, R.ORGANISER: Own.REFUSED}),
        json(area="03", municipality="049", last_year=2025),
    ),
    Access("payments", "GET", "/v1/refunds", CONCERNED, query(area="03")),
    Access("payments", "GET", "/v1/refunds/{refund_id}", CONCERNED),
    Access(
        *("payments", "POST", "/v1/refunds/{refund_id}/decision", only(R.ORGANISER)),
        json(approved=False, reasons="Ei"),
    ),
    Access(
        *("payments", "POST", "/v1/refunds/{refund_id}/account", only(R.ORGANISER)),
        json(payee="Espoo", iban="FI2112345600000785"),
    ),
    Access("payments", "POST", "/v1/refunds/{refund_id}/payment", only(R.OPERATOR, Own.ALL)),
    Access("payments", "GET", "/v1/refunds/{refund_id}/pain.001", only(R.OPERATOR, Own.ALL)),
]

TO_RESIDENTS = [
    # An adviser acts for any resident by a mandate; the payment waits until somebody has confirmed the account.
    Access(
        *("payments", "PUT", "/v1/residents/{resident_id}/account", {R.RESIDENT: Own.REFUSED, R.ADVISER: Own.ALL}),
        json(iban="{iban}", payee="Aino Esimerkki", mandate="Valtuutus"),
    ),
    Access("payments", "GET", "/v1/residents/{resident_id}/account", only(R.RESIDENT)),
    Access("payments", "GET", "/v1/residents/{resident_id}/payments", only(R.RESIDENT)),
    Access("payments", "GET", "/v1/accounts/{area}/owed-to-residents", only(R.OPERATOR, Own.ALL)),
    Access("payments", "GET", "/v1/accounts/{area}/resident-batches", only(R.OPERATOR, Own.ALL)),
    Access("payments", "POST", "/v1/resident-batches", only(R.OPERATOR, Own.ALL), json(area="03", month="2026-11")),
    Access("payments", "GET", "/v1/resident-batches/{batch_id}", only(R.OPERATOR, Own.ALL)),
    Access("payments", "POST", "/v1/resident-batches/{batch_id}/approval", only(R.OPERATOR, Own.ALL)),
    Access("payments", "POST", "/v1/resident-batches/{batch_id}/release", only(R.OPERATOR, Own.ALL)),
    Access(
        *("payments", "POST", "/v1/resident-payments/{resident_item_id}/account", only(R.OPERATOR, Own.ALL)),
        lambda world, role: Sent(json={"account_number": 1, "reason": "Soitettu."}),
    ),
    Access(
        *("payments", "GET", "/v1/resident-payouts/{payout_id}/pain.001", only(R.OPERATOR, Own.ALL)),
        instead={R.OPERATOR: {"payout_id": "resident_payout_id"}},
    ),
]

BASIS = {"area": "03", "model": "03:compensation_model:1", "first_month": "2026-01", "source": "Tilinpäätös"}
COSTS = [{"sex": "any", "age_from": age, "cost_cents": 100_00} for age in (0, 7, 65)]
PROPOSED_RATES = [
    Access("payments", "POST", "/v1/level-reviews", only(R.ORGANISER), json(**BASIS, bands=COSTS)),
    Access("payments", "POST", "/v1/voucher-values", only(R.ORGANISER), json(**BASIS, own_cost_cents=100_00)),
    Access("payments", "GET", "/v1/rate-proposals", WATCHERS, query(area="03")),
]

PERFORMANCE_LINES = [
    Access(
        *("payments", "POST", "/v1/performance-lines", only(R.ORGANISER)),
        lambda world, role: Sent(
            json={
                "area": "03",
                "resident_id": world["resident_id"],
                "unit_id": "1.2.246.10.32213473.10.1",
                "performed_on": "2026-11-10",
                "amount_cents": -500,
                "reason": "Tarve väheni.",
            }
        ),
    ),
    Access(
        *("payments", "POST", "/v1/performance-lines/{performance_id}/revocation", only(R.ORGANISER)),
        json(reason="Virhe."),
    ),
    Access(
        *("payments", "GET", "/v1/accounts/{area}/performance-lines", {R.OPERATOR: Own.ALL, R.ORGANISER: Own.REFUSED}),
    ),
    Access(*("payments", "GET", "/v1/producers/{producer_id}/performance-lines", STATEMENTS), query(area="03")),
]

MONTHS = query(since="2026-09", until="2026-10")
CONTESTED = {
    "component": "capitation",
    "kind": "original",
    "for_month": "2026-10",
    "unit_id": "1.2.246.10.32213473.10.1",
}
LIMIT = {"limit_cents": 1_00, "reason": "Alueen kassavaraus."}
WHY = "Asukas ei ollut listautunut meille."

PAYMENTS = [
    *bus("payments"),
    *PROPOSED_RATES,
    *MUNICIPAL_REFUNDS,
    *TO_RESIDENTS,
    *PERFORMANCE_LINES,
    Access("payments", "POST", "/v1/funding", only(R.OPERATOR, Own.ALL), json(**FUNDING)),
    Access("payments", "POST", "/v1/transfers", only(R.OPERATOR, Own.ALL), json(**TRANSFER)),
    Access(
        *("payments", "POST", "/v1/funding/plans", {R.OPERATOR: Own.ALL, R.ORGANISER: Own.REFUSED}),
        lambda world, role: Sent(json=PLAN),
    ),
    Access("payments", "POST", "/v1/funding/state", only(R.OPERATOR, Own.ALL), lambda world, role: Sent(json=STATE)),
    Access(
        *("payments", "POST", "/v1/funding/contributions", only(R.OPERATOR, Own.ALL)),
        lambda world, role: Sent(json=CONTRIBUTIONS),
    ),
    Access("payments", "GET", "/v1/accounts/{area}/funding", WATCHERS, query(year="2026")),
    Access("payments", "GET", "/v1/accounts/{area}/contributions", WATCHERS, query(year="2026")),
    Access("payments", "GET", "/v1/accounts/{area}/state-funding", WATCHERS, query(year="2026")),
    Access("payments", "POST", "/v1/runs", only(R.OPERATOR, Own.ALL), json(area="03", month="2026-10")),
    Access("payments", "GET", "/v1/runs/{run_id}", WATCHERS),
    Access(
        *("payments", "GET", "/v1/statements", STATEMENTS | {R.PRODUCER: Own.FILTERED}),
        query(area="03"),
        marker="statement_id",
    ),
    Access("payments", "GET", "/v1/statements/{statement_id}", STATEMENTS),
    Access("payments", "GET", "/v1/statements/{statement_id}/lines", STATEMENTS),
    Access("payments", "GET", "/v1/statements/{statement_id}.xlsx", STATEMENTS),
    Access("payments", "GET", "/v1/statements/{statement_id}.pdf", STATEMENTS),
    Access(
        *("payments", "POST", "/v1/statements/{statement_id}/disputes", only(R.PRODUCER)),
        lambda world, role: Sent(json={"lines": [CONTESTED | {"resident_id": world["resident_id"]}], "reason": WHY}),
    ),
    Access(
        *("payments", "GET", "/v1/disputes", STATEMENTS | {R.PRODUCER: Own.FILTERED}),
        query(area="03"),
        marker="dispute_id",
    ),
    Access("payments", "GET", "/v1/disputes/{dispute_id}", STATEMENTS),
    Access(
        *("payments", "POST", "/v1/disputes/{dispute_id}/decision", only(R.ORGANISER)),
        json(outcome="rejected", reasons="Rivi on laskettu voimassa olevan mallin mukaan."),
    ),
    Access("payments", "GET", "/v1/accounts/{area}/vouchers", WATCHERS),
    Access("payments", "GET", "/v1/residents/{resident_id}/voucher-use", only(R.RESIDENT)),
    Access(*("payments", "GET", "/v1/producers/{producer_id}/unpaid-voucher-reports", STATEMENTS), query(area="03")),
    Access("payments", "GET", "/v1/accounts/{area}/budget", WATCHERS, query(year="2026")),
    Access("payments", "GET", "/v1/receivables", STATEMENTS, query(area="03", producer_id="{producer_id}")),
    Access(
        *("payments", "POST", "/v1/producers/{producer_id}/final-statement", only(R.OPERATOR, Own.ALL)),
        json(area="03", ground="left", reasons="Tuottaja lopettaa toimintansa."),
    ),
    Access("payments", "GET", "/v1/reports/areas/{area}", WATCHERS, MONTHS),
    Access("payments", "GET", "/v1/reports/areas/{area}/cost-classes", WATCHERS, MONTHS),
    Access("payments", "GET", "/v1/reports/areas/{area}/fixed-share", WATCHERS, MONTHS),
    Access(
        *("payments", "GET", "/v1/reports/municipalities/{municipality}/cost-classes"),
        *(WATCHERS | {R.MUNICIPALITY: Own.REFUSED}, MONTHS),
    ),
    Access("payments", "GET", "/v1/reports/producers/{producer_id}", STATEMENTS, MONTHS),
    Access(
        *("payments", "GET", "/v1/reports/municipalities/{municipality}", WATCHERS | {R.MUNICIPALITY: Own.REFUSED}),
        MONTHS,
    ),
    Access(
        *("payments", "GET", "/v1/reports/packages/{node}", WATCHERS),
        query(area="03", since="2026-09", until="2026-10"),
    ),
    Access(
        *("payments", "POST", "/v1/approvals", {R.OPERATOR: Own.ALL, R.ORGANISER: Own.REFUSED}),
        json(area="03", month="2026-10"),
    ),
    Access("payments", "POST", "/v1/payouts", only(R.OPERATOR, Own.ALL), json(area="03")),
    Access("payments", "GET", "/v1/payouts/{payout_id}/pain.001", only(R.OPERATOR, Own.ALL)),
    Access(
        *("payments", "POST", "/v1/bank/messages", only(R.OPERATOR, Own.ALL)),
        lambda world, role: Sent(content=b"<Document/>", content_type="application/xml"),
    ),
    Access("payments", "GET", "/v1/bank/alarms", only(R.OPERATOR, Own.ALL)),
    Access("payments", "GET", "/v1/accounts/{area}/bank", WATCHERS),
    Access("payments", "POST", "/v1/accounts/{area}/bank", only(R.OPERATOR, Own.ALL), json(iban="{iban}")),
    Access(
        *("payments", "POST", "/v1/statements/{statement_id}/account", only(R.OPERATOR, Own.ALL)),
        json(iban="{iban}", reason="Soitettu."),
    ),
    Access("payments", "POST", "/v1/producers/{producer_id}/reference", only(R.PRODUCER), json(kind="viitenumero")),
    Access("payments", "GET", "/v1/suspense", only(R.OPERATOR, Own.ALL)),
    Access("payments", "GET", "/v1/suspense/{item_id}", only(R.OPERATOR, Own.ALL)),
    Access("payments", "POST", "/v1/suspense/{item_id}/owner", only(R.OPERATOR, Own.ALL), json(reason="Selvitän.")),
    Access(
        *("payments", "POST", "/v1/suspense/{item_id}/payment", only(R.OPERATOR, Own.ALL)),
        json(end_to_end_id="E", reason="Kuuluu maksuun."),
    ),
    Access(
        *("payments", "POST", "/v1/suspense/{item_id}/offset", only(R.OPERATOR, Own.ALL)),
        json(other_id="{item_id}", reason="Virhe."),
    ),
    Access(
        *("payments", "POST", "/v1/suspense/{item_id}/return", only(R.OPERATOR, Own.ALL)),
        json(payee="Maksaja Oy", iban="{iban}", reason="Ei kuulu alueelle."),
    ),
    Access("payments", "POST", "/v1/suspense/{item_id}/return/release", only(R.OPERATOR, Own.ALL)),
    Access(
        *("payments", "POST", "/v1/suspense/{item_id}/funding", only(R.OPERATOR, Own.ALL)),
        json(payer="state", reference="11/12", reason="Valtion erä."),
    ),
    Access("payments", "POST", "/v1/suspense/{item_id}/close", only(R.OPERATOR, Own.ALL), json(reason="Selvä.")),
    Access("payments", "GET", "/v1/accounts/{area}", WATCHERS),
    Access("payments", "GET", "/v1/accounts/{area}/entries", WATCHERS),
    Access("payments", "GET", "/v1/accounts/{area}/sums", WATCHERS),
    Access("payments", "GET", "/v1/accounts/{area}/limits", WATCHERS),
    Access("payments", "POST", "/v1/accounts/{area}/limits", only(R.OPERATOR, Own.ALL), json(**LIMIT)),
    Access(
        *("payments", "POST", "/v1/years/proposals", {R.OPERATOR: Own.ALL, R.ORGANISER: Own.REFUSED}),
        json(area="03", fiscal_year=2025),
    ),
    Access(
        *("payments", "POST", "/v1/years/closures", {R.OPERATOR: Own.ALL, R.ORGANISER: Own.REFUSED}),
        json(area="03", fiscal_year=2025),
    ),
    Access("payments", "GET", "/v1/accounts/{area}/years", WATCHERS),
    Access(
        *("payments", "GET", "/v1/reconciliation", only(R.OPERATOR, Own.ALL)),
        query(first="2026-11-01", last="2026-11-30"),
    ),
    Access("payments", "GET", "/v1/accounts/{area}/trial-balance", WATCHERS),
    Access("payments", "GET", "/v1/accounts/{area}/clearing", WATCHERS),
    Access(
        *("payments", "GET", "/v1/accounts/{area}/journal", WATCHERS),
        query(first="2026-01-01", last="2026-12-31"),
    ),
    Access("payments", "GET", "/v1/accounts/{area}/unpriced", WATCHERS),
    Access("payments", "GET", "/v1/accounts/{area}/refused-kinds", WATCHERS),
    Access("payments", "GET", "/v1/accounts/{area}/verification", WATCHERS),
    Access("payments", "GET", "/v1/residents/{resident_id}/costs", only(R.RESIDENT)),
    Access("payments", "GET", "/v1/residents/{resident_id}/client-fees", only(R.RESIDENT)),
    # A page names nobody in its address: whose it is, the token says.
    Access("payments", "GET", "/pages/costs", only(R.RESIDENT, Own.FILTERED), marker="producer_name"),
    Access("payments", "GET", "/v1/residents/{resident_id}/benefits", only(R.RESIDENT)),
    Access(
        *("payments", "POST", "/v1/benefits", only(R.OPERATOR, Own.ALL)),
        json(
            area="03",
            month="2026-11",
            reference="E-1",
            resident_id="00000000-0000-0000-0000-000000000001",
            kind="travel",
            amount_cents=4_000,
            reasons="Matka hoitoon",
        ),
    ),
    Access(
        *("payments", "GET", "/v1/accounts/{area}/ceiling-claims", only(R.OPERATOR, Own.ALL)),
        query(year="2026"),
    ),
    Access(
        *("payments", "GET", "/v1/accounts/{area}/forecast", {R.OPERATOR: Own.ALL, R.ORGANISER: Own.REFUSED}),
        query(planned="2027-01:100000"),
    ),
    Access("payments", "GET", "/v1/producers/{producer_id}/forecast", STATEMENTS, query(area="03")),
    Access("payments", "GET", "/v1/test-calculations", WATCHERS, query(area="03", month="2026-10")),
]

FOLLOWERS = {R.PRODUCER: Own.REFUSED, R.ORGANISER: Own.REFUSED, R.OPERATOR: Own.ALL}


def production(world: World, role: Role) -> Sent:
    """A file with one report."""
    return Sent(
        query={"producer_id": world["producer_id"]},
        content=world["report"].encode(),
        content_type="application/x-ndjson",
    )


def snapshot(producer_id: str) -> dict[str, Any]:
    """A frozen indicator of a producer."""
    period = {"period_from": "2026-07-01", "period_until": "2026-10-01", "direction": "higher_is_better"}
    return period | {"indicator": "t3", "subject": "producer", "area": "03", "producer_id": producer_id, "value": 71}


INDICATED = {
    R.PRODUCER: Own.FILTERED,
    R.ORGANISER: Own.REFUSED,
    R.MUNICIPALITY: Own.REFUSED,
    R.OPERATOR: Own.ALL,
    R.AUTHORITY: Own.ALL,
}

MONITORING = [
    *bus("monitoring"),
    Access("monitoring", "POST", "/v1/production/files", only(R.PRODUCER), production),
    Access("monitoring", "GET", "/v1/production/files/{file_id}", FOLLOWERS),
    Access("monitoring", "GET", "/v1/production/files/{file_id}/rejected", FOLLOWERS),
    Access(
        *("monitoring", "GET", "/v1/indicators", INDICATED),
        query(area="03", month="2026-11"),
    ),
    Access(
        *("monitoring", "POST", "/v1/snapshots", {R.AUTHORITY: Own.ALL, R.ORGANISER: Own.REFUSED}),
        lambda world, role: Sent(json=snapshot(world["producer_id"])),
    ),
    Access("monitoring", "GET", "/v1/snapshots", INDICATED, query(area="03"), marker="snapshot_id"),
    Access(
        *("monitoring", "GET", "/v1/orders/fulfilment", INDICATED),
        query(area="03", year="2026"),
        marker="order_id",
    ),
    Access("monitoring", "GET", "/v1/bus/lag", only(R.OPERATOR, Own.ALL), asks_kafka=True),
    Access("monitoring", "GET", "/v1/bus/deadletters", only(R.OPERATOR, Own.ALL), asks_kafka=True),
    Access(
        *("monitoring", "POST", "/v1/bus/deadletters/redrive", only(R.OPERATOR, Own.ALL)),
        json(letter_ids=["7c1f0a52-93f4-4b8e-a1d7-40c2b6e8f903"], reason="Korjattu."),
        asks_kafka=True,
    ),
]

TABLE: tuple[Access, ...] = (*REGISTRY, *STEERING, *LISTING, *PAYMENTS, *MONITORING)
