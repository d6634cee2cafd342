"""SQL that reads, and what a reader gets."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Generic, TypeVar

from psycopg import sql
from psycopg.rows import DictRow
from pydantic import BaseModel, ConfigDict, computed_field

from kanava.common.auth import Caller, Role
from kanava.common.contracts.registry import (
    EffectivenessTerm,
    PackageNode,
    PackageTotal,
    PriceBasis,
    ProducerKind,
    UnitOfMeasure,
)
from kanava.common.db import Tx, one, rows
from kanava.common.web import bounded, decode_cursor, next_cursor

from .commands import CompensationModel, RuleBook
from .domain.compensation import warnings_of
from .domain.producers import missing_items
from .errors import DocumentUnknown, PackageUnknown, ProducerUnknown, SchemeUnknown


class View(BaseModel):
    """A frozen answer; columns that it does not name stay inside."""

    model_config = ConfigDict(frozen=True, extra="ignore")


Item = TypeVar("Item", bound=View)

MOST_ROWS = 500


class Page(View, Generic[Item]):
    """A page of a list; `next_cursor` asks for the rows behind it and is None at the end."""

    items: tuple[Item, ...]
    next_cursor: str | None


@dataclass(frozen=True)
class PageRequest:
    """Which page of a list is asked for: from the start or behind a cursor, 1 to 500 rows."""

    cursor: str | None = None
    limit: int | None = None


class WarningView(View):
    """A warning: where, which rule, and in words."""

    pointer: str
    rule: str
    detail: str


class DocumentView(View):
    """A published version of a document with its content."""

    document_id: str
    kind: str
    area: str
    number: int
    valid_from: date
    title: str
    rule_book: RuleBook | None = None
    compensation: CompensationModel | None = None
    text: str | None = None
    correction_reason: str | None = None
    recorded_at: datetime

    @computed_field(description="What the organiser is warned of; a warning refuses nothing.")  # type: ignore[prop-decorator]  # mypy knows no decorated property
    @property
    def warnings(self) -> tuple[WarningView, ...]:
        """The warnings about the terms, read from the terms themselves."""
        if self.compensation is None:
            return ()
        found = warnings_of(self.compensation.fixed_share_permille, self.valid_from)
        return tuple(WarningView(**vars(one)) for one in found)


class PackageSummary(View):
    """A published version of a service package without its nodes."""

    package_id: str
    number: int
    valid_from: date
    name_fi: str
    name_en: str
    source: str
    nodes_count: int


class NodeView(PackageNode):
    """A node of a package with the lines of the source on which it stands."""

    source_lines: tuple[int, ...]


class PackageView(PackageSummary):
    """A published version of a service package with all its nodes in reading order."""

    nodes: tuple[NodeView, ...]


class PriceView(View):
    """The organiser's price of a node from a day on."""

    price_id: str
    version: int
    area: str
    node: str
    unit_of_measure: UnitOfMeasure
    valid_from: date
    price_cents: int
    price_basis: PriceBasis = "unit"
    total_price: PackageTotal | None = None
    correction_reason: str | None = None
    recorded_at: datetime


class CommentView(View):
    """A producer's comment on a scheme and the organiser's answer."""

    number: int
    producer_id: str
    text: str
    answer: str | None


class SchemeDecisionView(View):
    """A municipality's decision on its scheme."""

    number: int
    verdict: str
    reasons: str
    rule_book: str | None
    compensation_model: str | None
    service_description: str | None
    recorded_at: datetime


class SchemePhaseView(View):
    """When a scheme entered a phase."""

    phase: int
    entered_on: date


class SchemeSummary(View):
    """A municipality's scheme, its phase, and the documents it has adopted."""

    scheme_id: str
    version: int
    municipality: str
    area: str
    phase: int
    entered_on: date
    purposes: tuple[str, ...]
    goals: str
    scope: str
    voucher_valid_months: int
    rule_book: str | None
    compensation_model: str | None
    service_description: str | None


class SchemeView(SchemeSummary):
    """A scheme with its dialogue, its decisions and its way through the phases."""

    comments: tuple[CommentView, ...]
    decisions: tuple[SchemeDecisionView, ...]
    phases: tuple[SchemePhaseView, ...]


class ProducerSummary(View):
    """A producer and its standing."""

    producer_id: str
    version: int
    business_id: str
    name: str
    kind: ProducerKind
    area: str
    status: str


class StatementView(View):
    """What a producer stated on a statutory item."""

    item: str
    fulfilled: bool
    statement: str
    recorded_at: datetime


