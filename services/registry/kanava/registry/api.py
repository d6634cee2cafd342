"""The registry over HTTP: each route turns its input into a command or a read, and commits."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Request

from kanava.common.auth import Caller, Role, allow
from kanava.common.clock import helsinki_date
from kanava.common.db import Tx, transaction

from . import commands, views
from .service import departures, documents, packages, producers, schemes, units

router = APIRouter(prefix="/v1")

Anybody = Annotated[Caller, allow(*Role)]
Organiser = Annotated[Caller, allow(Role.ORGANISER)]
Producer = Annotated[Caller, allow(Role.PRODUCER)]
Municipality = Annotated[Caller, allow(Role.MUNICIPALITY)]
UnitRunner = Annotated[Caller, allow(Role.PRODUCER, Role.ORGANISER)]
ContractReader = Annotated[Caller, allow(Role.ORGANISER, Role.PRODUCER, Role.OPERATOR, Role.AUTHORITY)]
Asked = Annotated[views.PageRequest, Depends()]


@asynccontextmanager
async def _opened(request: Request) -> AsyncIterator[tuple[Tx, datetime]]:
    """The transaction of a route, committed at its end, and the instant at which the command is given."""
    async with transaction(request.app.state.pool) as tx:
        yield tx, await request.app.state.clock.now(tx)


@router.post("/documents", status_code=201, tags=["documents"])
async def post_document(request: Request, body: commands.PublishDocument, caller: Organiser) -> views.DocumentView:
    """Publish the next version of a rule book, a compensation model or a service description of the own area."""
    async with _opened(request) as (tx, now):
        return await documents.publish_document(tx, body, caller=caller, now=now)


@router.get("/documents", tags=["documents"])
async def get_documents(
    request: Request,
    caller: Anybody,
    asked: Asked,
    area: str | None = None,
    kind: Literal["rule_book", "compensation_model", "service_description"] | None = None,
) -> views.Page[views.DocumentView]:
    """Published documents of all areas, or of one."""
    async with _opened(request) as (tx, _):
        return await views.documents(tx, asked, area=area, kind=kind)


@router.get("/documents/{document_id}", tags=["documents"])
async def get_document(request: Request, document_id: str, caller: Anybody) -> views.DocumentView:
    """A published version of a document."""
    async with _opened(request) as (tx, _):
        return await views.document(tx, document_id)


@router.post("/packages", status_code=201, tags=["packages"])
async def post_package(request: Request, body: commands.PublishPackage, caller: Organiser) -> views.PackageView:
    """Publish the next version of a service package with all its nodes."""
    async with _opened(request) as (tx, now):
        return await packages.publish_package(tx, body, caller=caller, now=now)


@router.get("/packages", tags=["packages"])
async def get_packages(request: Request, caller: Anybody, asked: Asked) -> views.Page[views.PackageSummary]:
    """Published versions of service packages, without their nodes."""
    async with _opened(request) as (tx, _):
        return await views.packages(tx, asked)


@router.get("/packages/{package_id}", tags=["packages"])
async def get_package(request: Request, package_id: str, caller: Anybody) -> views.PackageView:
    """A published version of a service package with all its nodes."""
    async with _opened(request) as (tx, _):
        return await views.package(tx, package_id)


@router.post("/prices", status_code=201, tags=["prices"])
async def post_price(request: Request, body: commands.SetPrice, caller: Organiser) -> views.PriceView:
    """Set the organiser's price of a package node in the own area, from a day on."""
    async with _opened(request) as (tx, now):
        return await packages.set_price(tx, body, caller=caller, now=now)


@router.get("/prices", tags=["prices"])
async def get_prices(
    request: Request, caller: Anybody, asked: Asked, area: str | None = None, node: str | None = None
) -> views.Page[views.PriceView]:
    """The organisers' prices, each in its newest version."""
    async with _opened(request) as (tx, _):
        return await views.prices(tx, asked, area=area, node=node)


