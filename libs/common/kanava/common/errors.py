"""Problems: what the edge answers when a command cannot be done (RFC 9457).

A service subclasses these in its own `errors.py`. A leaf says its HTTP status and whether trying the same
again can help. The tree:

    Problem
    ├── Malformed 400 ── MissingIdempotencyKey 400, SignInFailed 400
    ├── Unauthenticated 401        ├── Forbidden 403
    ├── NotFound 404               ├── MethodNotAllowed 405
    ├── Conflict 409 ── Refused 409 (a domain refusal), KeyInProgress 409 (retry)
    ├── TooLarge 413               ├── UnsupportedMedia 415
    ├── Invalid 422 ── KeyReused 422
    ├── Internal 500               └── Unavailable 503 (retry)
"""

import re
from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import Any, ClassVar, Self

RESERVED = frozenset(
    {"type", "title", "status", "detail", "instance", "trace_id", "retryable", "rule", "pointer"}
)
"""Members of a problem that `extra` may not shadow."""

_SLUG = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")


class RefusalReason(StrEnum):
    """Why a rule refused. A member is written `TOO_EARLY = "too_early", "One sentence for a person."`."""

    def __new__(cls, value: str, sentence: str = "") -> Self:
        """Keep the sentence as the docstring of the member; `ValueError` for a member that has none."""
        if not sentence:
            raise ValueError(f"the reason {value} says nothing")
        member = str.__new__(cls, value)
        member._value_ = value
        member.__doc__ = sentence
        return member

    @property
    def sentence(self) -> str:
        """The reason in one sentence, fit for the `detail` of a problem."""
        return self.__doc__ or self.value


class Problem(Exception):
    """Something that the caller is told in a fixed form.

    `detail` is a sentence for a person, `pointer` a JSON pointer into the input, `rule` the name of the
    broken rule; `extra` members stand beside them in the answer. No detail may name what is secret.
    """

    slug: ClassVar[str] = "problem"
    title: ClassVar[str] = "The request could not be done"
    status: ClassVar[int] = 500
    retryable: ClassVar[bool] = False

    def __init_subclass__(cls) -> None:
        """A slug is part of a URL, so it is checked where it is written."""
        super().__init_subclass__()
        if not _SLUG.fullmatch(cls.slug):
            raise ValueError(f"{cls.__name__} has a slug that cannot stand in a URL")

    def __init__(
        self, detail: str | None = None, *, pointer: str | None = None, rule: str | None = None, **extra: Any
    ) -> None:
        if shadowed := RESERVED & extra.keys():
            raise ValueError(f"a problem cannot have the members {sorted(shadowed)} twice")
        self.detail = detail or self.title
        self.pointer = pointer
        self.rule = rule
        self.extra = extra
        self.headers: Mapping[str, str] = {}
        super().__init__(self.detail)

    @classmethod
    def tree(cls) -> Iterator[type["Problem"]]:
        """This class and every class below it that is known to the process."""
        yield cls
        for child in cls.__subclasses__():
            yield from child.tree()

    @classmethod
    def find(cls, slug: str) -> type["Problem"] | None:
        """The class of a slug, or None."""
        return next((kind for kind in cls.tree() if kind.slug == slug), None)


class Malformed(Problem):
    """The request could not be read: its JSON, its encoding or a header is broken. Nothing was stored."""

    slug, title, status = "malformed", "The request could not be read", 400


class MissingIdempotencyKey(Malformed):
    """This command moves money or lists somebody, so it needs the header `Idempotency-Key`.

    Choose a new key of 1 to 255 printable characters for each command and send the same one when trying
    again.
    """

    slug, title = "missing-idempotency-key", "The header Idempotency-Key is missing or not usable"


class SignInFailed(Malformed):
    """Signing in was broken off, took too long, or was begun in another window. Begin anew."""

    slug, title = "sign-in-failed", "Signing in did not succeed"


class Unauthenticated(Problem):
    """The bearer token is missing, broken, expired, or from another issuer. Get a new one and try again."""

    slug, title, status = "unauthenticated", "A valid bearer token is needed", 401

    def __init__(self, detail: str | None = None, **named: Any) -> None:
        super().__init__(detail, **named)
        self.headers = {"www-authenticate": 'Bearer error="invalid_token"' if detail else "Bearer"}


class Forbidden(Problem):
    """The caller is known and may not do this: the role, area, producer or resident is another's."""

    slug, title, status = "forbidden", "The caller may not do this", 403


class NotFound(Problem):
    """There is nothing at this address, or no object with this id."""

    slug, title, status = "not-found", "Not found", 404


class MethodNotAllowed(Problem):
    """The address exists and does not take this HTTP method; the header `Allow` names those that it takes."""

    slug, title, status = "method-not-allowed", "This address does not take this method", 405


class Conflict(Problem):
    """The command does not fit what is already recorded. Read the current state before another try."""

    slug, title, status = "conflict", "The command does not fit the current state", 409


class Refused(Conflict):
    """A rule of the field refused the command; `reason` names the rule and `detail` says it in a sentence."""

    slug, title = "refused", "A rule refuses this command"

    def __init__(self, reason: RefusalReason, detail: str | None = None, **named: Any) -> None:
        self.reason = reason
        super().__init__(detail or reason.sentence, rule=reason.value, reason=reason.value, **named)


class KeyInProgress(Conflict):
    """A command with the same idempotency key is being done. Try again in a moment, with the same key."""

    slug, title, retryable = "key-in-progress", "A command with this idempotency key is in progress", True


class TooLarge(Problem):
    """The body is larger than this address takes. Nothing was stored."""

    slug, title, status = "too-large", "The body is too large", 413


class UnsupportedMedia(Problem):
    """The address does not take a body of this content type."""

    slug, title, status = "unsupported-media", "The content type is not supported", 415


class Invalid(Problem):
    """The request was read and a value in it breaks a rule; `errors` names every field and its rule."""

    slug, title, status = "invalid", "A value breaks a rule", 422


class KeyReused(Invalid):
    """The idempotency key was used before with another body or address. A new command needs a new key."""

    slug, title = "key-reused", "The idempotency key belongs to another command"

    def __init__(self, detail: str | None = None, **named: Any) -> None:
        super().__init__(detail, **({"pointer": "/Idempotency-Key", "rule": "idempotency_key"} | named))


class Internal(Problem):
    """Something unexpected happened here; nothing was stored. Report the trace id if it stays so."""

    slug, title, status = "internal", "An unexpected error happened", 500


class Unavailable(Problem):
    """Something that the service needs is away. Nothing was stored; try again, with the same key."""

    slug, title, status, retryable = "unavailable", "The service is not available for the moment", 503, True