class ProducerDecisionView(View):
    """The organiser's decision on an application."""

    number: int
    verdict: str
    reasons: str
    rule_book: str | None
    recorded_at: datetime


class ProducerView(ProducerSummary):
    """A producer with its application; the account is shown to itself, its organiser and the operator."""

    iban: str | None
    checklist: tuple[StatementView, ...]
    checklist_missing: tuple[str, ...]
    accepted_rule_books: tuple[str, ...]
    decisions: tuple[ProducerDecisionView, ...]


class UnitView(View):
    """A unit of a producer."""

    unit_id: str
    version: int
    producer_id: str
    area: str
    municipality: str
    name: str
    own: bool
    status: str
    capacity: int | None
    opens_on: date
    closes_on: date | None
    languages: tuple[str, ...]


class ContractView(View):
    """A contract with a producer."""

    contract_id: str
    version: int
    producer_id: str
    area: str
    contract_class: str
    compensation_kinds: tuple[str, ...]
    starts_on: date
    ends_on: date | None
    monthly_base_payment_cents: int | None = None
    effectiveness: tuple[EffectivenessTerm, ...] = ()


def _document(row: DictRow) -> DocumentView:
    return DocumentView.model_validate({**row, **row["terms"]})


async def document(tx: Tx, document_id: str) -> DocumentView:
    """A document by its id, as in `03:rule_book:1`."""
    row = await one(tx, "SELECT * FROM document WHERE document_id = %s", (document_id,))
    if row is None:
        raise DocumentUnknown()
    return _document(row)


async def package(tx: Tx, package_id: str) -> PackageView:
    """A package version by its id, as in `PVO:1`, with all its nodes."""
    row = await one(tx, "SELECT * FROM package WHERE package_id = %s", (package_id,))
    if row is None:
        raise PackageUnknown()
    nodes = await rows(tx, "SELECT * FROM package_node WHERE package_id = %s ORDER BY place", (package_id,))
    return PackageView.model_validate({**row, "nodes_count": len(nodes), "nodes": nodes})


async def scheme(tx: Tx, scheme_id: str) -> SchemeView:
    """A scheme by its id, as in `03:049`, with everything that was said and decided."""
    row = await one(tx, "SELECT * FROM scheme WHERE scheme_id = %s", (scheme_id,))
    if row is None:
        raise SchemeUnknown()
    comments = """
        SELECT c.*, a.text AS answer FROM scheme_comment c LEFT JOIN scheme_answer a USING (scheme_id, number)
        WHERE scheme_id = %s ORDER BY number
    """
    decisions = "SELECT * FROM scheme_decision WHERE scheme_id = %s ORDER BY number"
    phases = "SELECT * FROM scheme_phase WHERE scheme_id = %s ORDER BY phase"
    parts = {"comments": comments, "decisions": decisions, "phases": phases}
    said = {name: await rows(tx, query, (scheme_id,)) for name, query in parts.items()}
    return SchemeView.model_validate({**row, **said})


def _sees_account(caller: Caller, producer: DictRow) -> bool:
    own = producer["producer_id"] in caller.producers
    organiser = caller.role is Role.ORGANISER and caller.area == producer["area"]
    return own or organiser or caller.role is Role.OPERATOR


async def producer(tx: Tx, producer_id: str, *, caller: Caller, today: date) -> ProducerView:
    """A producer by its OID; what is missing of the checklist is seen from `today`."""
    row = await one(tx, "SELECT * FROM producer WHERE producer_id = %s", (producer_id,))
    if row is None:
        raise ProducerUnknown()
    stated = await rows(
        tx,
        """
        SELECT * FROM checklist_statement WHERE producer_id = %(producer)s AND revision =
            (SELECT max(revision) FROM checklist_statement WHERE producer_id = %(producer)s) ORDER BY item
        """,
        {"producer": producer_id},
    )
    accepted = "SELECT document_id FROM rule_book_acceptance WHERE producer_id = %s ORDER BY recorded_at"
    decided = "SELECT * FROM producer_decision WHERE producer_id = %s ORDER BY number"
    more: dict[str, Any] = {
        "iban": row["iban"] if _sees_account(caller, row) else None,
        "checklist": stated,
        "checklist_missing": missing_items({entry["item"] for entry in stated if entry["fulfilled"]}, today),
        "accepted_rule_books": [entry["document_id"] for entry in await rows(tx, accepted, (producer_id,))],
        "decisions": await rows(tx, decided, (producer_id,)),
    }
    return ProducerView.model_validate({**row, **more})


