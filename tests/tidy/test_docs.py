"""The documents keep their form, and what they show exists."""

import json
import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from kanava.common.contracts import export
from tests.tidy.source import ROOT
from tests.tidy.test_coverage import exists

DOCS = ROOT / "docs"
ADRS = sorted((DOCS / "adr").glob("*.md"))
HOWTOS = sorted(DOCS.glob("howto-*.md"))
PARTS = ["Context", "Decision", "Consequences", "Check"]
CONTEXT_SENTENCES = (2, 4)
SETTLED = 15


def sections(text: str) -> dict[str, str]:
    """What stands under each heading of the second level."""
    parts = re.split(r"^## (.+)$", text, flags=re.MULTILINE)[1:]
    return {title.strip(): body.strip() for title, body in zip(parts[::2], parts[1::2], strict=True)}


def sentences(text: str) -> list[str]:
    """The sentences of a paragraph; code between backticks ends none."""
    plain = re.sub(r"`[^`]*`", "code", text)
    return [one for one in re.split(r"(?<=[.!?])\s+", plain) if one]


def test_adrs_are_numbered_without_a_gap() -> None:
    assert [int(path.name[:4]) for path in ADRS] == list(range(1, len(ADRS) + 1))


@pytest.mark.parametrize("path", ADRS, ids=lambda path: path.stem)
def test_an_adr_has_its_four_parts(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    parts = sections(text)
    assert text.startswith(f"# {int(path.name[:4])}. ")
    assert list(parts) == PARTS
    assert CONTEXT_SENTENCES[0] <= len(sentences(parts["Context"])) <= CONTEXT_SENTENCES[1]
    assert len(sentences(parts["Decision"])) == 1, "the decision is one imperative"
    assert parts["Consequences"]


@pytest.mark.parametrize("path", ADRS, ids=lambda path: path.stem)
def test_the_check_of_an_adr_exists(path: Path) -> None:
    named = re.findall(r"`(tests/[^`]+::[^`]+)`", sections(path.read_text(encoding="utf-8"))["Check"])
    assert named, "an ADR names the test that enforces it"
    assert [one for one in named if not exists(one)] == []


def test_every_term_of_the_glossary_has_three_languages_and_a_meaning() -> None:
    lines = (DOCS / "glossary.md").read_text(encoding="utf-8").splitlines()
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("| ")][1:]
    assert len(rows) > 50
    assert [row for row in rows if len(row) != 4 or not all(row)] == []
    for column in (0, 2):
        terms = [row[column].lower() for row in rows]
        assert len(set(terms)) == len(terms), "a term stands twice"


def test_every_settled_question_has_its_reason() -> None:
    questions = sections((DOCS / "settled-questions.md").read_text(encoding="utf-8"))
    numbers = [int(title.split(".")[0]) for title in questions]
    assert numbers == list(range(1, len(numbers) + 1))
    assert len(numbers) >= SETTLED
    assert [title for title, text in questions.items() if "\n**Reason:** " not in text] == []


@dataclass(frozen=True)
class Curl:
    """A command of a how-to: where it goes, how, and with what."""

    where: str
    service: str
    method: str
    path: str
    query: frozenset[str]
    headers: frozenset[str]
    body: Any = field(compare=False, hash=False)


def curls(path: Path) -> Iterator[Curl]:
    """Every `curl` of a document, read as a shell would."""
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if line.startswith("curl "):
            yield _curl(f"{path.name}:{number}", shlex.split(re.sub(r"\$\([^)]*\)", "made", line)))


def _curl(where: str, words: list[str]) -> Curl:
    options = [(word, words[n + 1]) for n, word in enumerate(words[:-1]) if word.startswith("-")]
    named = dict(options)
    url = next(word for word in words if word.startswith("$"))
    base, _, rest = url.removeprefix("$").partition("/")
    path, _, query = rest.partition("?")
    return Curl(
        where=where,
        service=base.lower(),
        method=named.get("-X", "GET"),
        path=f"/{path}",
        query=frozenset(part.split("=")[0] for part in query.split("&") if part),
        headers=frozenset(value.split(":")[0].lower() for option, value in options if option == "-H"),
        body=json.loads(named["-d"]) if "-d" in named and not named["-d"].startswith("@") else None,
    )