@router.post("/schemes", status_code=201, tags=["schemes"])
async def post_scheme(request: Request, body: commands.PlanScheme, caller: Organiser) -> views.SchemeView:
    """Start the scheme of a municipality of the own area in phase 1, planning."""
    async with _opened(request) as (tx, now):
        return await schemes.plan_scheme(tx, body, caller=caller, now=now)


@router.get("/schemes", tags=["schemes"])
async def get_schemes(
    request: Request, caller: Anybody, asked: Asked, area: str | None = None, municipality: str | None = None
) -> views.Page[views.SchemeSummary]:
    """The schemes of municipalities and the phases they are in."""
    async with _opened(request) as (tx, _):
        return await views.schemes(tx, asked, area=area, municipality=municipality)


@router.get("/schemes/{scheme_id}", tags=["schemes"])
async def get_scheme(request: Request, scheme_id: str, caller: Anybody) -> views.SchemeView:
    """A scheme with its dialogue, its decisions and its way through the phases."""
    async with _opened(request) as (tx, _):
        return await views.scheme(tx, scheme_id)


@router.post("/schemes/{scheme_id}/comments", status_code=201, tags=["schemes"])
async def post_comment(
    request: Request, scheme_id: str, body: commands.CommentOnScheme, caller: Producer
) -> views.SchemeView:
    """Comment on a scheme in its dialogue, for an own producer."""
    async with _opened(request) as (tx, now):
        return await schemes.comment_on_scheme(tx, scheme_id, body, caller=caller, now=now)


@router.post("/schemes/{scheme_id}/comments/{number}/answer", status_code=201, tags=["schemes"])
async def post_answer(
    request: Request, scheme_id: str, number: int, body: commands.AnswerComment, caller: Organiser
) -> views.SchemeView:
    """Answer a producer's comment on a scheme of the own area."""
    async with _opened(request) as (tx, now):
        return await schemes.answer_comment(tx, scheme_id, body, number=number, caller=caller, now=now)


@router.post("/schemes/{scheme_id}/decision", status_code=201, tags=["schemes"])
async def post_scheme_decision(
    request: Request, scheme_id: str, body: commands.DecideOnScheme, caller: Municipality
) -> views.SchemeView:
    """Decide on the own municipality's scheme, with reasons, and adopt its three documents."""
    async with _opened(request) as (tx, now):
        return await schemes.decide_on_scheme(tx, scheme_id, body, caller=caller, now=now)


@router.post("/schemes/{scheme_id}/phase", status_code=201, tags=["schemes"])
async def post_phase(
    request: Request, scheme_id: str, body: commands.EnterPhase, caller: Organiser
) -> views.SchemeView:
    """Move a scheme of the own area into its next phase."""
    async with _opened(request) as (tx, now):
        return await schemes.enter_phase(tx, scheme_id, body, caller=caller, now=now)


@router.post("/producers", status_code=201, tags=["producers"])
async def post_producer(request: Request, body: commands.ApplyAsProducer, caller: Producer) -> views.ProducerView:
    """Apply for approval as a producer of an area."""
    async with _opened(request) as (tx, now):
        return await producers.apply_as_producer(tx, body, caller=caller, now=now)


@router.get("/producers", tags=["producers"])
async def get_producers(
    request: Request, caller: Anybody, asked: Asked, area: str | None = None, status: str | None = None
) -> views.Page[views.ProducerSummary]:
    """Producers and their standing."""
    async with _opened(request) as (tx, _):
        return await views.producers(tx, asked, area=area, status=status)


@router.get("/producers/{producer_id}", tags=["producers"])
async def get_producer(request: Request, producer_id: str, caller: Anybody) -> views.ProducerView:
    """A producer with its application; its account only for itself, its organiser and the operator."""
    async with _opened(request) as (tx, now):
        return await views.producer(tx, producer_id, caller=caller, today=helsinki_date(now))


