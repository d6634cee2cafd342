"""A line of the registration feed: who registered, moved, moved away or died, from which day.

A line becomes a plain dictionary: 300,000 of them are read at a time, and each further object would be felt.
"""

from calendar import isleap
from collections.abc import Sequence
from datetime import date
from typing import Annotated, Any, Literal, NotRequired

from pydantic import ConfigDict, StringConstraints, TypeAdapter, ValidationError, with_config
from typing_extensions import TypedDict

from .hetu import Person

Name = Annotated[str, StringConstraints(min_length=1, max_length=200, strip_whitespace=True)]


@with_config(ConfigDict(extra="forbid", hide_input_in_errors=True))
class Registration(TypedDict):
    """A line of the feed; `protected` is the safety prohibition (turvakielto). `IDENTITY` names what is identity.

    `guardian_hetu` names the guardian (huoltaja) of a child, with whom its client fees count. None is a child
    without one; where the line does not have the field, what was told before holds. The HETU of a guardian is
    hashed at once and kept nowhere, since the vault has it as the guardian's own.
    """

    hetu: str
    given_names: Name
    family_name: Name
    street_address: Name
    postal_code: Annotated[str, StringConstraints(pattern=r"^\d{5}$")]
    municipality: Annotated[str, StringConstraints(pattern=r"^\d{3}$")]
    protected: bool
    fact: Literal["registered", "moved", "moved_away", "died"]
    effective_on: date
    guardian_hetu: NotRequired[str | None]


IDENTITY = ("hetu", "given_names", "family_name", "street_address", "postal_code")
"""The fields of a line that only the vault may keep."""

LINE: TypeAdapter[Registration] = TypeAdapter(Registration)


GROWN_UP_YEARS = 18


def guardian_fault(child: Person, guardian: Person, effective_on: date) -> str | None:
    """The rule that a guardian breaks on the day from which a line holds, or None.

    Somebody has a guardian up to the eighteenth birthday (huoltolaki 361/1983, 3 §), and no guardian is younger
    than the child, so that two children can never name each other.
    """
    if effective_on >= grown_up_on(child.birth_date):
        return "guardian_of_a_child"
    return "guardian_older" if guardian.birth_date >= child.birth_date else None


def grown_up_on(born: date) -> date:
    """The eighteenth birthday; of who was born on 29 February the 28th, as payments counts it too."""
    year = born.year + GROWN_UP_YEARS
    day = 28 if (born.month, born.day) == (2, 29) and not isleap(year) else born.day
    return date(year, born.month, day)


def broken_rule(line: int, field: str, rule: str) -> dict[str, str]:
    """A rule that a field of a line breaks: where and which, never the value, which may be an identity."""
    return {"pointer": f"/{line}/{field}", "rule": rule, "detail": f"The value breaks the rule {rule}."}


def broken_rules(error: ValidationError, line: int) -> Sequence[dict[str, str]]:
    """The rules that a line breaks, by pointer."""
    found = error.errors(include_url=False, include_context=False, include_input=False)
    return [broken_rule(line, _path(one["loc"]), one["type"]) for one in found]


def _path(steps: tuple[Any, ...]) -> str:
    """The field of an error; a name that the sender made up is not said back."""
    return "/".join(str(step) for step in steps if step in Registration.__annotations__)