async def listed(
    tx: Tx,
    model: type[Item],
    asked: PageRequest,
    *,
    source: str,
    key: str,
    wanted: Mapping[str, str | int | None] | None = None,
    seen: Mapping[str, Any] | None = None,
    made: Callable[[DictRow], Mapping[str, Any]] = dict,
) -> Page[Item]:
    """A page of `source` in the order of `key`, of the rows whose columns have the wanted values.

    `seen` are further parameters of `source`; `made` turns a row into the fields of an item.
    """
    limit = bounded(asked.limit, MOST_ROWS)
    position = decode_cursor(asked.cursor, str)
    filters = {column: value for column, value in (wanted or {}).items() if value is not None}
    conditions = [sql.SQL("{} = {}").format(sql.Identifier(name), sql.Placeholder(name)) for name in filters]
    if position:
        conditions.append(sql.SQL("{} > {}").format(sql.Identifier(key), sql.Placeholder("behind")))
    query = sql.SQL("SELECT * FROM {} WHERE {} ORDER BY {} LIMIT {}").format(
        sql.SQL(source),
        sql.SQL(" AND ").join([sql.SQL("true"), *conditions]),
        sql.Identifier(key),
        sql.Literal(limit),
    )
    behind = position[0] if position else None
    cursor = await tx.execute(query, {**filters, **(seen or {}), "behind": behind})
    found = await cursor.fetchall()
    return Page(
        items=tuple(model.model_validate(made(row)) for row in found),
        next_cursor=next_cursor(found, limit, lambda row: (row[key],)),
    )


async def documents(tx: Tx, asked: PageRequest, *, area: str | None, kind: str | None) -> Page[DocumentView]:
    """Published documents in the order of their ids."""
    source = "(SELECT *, terms -> 'rule_book' AS rule_book, terms -> 'compensation' AS compensation,"
    source += " terms ->> 'text' AS text FROM document) AS document"
    wanted = {"area": area, "kind": kind}
    return await listed(tx, DocumentView, asked, source=source, key="document_id", wanted=wanted)


async def packages(tx: Tx, asked: PageRequest) -> Page[PackageSummary]:
    """Published package versions in the order of their ids."""
    source = "(SELECT p.*, (SELECT count(*) FROM package_node n WHERE n.package_id = p.package_id) AS nodes_count"
    return await listed(tx, PackageSummary, asked, source=f"{source} FROM package p) AS p", key="package_id")


async def prices(tx: Tx, asked: PageRequest, *, area: str | None, node: str | None) -> Page[PriceView]:
    """Prices in the order of their ids, each in its newest version."""
    source = "(SELECT DISTINCT ON (price_id) * FROM price ORDER BY price_id, version DESC) AS price"
    return await listed(tx, PriceView, asked, source=source, key="price_id", wanted={"area": area, "node": node})


async def schemes(tx: Tx, asked: PageRequest, *, area: str | None, municipality: str | None) -> Page[SchemeSummary]:
    """Schemes in the order of their ids."""
    wanted = {"area": area, "municipality": municipality}
    return await listed(tx, SchemeSummary, asked, source="scheme", key="scheme_id", wanted=wanted)


async def producers(tx: Tx, asked: PageRequest, *, area: str | None, status: str | None) -> Page[ProducerSummary]:
    """Producers in the order of their OIDs."""
    wanted = {"area": area, "status": status}
    return await listed(tx, ProducerSummary, asked, source="producer", key="producer_id", wanted=wanted)


async def units(
    tx: Tx, asked: PageRequest, *, area: str | None, municipality: str | None, producer_id: str | None
) -> Page[UnitView]:
    """Units in the order of their OIDs."""
    wanted = {"area": area, "municipality": municipality, "producer_id": producer_id}
    return await listed(tx, UnitView, asked, source="unit", key="unit_id", wanted=wanted)


async def contracts(tx: Tx, asked: PageRequest, *, caller: Caller, producer_id: str | None) -> Page[ContractView]:
    """The contracts that the caller may see, in the order of their ids."""
    source = "(SELECT * FROM contract WHERE %(all)s OR area = %(own_area)s OR producer_id = ANY(%(own)s)) AS contract"
    seen = {
        "all": caller.role in (Role.OPERATOR, Role.AUTHORITY),
        "own_area": caller.area if caller.role is Role.ORGANISER else None,
        "own": list(caller.producers) if caller.role is Role.PRODUCER else [],
    }
    wanted = {"producer_id": producer_id}
    return await listed(tx, ContractView, asked, source=source, key="contract_id", wanted=wanted, seen=seen)
