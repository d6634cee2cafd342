"""Statements as files: XLSX with every line, and tagged PDF."""

import asyncio
import tempfile
from collections.abc import Iterator, Sequence
from typing import IO, Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Header, Query, Request, Response
from fastapi.responses import StreamingResponse

from kanava.common.db import Pool, transaction
from kanava.common.languages import chosen_language

from ..service.statements import statement_row
from ..statement_paper import Paper, read_paper
from ..statement_pdf import PDF_LINES, statement_pdf
from ..statement_xlsx import StatementBook
from ..views import explained
from .inputs import Statements, must_see_producer

router = APIRouter()
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
PAGE_LINES = 5_000
CHUNK_BYTES = 65_536
Language = Annotated[Literal["fi", "sv", "en"] | None, Query(description="Else by Accept-Language, else Finnish.")]
Accepted = Annotated[str | None, Header(alias="Accept-Language", max_length=200)]


@router.get(
    "/v1/statements/{statement_id}.xlsx",
    tags=["statements"],
    response_class=Response,
    responses={200: {"content": {XLSX: {"schema": {"type": "string", "format": "binary"}}}}},
)
async def get_statement_xlsx(
    request: Request, statement_id: UUID, caller: Statements, lang: Language = None, accept_language: Accepted = None
) -> Response:
    """A statement (tilitys) as XLSX: summary and every line with its rule and event; euros are numbers."""
    paper = await _paper(request, statement_id, caller, chosen_language(lang, accept_language))
    out = tempfile.TemporaryFile()  # noqa: SIM115  # the answer closes it once it is sent
    async with request.app.state.paper_slots:
        book = await asyncio.to_thread(StatementBook, out, paper)
        await _write_lines(request.app.state.pool, book, paper)
        await asyncio.to_thread(book.close)
    return StreamingResponse(_chunks(out), media_type=XLSX, headers=_named(paper, "xlsx"))


async def _write_lines(pool: Pool, book: StatementBook, paper: Paper) -> None:
    """Page by page, each in a short transaction of its own: the lines of a closed month do not change."""
    place: Sequence[str] = explained.FIRST_LINE
    while True:
        async with transaction(pool) as tx:
            page = await explained.lines(tx, paper.head, after=place, limit=PAGE_LINES)
        await asyncio.to_thread(book.write, page)
        if len(page) < PAGE_LINES:
            return
        place = explained.place_of(page[-1])


@router.get(
    "/v1/statements/{statement_id}.pdf",
    tags=["statements"],
    response_class=Response,
    responses={200: {"content": {"application/pdf": {"schema": {"type": "string", "format": "binary"}}}}},
)
async def get_statement_pdf(
    request: Request, statement_id: UUID, caller: Statements, lang: Language = None, accept_language: Accepted = None
) -> Response:
    """A statement (tilitys) as tagged PDF (PDF/UA-1) with its first thousand lines."""
    paper = await _paper(request, statement_id, caller, chosen_language(lang, accept_language))
    async with transaction(request.app.state.pool) as tx:
        lines = await explained.lines(tx, paper.head, limit=PDF_LINES)
    async with request.app.state.paper_slots:
        content = await asyncio.to_thread(statement_pdf, paper, lines)
    return Response(content, media_type="application/pdf", headers=_named(paper, "pdf"))


async def _paper(request: Request, statement_id: UUID, caller: Statements, language: str) -> Paper:
    async with transaction(request.app.state.pool) as tx:
        row = await statement_row(tx, statement_id)
        must_see_producer(caller, row["producer_id"], row["area"])
        return await read_paper(tx, statement_id, language)


def _named(paper: Paper, ending: str) -> dict[str, str]:
    name = f"tilitys-{paper.head['area']}-{paper.month}-{paper.head['statement_id']}.{ending}"
    return {
        "content-disposition": f'attachment; filename="{name}"',
        "content-language": paper.language,
        "vary": "accept-language",
    }


def _chunks(file: IO[bytes]) -> Iterator[bytes]:
    with file:
        file.seek(0)
        while chunk := file.read(CHUNK_BYTES):
            yield chunk
