"""The errors of listing.

Refused 409 ── ChoiceRefused, FeedRefused, CoefficientRefused, VoucherRefused
NotFound 404 ── UnknownUnit, UnknownResident, UnknownVoucher
Invalid 422 ── FeedInvalid, VoucherInvalid
Malformed 400 ── DigestMissing, DigestMismatch
Unavailable 503 (retry) ── UnitChanging
"""

from datetime import date

from kanava.common.errors import Invalid, Malformed, NotFound, RefusalReason, Refused, Unavailable

from .domain.choice import Refusal


class ChoiceRefused(Refused):
    """A choice may not be made; `reason` says why, and `free_from` from which day a next choice may be."""

    slug, title = "choice-refused", "The choice is refused"

    def __init__(self, refusal: Refusal) -> None:
        free_from: date | None = refusal.free_from
        extra = {} if free_from is None else {"free_from": free_from.isoformat()}
        super().__init__(refusal.reason, **extra)


class FeedReason(RefusalReason):
    """Why a file of the registration feed is refused."""

    REPEATED = "feed_repeated", "A file with this number was taken already, with other lines."
    OUT_OF_ORDER = "feed_out_of_order", "The file is not the next of the feed; expected_sequence is."


class FeedRefused(Refused):
    """A file of the registration feed does not follow the last one; nothing of it was stored."""

    slug, title = "feed-refused", "The file is refused"


class CoefficientReason(RefusalReason):
    """Why a client-specific coefficient is refused."""

    NOT_LISTED = "not_listed", "The resident is not listed with any unit on or after that day."
    NO_MODEL = "no_compensation_model", "The area has no compensation model in force on that day."
    OUT_OF_BOUNDS = "out_of_bounds", "The coefficient is outside the bounds of the area's compensation model."
    REASON_NOT_ALLOWED = (
        "reason_not_allowed",
        "The area's compensation model gives coefficients for certain reasons only; reasons names them.",
    )


class CoefficientRefused(Refused):
    """A client-specific coefficient may not be set."""

    slug, title = "coefficient-refused", "The coefficient is refused"


class VoucherRefused(Refused):
    """A voucher may not be granted or changed; `reason` says why."""

    slug, title = "voucher-refused", "The voucher is refused"


class UnknownVoucher(NotFound):
    """There is no voucher with this id."""

    slug, title = "unknown-voucher", "There is no such voucher"


class VoucherInvalid(Invalid):
    """The voucher breaks rules; `errors` names each by pointer and rule. Nothing was stored."""

    slug, title = "voucher-invalid", "The voucher breaks a rule"


class UnknownUnit(NotFound):
    """There is no unit with this id."""

    slug, title = "unknown-unit", "There is no such unit"


class UnknownResident(NotFound):
    """There is no resident with this id."""

    slug, title = "unknown-resident", "There is no such resident"


class FeedInvalid(Invalid):
    """Lines of the file break rules; `errors` names the first hundred by pointer and rule. Nothing was
    stored."""

    slug, title = "feed-invalid", "Lines of the file break rules"


class DigestMissing(Malformed):
    """A file needs the header `Content-Digest` with its SHA-256 (RFC 9530): `sha-256=:<base64>:`."""

    slug, title = "digest-missing", "The header Content-Digest is missing or not usable"


class DigestMismatch(Malformed):
    """The body is not the one that the header `Content-Digest` was made from; it may be cut. Nothing was
    stored."""

    slug, title = "digest-mismatch", "The body does not match its Content-Digest"


class UnitChanging(Unavailable):
    """The registry is changing this unit at this moment; nothing was stored, try again with the same key."""

    slug, title = "unit-changing", "The unit is just being changed"
