"""Publishing the three documents of an area (sääntökirja, korvausmalli, palvelukuvaus)."""

from datetime import date, datetime
from typing import Any

from kanava.common.auth import Caller
from kanava.common.clock import helsinki_date
from kanava.common.contracts.registry import CompensationTerms, Document
from kanava.common.db import Tx
from kanava.common.outbox import emit
from kanava.registry import store, views
from kanava.registry.commands import CompensationModel, PublishDocument
from kanava.registry.domain import compensation, documents, rate_tables, validity
from kanava.registry.domain.violations import Violation
from kanava.registry.errors import require


async def publish_document(tx: Tx, command: PublishDocument, *, caller: Caller, now: datetime) -> views.DocumentView:
    """Publish the next version of a document of the caller's area, from the current month at the earliest."""
    caller.must_be_in_area(command.area)
    given = {name: getattr(command, name) for name in documents.CONTENT_OF.values()}
    require(
        validity.broken_by_start(command.valid_from, helsinki_date(now), command.correction_reason)
        + documents.broken_by_content(command.kind, given)
        + (_broken_by_compensation(command.compensation, command.valid_from) if command.compensation else [])
    )
    await store.lock_name(tx, f"document {command.area}:{command.kind}")
    number = await store.next_document_number(tx, command.area, command.kind)
    row = {
        **command.model_dump(include={"area", "kind", "valid_from", "title", "correction_reason"}),
        "document_id": f"{command.area}:{command.kind}:{number}",
        "number": number,
        "terms": command.model_dump(mode="json", include={*given}, exclude_none=True),
        "published_by": caller.subject,
        "recorded_at": now,
    }
    await store.insert(tx, "document", row)
    await emit(tx, _fact(row, command))
    return await views.document(tx, row["document_id"])


def _bands(model: CompensationModel) -> list[rate_tables.Band]:
    return [
        rate_tables.Band(
            **band.model_dump(include={"sex", "age_from", "age_to"}),
            annual_cents=compensation.annual_cents(band.annual_cents, band.monthly_cents),
        )
        for band in model.bands
    ]


def _broken_by_compensation(model: CompensationModel, valid_from: date) -> list[Violation]:
    rates = compensation.broken_by_rates([(band.annual_cents, band.monthly_cents) for band in model.bands])
    bands = rates or rate_tables.broken_by_bands(_bands(model))
    incentives = [compensation.Incentive(**one.model_dump(exclude={"scale", "subject"})) for one in model.incentives]
    earned = compensation.broken_by_incentives(incentives, model.incentive_percent)
    reasons = compensation.broken_by_reasons([one.code for one in model.coefficient_reasons])
    allowed = [(one.contract_class, one.kinds) for one in model.allowed_kinds]
    broken = [
        *(one.under("/bands") for one in bands),
        *rate_tables.broken_by_coefficients(model.coefficient_min_permille, model.coefficient_max_permille),
        *(one.under("/incentives") for one in earned),
        *(one.under("/coefficient_reasons") for one in reasons),
        *(one.under("/allowed_kinds") for one in compensation.broken_by_allowed_kinds(allowed, valid_from)),
    ]
    return [one.under("/compensation") for one in broken]


def _terms(model: CompensationModel) -> CompensationTerms:
    """The terms of a model as others hear them, its rates per year."""
    monthly = model.bands[0].monthly_cents is not None
    said = {"bands": rate_tables.rate_bands(_bands(model)), "rates_per": "month" if monthly else "year"}
    return CompensationTerms.model_validate(model.model_dump(exclude={"bands"}) | said)


def _fact(row: dict[str, Any], command: PublishDocument) -> Document:
    """What others hear of a published document; the text of a service description stays here."""
    terms = _terms(command.compensation) if command.compensation else None
    rule_book = command.rule_book.model_dump() if command.rule_book else None
    return Document.model_validate(
        {**row, "what": "published", "version": 1, "rule_book": rule_book, "compensation": terms}
    )
