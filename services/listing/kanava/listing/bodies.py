"""What the routes take in, and the commands that it becomes."""

import base64
import binascii
import re
from typing import Annotated, Any, ClassVar
from uuid import UUID

from fastapi import Query, Request
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

from kanava.common.auth import Caller, Role
from kanava.common.dates import CalendarDay
from kanava.common.errors import Forbidden, Invalid, UnsupportedMedia
from kanava.common.ids import valid_hetu, valid_oid

from .commands import LookUp, Mandate, PlaceChoice, SetCoefficient, TakeFile
from .errors import DigestMismatch, DigestMissing

NDJSON = "application/x-ndjson"
MOST_LOOKUPS = 1000
_DIGEST = re.compile(r"(?:^|,)\s*sha-256=:([A-Za-z0-9+/]{43}=):\s*(?:,|$)")

Reason = Annotated[str, StringConstraints(min_length=3, max_length=500, strip_whitespace=True)]


class Body(BaseModel):
    """A body with these fields and no others."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class ChoiceBody(Body):
    """The unit that is chosen; an adviser names the resident and the mandate that it acts by."""

    unit_id: Annotated[str, AfterValidator(valid_oid)]
    resident_id: UUID | None = None
    mandate: Reason | None = None

    def command(self, caller: Caller) -> PlaceChoice:
        """The choice of the caller, or by the caller for another; `Forbidden` and `Invalid` where it may
        not be."""
        if caller.role is Role.ADVISER:
            return self._for_another(caller)
        resident_id = self.resident_id or caller.resident
        if resident_id is None:
            raise Forbidden("the token names no resident", rule="own_resident")
        caller.must_be_resident(resident_id)
        return PlaceChoice(resident_id, self.unit_id)

    def _for_another(self, adviser: Caller) -> PlaceChoice:
        if self.resident_id is None:
            raise Invalid("an adviser names the resident", pointer="/resident_id", rule="missing")
        if self.mandate is None:
            raise Invalid("an adviser names its mandate", pointer="/mandate", rule="missing")
        return PlaceChoice(self.resident_id, self.unit_id, Mandate(adviser.subject, self.mandate))


class CoefficientBody(Body):
    """A coefficient in permille (1000 changes nothing), the day from which it holds, and its reason.

    The reason is one of those that the area's compensation model names, where it names some.
    """

    coefficient_permille: int = Field(ge=1, le=100_000)
    starts_on: CalendarDay
    reason: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{1,79}$")] | None = None

    def command(self, resident_id: UUID, caller: Caller) -> SetCoefficient:
        """The command of an organiser for its own area."""
        if caller.area is None:
            raise Forbidden("the token names no area", rule="own_area")
        given = (self.coefficient_permille, self.starts_on, self.reason)
        return SetCoefficient(resident_id, caller.area, *given, decided_by=caller.subject)


class LookupBody(Body):
    """The persons who are looked up, and why."""

    hetus: Annotated[
        list[Annotated[str, AfterValidator(valid_hetu)]],
        Field(min_length=1, max_length=MOST_LOOKUPS, repr=False),
    ]
    reason: Reason

    def command(self, caller: Caller) -> LookUp:
        """The command; an adviser looks up one person at a time."""
        if caller.role is Role.ADVISER and len(self.hetus) > 1:
            raise Invalid("an adviser looks up one person at a time", pointer="/hetus", rule="one_at_a_time")
        return LookUp(tuple(self.hetus), caller.subject, caller.role.value, self.reason)


class FeedQuery:
    """Which file of which feed this is: files of a feed are numbered from 1 without a gap."""

    OPENAPI_BODY: ClassVar[dict[str, Any]] = {
        "requestBody": {"required": True, "content": {NDJSON: {"schema": {"type": "string"}}}}
    }

    def __init__(
        self,
        sequence: Annotated[int, Query(ge=1, le=2_000_000_000)],
        feed: Annotated[str, Query(pattern=r"^[a-z0-9-]{1,40}$")] = "population",
    ) -> None:
        self.sequence = sequence
        self.feed = feed

    def command(self, body: bytes, digest: bytes) -> TakeFile:
        """The command for a file whose digest was checked."""
        return TakeFile(self.feed, self.sequence, body, digest)


def checked_digest(request: Request, body_hash: bytes) -> bytes:
    """The SHA-256 of a file's body, if it is NDJSON and equals its `Content-Digest` (RFC 9530)."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != NDJSON:
        raise UnsupportedMedia(f"the file is sent as {NDJSON}", pointer="/Content-Type", rule="content_type")
    found = _DIGEST.search(request.headers.get("content-digest", ""))
    if found is None:
        raise DigestMissing(pointer="/Content-Digest", rule="content_digest")
    try:
        claimed = base64.b64decode(found[1], validate=True)
    except binascii.Error as error:
        raise DigestMissing(pointer="/Content-Digest", rule="content_digest") from error
    if claimed != body_hash:
        raise DigestMismatch(pointer="/Content-Digest", rule="content_digest")
    return body_hash