@router.put("/producers/{producer_id}/checklist", tags=["producers"])
async def put_checklist(
    request: Request, producer_id: str, body: commands.StateChecklist, caller: Producer
) -> views.ProducerView:
    """State the statutory items of an own producer; what was stated before is replaced."""
    async with _opened(request) as (tx, now):
        return await producers.state_checklist(tx, producer_id, body, caller=caller, now=now)


@router.post("/producers/{producer_id}/acceptances", status_code=201, tags=["producers"])
async def post_acceptance(
    request: Request, producer_id: str, body: commands.AcceptRuleBook, caller: Producer
) -> views.ProducerView:
    """Accept the current rule book of the area for an own producer."""
    async with _opened(request) as (tx, now):
        return await producers.accept_rule_book(tx, producer_id, body, caller=caller, now=now)


@router.post("/producers/{producer_id}/decision", status_code=201, tags=["producers"])
async def post_producer_decision(
    request: Request, producer_id: str, body: commands.DecideOnProducer, caller: Organiser
) -> views.ProducerView:
    """Approve or reject a producer of the own area, with reasons."""
    async with _opened(request) as (tx, now):
        return await producers.decide_on_producer(tx, producer_id, body, caller=caller, now=now)


@router.post("/producers/{producer_id}/standing", status_code=201, tags=["producers"])
async def post_producer_standing(
    request: Request, producer_id: str, body: commands.ChangeStanding, caller: Organiser
) -> views.ProducerView:
    """Suspend or reinstate a producer of the own area, or record that it leaves, with reasons."""
    async with _opened(request) as (tx, now):
        return await departures.change_standing(tx, producer_id, body, caller=caller, now=now)


@router.post("/units", status_code=201, tags=["units"])
async def post_unit(request: Request, body: commands.OpenUnit, caller: UnitRunner) -> views.UnitView:
    """Open a unit of an own producer, or of the own area's own enterprise."""
    async with _opened(request) as (tx, now):
        return await units.open_unit(tx, body, caller=caller, now=now)


@router.get("/units", tags=["units"])
async def get_units(
    request: Request,
    caller: Anybody,
    asked: Asked,
    area: str | None = None,
    municipality: str | None = None,
    producer_id: str | None = None,
) -> views.Page[views.UnitView]:
    """Units, open and closed."""
    async with _opened(request) as (tx, _):
        return await views.units(tx, asked, area=area, municipality=municipality, producer_id=producer_id)


@router.post("/units/{unit_id}/close", status_code=201, tags=["units"])
async def post_close(request: Request, unit_id: str, body: commands.CloseUnit, caller: UnitRunner) -> views.UnitView:
    """Close a unit of an own producer, or of the own area's own enterprise."""
    async with _opened(request) as (tx, now):
        return await units.close_unit(tx, unit_id, body, caller=caller, now=now)


@router.post("/contracts", status_code=201, tags=["contracts"])
async def post_contract(request: Request, body: commands.SignContract, caller: Organiser) -> views.ContractView:
    """Sign a contract with an approved producer of the own area."""
    async with _opened(request) as (tx, now):
        return await units.sign_contract(tx, body, caller=caller, now=now)


@router.post("/contracts/{contract_id}/end", status_code=201, tags=["contracts"])
async def post_contract_end(
    request: Request, contract_id: str, body: commands.EndContract, caller: Organiser
) -> views.ContractView:
    """End a contract of the own area on a day, or sooner than was agreed."""
    async with _opened(request) as (tx, now):
        return await departures.end_contract(tx, contract_id, body, caller=caller, now=now)


@router.get("/contracts", tags=["contracts"])
async def get_contracts(
    request: Request, caller: ContractReader, asked: Asked, producer_id: str | None = None
) -> views.Page[views.ContractView]:
    """Contracts: a producer's own, an organiser's of its area, all for the operator and the authorities."""
    async with _opened(request) as (tx, _):
        return await views.contracts(tx, asked, caller=caller, producer_id=producer_id)
