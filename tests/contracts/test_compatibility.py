"""What breaks a reader, and what does not: the comparison itself, both ways."""

from enum import StrEnum
from typing import Annotated, Any, Literal

import pytest
from pydantic import BaseModel, Field, create_model

from kanava.common.contracts.compatibility import breaks


class Inner(BaseModel):
    """A part of the fact before the change."""

    unit_id: str
    until: int | None


def fact(**changes: Any) -> dict[str, Any]:
    """The schema of a small fact with some fields changed; a field that is None is left out."""
    fields: dict[str, Any] = {
        "what": (Literal["opened", "closed"], ...),
        "amount_cents": (int, ...),
        "name": (str, ...),
        "area": (str | None, None),
        "spans": (tuple[Inner, ...], ()),
    }
    kept = {name: kind for name, kind in (fields | changes).items() if kind is not None}
    return create_model("Fact", **kept).model_json_schema()


class Colour(StrEnum):
    """A closed list in place of a text."""

    RED = "red"


class InnerWithout(BaseModel):
    """A part that lost a field."""

    until: int | None


class InnerWithMore(Inner):
    """A part that gained an optional field."""

    origin: str = "default"


class InnerRetyped(BaseModel):
    """A part whose field has another type."""

    unit_id: int
    until: int | None


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"language": (str, "fi")},
        {"language": (str | None, None)},
        {"what": (Literal["opened", "closed", "moved"], ...)},
        {"spans": (tuple[InnerWithMore, ...], ())},
        {"name": (str, "none")},
    ],
    ids=["same", "optional", "optional_or_null", "event_type_more", "optional_in_part", "no_longer_required"],
)
def test_a_change_that_every_reader_survives(changes: dict[str, Any]) -> None:
    assert breaks(fact(), fact(**changes)) == []


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"name": None}, "/name: the field is gone"),
        ({"amount_cents": (str, ...)}, "/amount_cents: the type was integer and is now string"),
        ({"amount_cents": (float, ...)}, "/amount_cents: the type was integer and is now number"),
        ({"name": (str | None, None)}, "/name: the type was string and is now null or string"),
        ({"area": (str, "03")}, "/area: the type was null or string and is now string"),
        ({"language": (str, ...)}, "/language: the field is now required"),
        ({"area": (str | None, ...)}, "/area: the field is now required"),
        ({"what": (Literal["opened"], ...)}, "/what: the values closed are gone"),
        ({"name": (Colour, ...)}, "/name: any value was allowed and now only red"),
        ({"amount_cents": (Annotated[int, Field(ge=0)], ...)}, "/amount_cents: minimum was free and is now 0"),
        ({"spans": (tuple[InnerWithout, ...], ())}, "/spans/items/unit_id: the field is gone"),
        ({"spans": (tuple[InnerRetyped, ...], ())}, "/spans/items/unit_id: the type was string and is now integer"),
        ({"spans": (str, "")}, "/spans: the type was array and is now string"),
    ],
)
def test_a_change_that_breaks_a_reader(changes: dict[str, Any], named: str) -> None:
    found = breaks(fact(), fact(**changes))
    assert len(found) == 1, found
    assert found[0].startswith(named)


def test_every_broken_rule_is_named() -> None:
    found = breaks(fact(), fact(name=None, amount_cents=(str, ...), language=(str, ...)))
    assert [one.split(":")[0] for one in found] == ["/amount_cents", "/name", "/language"]
