"""A line of the registration feed: who registered, moved, moved away or died, from which day."""

from datetime import date
from typing import Annotated, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
    model_validator,
)
from pydantic_core import PydanticCustomError

from .hetu import Person, person_of

Name = Annotated[str, StringConstraints(min_length=1, max_length=200, strip_whitespace=True)]


def _hetu(value: str) -> str:
    try:
        person_of(value)
    except ValueError as error:
        raise PydanticCustomError("hetu", "not a valid HETU") from error
    return value


class Identity(BaseModel):
    """What the vault keeps of a person, and nobody else."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    hetu: Annotated[str, AfterValidator(_hetu)] = Field(repr=False)
    given_names: Name = Field(repr=False)
    family_name: Name = Field(repr=False)
    street_address: Name = Field(repr=False)
    postal_code: Annotated[str, StringConstraints(pattern=r"^\d{5}$")] = Field(repr=False)


class Registration(Identity):
    """A line of the feed; `protected` is the safety prohibition (turvakielto)."""

    municipality: Annotated[str, StringConstraints(pattern=r"^\d{3}$")]
    protected: bool
    fact: Literal["registered", "moved", "moved_away", "died"]
    effective_on: date

    @model_validator(mode="after")
    def _not_before_birth(self) -> Self:
        if self.effective_on < self.person.birth_date:
            raise PydanticCustomError("effective_after_birth", "the fact is older than the person")
        return self

    @property
    def person(self) -> Person:
        """Birth date and sex, as the HETU says."""
        return person_of(self.hetu)


def broken_rules(error: ValidationError, line: int) -> list[dict[str, str]]:
    """The rules that a line breaks, by pointer; never the values, which may be an identity."""
    return [
        {"pointer": "/".join(["", str(line), *map(str, one["loc"])]), "rule": one["type"], "detail": _sentence(one["type"])}
        for one in error.errors(include_url=False, include_context=False, include_input=False)
    ]


def _sentence(rule: str) -> str:
    return f"The value breaks the rule {rule}."
