"""The three documents of an area (sääntökirja, korvausmalli, palvelukuvaus) and what each must contain."""

from collections.abc import Mapping
from typing import Literal

from .violations import Violation

DocumentKind = Literal["rule_book", "compensation_model", "service_description"]

CONTENT_OF: dict[DocumentKind, str] = {
    "rule_book": "rule_book",
    "compensation_model": "compensation",
    "service_description": "text",
}
"""The one field that carries the content of each kind."""


def broken_by_content(kind: DocumentKind, given: Mapping[str, object]) -> list[Violation]:
    """A document has the content of its kind and no other; `given` maps content fields to values or None."""
    broken = []
    for field in CONTENT_OF.values():
        wanted = field == CONTENT_OF[kind]
        if wanted and given.get(field) is None:
            broken.append(Violation(f"/{field}", "content_of_kind", f"a {kind} has {field}"))
        if not wanted and given.get(field) is not None:
            broken.append(Violation(f"/{field}", "content_of_kind", f"a {kind} has no {field}"))
    return broken
