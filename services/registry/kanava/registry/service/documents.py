"""Publishing the three documents of an area (sääntökirja, korvausmalli, palvelukuvaus)."""

from datetime import datetime
from typing import Any

from kanava.common.auth import Caller
from kanava.common.clock import helsinki_date
from kanava.common.contracts.registry import Document
from kanava.common.db import Tx
from kanava.common.outbox import emit
from kanava.registry import store, views
from kanava.registry.commands import CompensationModel, PublishDocument
from kanava.registry.domain import documents, rate_tables, validity
from kanava.registry.domain.violations import Violation
from kanava.registry.errors import require


async def publish_document(tx: Tx, command: PublishDocument, *, caller: Caller, now: datetime) -> views.DocumentView:
    """Publish the next version of a document of the caller's area, from the current month at the earliest."""
    caller.must_be_in_area(command.area)
    given = {name: getattr(command, name) for name in documents.CONTENT_OF.values()}
    require(
        validity.broken_by_start(command.valid_from, helsinki_date(now))
        + documents.broken_by_content(command.kind, given)
        + (_broken_by_compensation(command.compensation) if command.compensation else [])
    )
    await store.lock_name(tx, f"document {command.area}:{command.kind}")
    number = await store.next_document_number(tx, command.area, command.kind)
    row = {
        **command.model_dump(include={"area", "kind", "valid_from", "title"}),
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
    return [rate_tables.Band(**band.model_dump()) for band in model.bands]


def _broken_by_compensation(model: CompensationModel) -> list[Violation]:
    bands = [one.under("/bands") for one in rate_tables.broken_by_bands(_bands(model))]
    bounds = rate_tables.broken_by_coefficients(model.coefficient_min_permille, model.coefficient_max_permille)
    return [one.under("/compensation") for one in bands + bounds]


def _fact(row: dict[str, Any], command: PublishDocument) -> Document:
    """What others hear of a published document; the text of a service description stays here."""
    model = command.compensation
    terms = rate_tables.terms_of(_bands(model), **model.model_dump(exclude={"bands"})) if model else None
    rule_book = command.rule_book.model_dump() if command.rule_book else None
    return Document.model_validate(
        {**row, "what": "published", "version": 1, "rule_book": rule_book, "compensation": terms}
    )