ALL_CURLS = [one for path in HOWTOS for one in curls(path)]


def operation_of(curl: Curl) -> tuple[dict[str, Any], dict[str, Any]]:
    """The committed OpenAPI document of the service and the operation that the command calls."""
    document = json.loads((DOCS / "contracts" / f"openapi-{curl.service}.json").read_text(encoding="utf-8"))
    for template, item in document["paths"].items():
        fits = re.fullmatch(re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(template)), curl.path)
        if fits and curl.method.lower() in item and _literal(template) >= _literal_of_others(document, curl):
            return document, item[curl.method.lower()]
    pytest.fail(f"{curl.where}: {curl.service} has no route {curl.method} {curl.path}")


def _literal(template: str) -> int:
    """How many parts of a path are no parameter."""
    return sum("{" not in part for part in template.split("/"))


def _literal_of_others(document: dict[str, Any], curl: Curl) -> int:
    """The most literal parts among the templates that fit the path with this method."""
    fitting = (
        template
        for template, item in document["paths"].items()
        if re.fullmatch(re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(template)), curl.path) and curl.method.lower() in item
    )
    return max(map(_literal, fitting), default=0)


def test_the_how_tos_show_commands() -> None:
    assert {path.stem for path in HOWTOS} == {
        "howto-resident",
        "howto-producer",
        "howto-operator",
        "howto-organiser",
    }
    assert all(list(curls(path)) for path in HOWTOS)
    assert {curl.service for curl in ALL_CURLS} == set(export.SERVICES)


@pytest.mark.parametrize("path", HOWTOS, ids=lambda path: path.stem)
def test_a_how_to_fills_in_by_what_machines_have(path: Path) -> None:
    """`uuidgen`, for one, is missing on a small Debian: the key would be empty."""
    found = set(re.findall(r"\$\(([a-z./]+)", path.read_text(encoding="utf-8")))
    assert found <= {"cat", "openssl", "./kanava"}


@pytest.mark.parametrize("path", HOWTOS, ids=lambda path: path.stem)
def test_a_how_to_says_where_the_services_are_that_it_calls(path: Path) -> None:
    (told,) = re.findall(r"address of each service; here they stand in (.+?)\.", path.read_text(encoding="utf-8"))
    assert {one.lower() for one in re.findall(r"\$([A-Z]+)", told)} == {curl.service for curl in curls(path)}


@pytest.mark.parametrize("path", HOWTOS, ids=lambda path: path.stem)
def test_every_command_of_a_how_to_can_be_pasted(path: Path) -> None:
    """It stands in a block that is closed before the next heading, and the shell fills its variables in."""
    inside = False
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        where = f"{path.name}:{number}"
        if line.startswith("```"):
            inside = not inside
        assert not (inside and line.startswith("#")), f"{where}: the block before it is not closed"
        assert inside or not line.startswith("curl "), f"{where}: a command outside a block"
        assert not re.search(r"'[^']*\$[A-Z]+[^']*'", line), f"{where}: the shell does not look between single quotes"
    assert not inside, "the last block is not closed"


@pytest.mark.parametrize("curl", ALL_CURLS, ids=lambda curl: curl.where)
def test_a_command_of_a_how_to_fits_its_route(curl: Curl) -> None:
    """Path, method, query, headers and body are those of the OpenAPI document."""
    document, operation = operation_of(curl)
    parameters = operation.get("parameters", [])
    known = {one["name"] for one in parameters if one["in"] == "query"}
    needed = {one["name"] for one in parameters if one["in"] == "query" and one.get("required")}
    assert needed <= curl.query <= known
    if any(one["name"] == "Idempotency-Key" for one in parameters):
        assert "idempotency-key" in curl.headers
    assert "authorization" in curl.headers
    if curl.body is not None:
        schema = operation["requestBody"]["content"]["application/json"]["schema"]
        _check_body(schema | {"components": document["components"]}, curl.body)


def _check_body(schema: dict[str, Any], body: Any) -> None:
    """The body has every required field and no unknown one; a shell variable stands for its value."""
    errors = [
        error
        for error in Draft202012Validator(schema).iter_errors(body)
        if not (isinstance(error.instance, str) and error.instance.startswith("$"))
    ]
    assert errors == []
