"""Who calls and what they may do: tokens of the OpenID Connect issuer, roles of routes, ownership.

Each service verifies every token itself. A route names its roles with `allow(...)`; a check of ownership
(`caller.must_be_resident(...)`) follows in the route, since only it knows whose object it is.
"""

import asyncio
import base64
import hashlib
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypeVar
from uuid import UUID

import httpx
import orjson
import structlog
from fastapi import FastAPI, Request, params
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute, iter_route_contexts
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from .errors import Forbidden, Problem, Unauthenticated, Unavailable

log = structlog.get_logger()

Read = TypeVar("Read")

ALGORITHMS = ("ES256", "RS256")
LEEWAY_SECONDS = 30
REFRESH_PAUSE_SECONDS = 10.0
KEYS_MAX_AGE_SECONDS = 600.0
TOKEN_LIMIT_CHARACTERS = 8_192
PUBLIC_PATHS = frozenset(
    {
        "/healthz",
        "/readyz",
        "/metrics",
        "/openapi.json",
        "/docs",
        "/docs/oauth2-redirect",
        "/redoc",
        "/problems/{slug}",
        "/pages/sign-in",
        "/pages/sign-in/callback",
        "/pages/sign-out",
        "/pages/signed-out",
        "/pages/accessibility",
    }
)
"""Routes that answer without a token; every other route names its roles."""
SESSION_TOKEN = "session_token"
"""Where in the state of a request to a page the token of the browser's session is; nothing else may set it."""


class Role(StrEnum):
    """What a caller is to the system; a token has exactly one."""

    RESIDENT = "resident"
    ADVISER = "adviser"
    PRODUCER = "producer"
    ORGANISER = "organiser"
    MUNICIPALITY = "municipality"
    OPERATOR = "operator"
    AUTHORITY = "authority"


NATIONAL_ROLES = frozenset({Role.OPERATOR, Role.AUTHORITY})
"""Roles whose token may lack an area because they serve all of them."""


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls, as the verified token says: role, area (`03`), municipality (`049`), producers, resident."""

    subject: str
    role: Role
    area: str | None = None
    municipality: str | None = None
    producers: frozenset[str] = frozenset()
    resident: UUID | None = None
    level: str | None = None
    token_id: str | None = None

    @classmethod
    def of_claims(cls, claims: Mapping[str, Any]) -> "Caller":
        """Read verified claims; `ValueError` when one is missing or not of its form."""
        caller = cls(
            subject=str(claims["sub"]),
            role=Role(claims["role"]),
            area=_optional_text(claims, "area"),
            municipality=_optional_text(claims, "municipality"),
            producers=frozenset(_texts(claims.get("producers") or [])),
            resident=UUID(claims["resident"]) if claims.get("resident") else None,
            level=_optional_text(claims, "level"),
            token_id=_optional_text(claims, "jti"),
        )
        if caller.role is Role.RESIDENT and caller.resident is None:
            raise ValueError("a resident's token names no resident")
        return caller

    def must_be_resident(self, resident_id: UUID) -> None:
        """`Forbidden` unless the caller is this resident."""
        if self.role is not Role.RESIDENT or self.resident != resident_id:
            raise Forbidden("the caller is not this resident", rule="own_resident")

    def must_act_for_producer(self, producer_id: UUID | str) -> None:
        """`Forbidden` unless the caller's token names this producer."""
        if self.role is not Role.PRODUCER or str(producer_id) not in self.producers:
            raise Forbidden("the caller does not act for this producer", rule="own_producer")

    def must_be_in_area(self, area: str) -> None:
        """`Forbidden` unless the caller belongs to this area, or serves all areas."""
        if self.area is None and self.role in NATIONAL_ROLES:
            return
        if self.area != area:
            raise Forbidden("the caller does not belong to this area", rule="own_area")

    def must_be_in_municipality(self, municipality: str) -> None:
        """`Forbidden` unless the caller belongs to this municipality."""
        if self.municipality != municipality:
            raise Forbidden("the caller does not belong to this municipality", rule="own_municipality")


def _optional_text(claims: Mapping[str, Any], name: str) -> str | None:
    value = claims.get(name)
    if value is not None and not isinstance(value, str):
        raise ValueError(f"the claim {name} is not a text")
    return value


def _texts(values: Any) -> list[str]:
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        raise ValueError("a claim is not a list of texts")
    return values


class KeyStore:
    """The issuer's public keys: fetched once for all who wait, for an unknown key at most every 10 s."""

    def __init__(self, fetch: Callable[[], Awaitable[Any]]) -> None:
        self._fetch = fetch
        self._keys: dict[str | None, Any] = {}
        self._tried_at = self._fetched_at = float("-inf")
        self._flight: asyncio.Task[None] | None = None
        self.on_withdrawal: Callable[[], None] = lambda: None

    async def find(self, key_id: str | None) -> Any:
        """The key with this `kid`; `Unauthenticated` for an unknown one, `Unavailable` without any."""
        if key_id not in self._keys or time.monotonic() - self._fetched_at > KEYS_MAX_AGE_SECONDS:
            await self._refresh()
        if not self._keys:
            raise Unavailable("the keys of the token issuer cannot be read for the moment")
        if key_id not in self._keys:
            raise Unauthenticated("the token is signed with a key that the issuer does not publish")
        return self._keys[key_id]

    async def _refresh(self) -> None:
        if self._flight is None:
            if time.monotonic() - self._tried_at < REFRESH_PAUSE_SECONDS:
                return
            self._tried_at = time.monotonic()
            self._flight = asyncio.create_task(self._load())
        await asyncio.shield(self._flight)

    async def _load(self) -> None:
        try:
            keys = {key.kid: key for key in KeySet.import_key_set(await self._fetch()) if key.key_type in ("EC", "RSA")}
        except (httpx.HTTPError, JoseError, ValueError, KeyError, TypeError) as error:
            log.warning("keys_not_read", error=type(error).__name__)
            return
        finally:
            self._flight = None
        if self._keys.keys() - keys.keys():
            self.on_withdrawal()
        self._keys, self._fetched_at = keys, time.monotonic()


class TokenVerifier:
    """Verifies bearer tokens of one issuer for one audience, against real time, never the sandbox clock.

    A verified token is remembered by its SHA-256 until it expires, since checking a signature costs some
    100 µs; when the issuer withdraws a key, everything remembered is forgotten.
    """

    def __init__(
        self,
        issuer: str,
        jwks_url: str,
        audience: str,
        *,
        cache_size: int = 16_384,
        fetch: Callable[[], Awaitable[Any]] | None = None,
    ) -> None:
        self._keys = KeyStore(fetch or (lambda: _fetch_json(jwks_url)))
        self._keys.on_withdrawal = lambda: self._verified.clear()
        self._issuer = issuer
        self._cache_size = cache_size
        self._verified: OrderedDict[bytes, tuple[float, Caller]] = OrderedDict()
        self._rules = jwt.JWTClaimsRegistry(
            leeway=LEEWAY_SECONDS,
            iss={"essential": True, "value": issuer},
            aud={"essential": True, "value": audience},
            exp={"essential": True},
            sub={"essential": True},
        )

    async def verify(self, token: str) -> Caller:
        """The caller that a compact JWT names; `Unauthenticated` when any check fails."""
        digest = hashlib.sha256(token.encode()).digest()
        known = self._verified.get(digest)
        if known is not None and time.time() < known[0] + LEEWAY_SECONDS:
            self._verified.move_to_end(digest)
            return known[1]
        self._verified.pop(digest, None)
        expires_at, caller = await self._verify_anew(token)
        self._remember(digest, expires_at, caller)
        return caller

    async def identify(self, id_token: str, *, client_id: str, nonce: str) -> str:
        """The subject of an ID token that the issuer made for this client and nonce; else `Unauthenticated`."""
        rules = jwt.JWTClaimsRegistry(
            leeway=LEEWAY_SECONDS,
            iss={"essential": True, "value": self._issuer},
            aud={"essential": True, "value": client_id},
            exp={"essential": True},
            sub={"essential": True},
            nonce={"essential": True, "value": nonce},
        )
        return await self._read(id_token, rules, lambda claims: str(claims["sub"]))

    async def _verify_anew(self, token: str) -> tuple[float, Caller]:
        return await self._read(token, self._rules, lambda claims: (float(claims["exp"]), Caller.of_claims(claims)))

    async def _read(
        self, token: str, rules: jwt.JWTClaimsRegistry, of_claims: Callable[[Mapping[str, Any]], Read]
    ) -> Read:
        """What is read of the claims of a token that the issuer signed and the rules accept."""
        try:
            key = await self._keys.find(_key_id(token))
            claims = jwt.decode(token, key, algorithms=ALGORITHMS).claims
            rules.validate(claims)
            return of_claims(claims)
        except Problem:
            raise
        except JoseError as error:
            raise Unauthenticated("the token is not valid", rule=error.error or "token") from None
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
            raise Unauthenticated("the token is not of its form", rule="token_form") from None

    def _remember(self, digest: bytes, expires_at: float, caller: Caller) -> None:
        self._verified[digest] = (expires_at, caller)
        while len(self._verified) > self._cache_size:
            self._verified.popitem(last=False)


async def _fetch_json(url: str) -> Any:
    async with httpx.AsyncClient(timeout=5.0, trust_env=False) as client:
        return (await client.get(url)).raise_for_status().json()


def _key_id(token: str) -> str | None:
    """The `kid` of an unverified token; `ValueError` or `Unauthenticated` when it cannot be one of ours."""
    if len(token) > TOKEN_LIMIT_CHARACTERS:
        raise ValueError("a token of this length is not ours")
    first = token.partition(".")[0]
    header = orjson.loads(base64.urlsafe_b64decode(first + "=" * (-len(first) % 4)))
    if header.get("alg") not in ALGORITHMS:
        raise Unauthenticated("the token is signed by an algorithm that is not allowed", rule="algorithm")
    key_id = header.get("kid")
    if key_id is not None and not isinstance(key_id, str):
        raise ValueError("a kid is a text")
    return key_id


def _presented(request: Request) -> str:
    """The token of the browser's session, which only a request to a page has, else the bearer token."""
    token: str | None = request.scope.get("state", {}).get(SESSION_TOKEN)
    return token or _bearer(request)


def _bearer(request: Request) -> str:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise Unauthenticated()
    return token.strip()


class AllowedRoles:
    """The dependency of a route that verifies the token and lets the named roles through.

    It finds the verifier at `app.state.verifier`. Tests read `roles` to go over every route with every role.
    """

    def __init__(self, roles: frozenset[Role]) -> None:
        if not roles:
            raise ValueError("a route without roles serves nobody")
        self.roles = roles

    async def __call__(self, request: Request) -> Caller:
        """The caller; `Unauthenticated` without a valid token, `Forbidden` with another role."""
        verifier: TokenVerifier = request.app.state.verifier
        caller = await verifier.verify(_presented(request))
        if caller.role not in self.roles:
            raise Forbidden(f"the role {caller.role.value} may not call this", rule="role")
        request.state.caller = caller
        return caller


@dataclass(frozen=True)
class Allowing(params.Depends):
    """What `allow` gives: FastAPI takes it as it stands and inside `Depends(...)`, so neither spelling is open."""

    async def __call__(self, request: Request) -> Caller:
        """The caller, by the check of `AllowedRoles`."""
        assert isinstance(self.dependency, AllowedRoles), "the marker lost its roles"
        return await self.dependency(request)


def allow(*roles: Role) -> Any:
    """`Annotated[Caller, allow(Role.RESIDENT, Role.ADVISER)]`: who calls, if their role is one of these."""
    return Allowing(dependency=AllowedRoles(frozenset(roles)))


def roles_by_route(app: FastAPI) -> dict[tuple[str, str], frozenset[Role] | None]:
    """For each (method, path) of an app the roles that may call it; None for a route that names none."""
    found: dict[tuple[str, str], frozenset[Role] | None] = {}
    for route in iter_route_contexts(app.routes):
        dependant = route.dependant if isinstance(route.original_route, APIRoute) else None
        allowed = [one.roles for one in _allowed_in(dependant)] if dependant else []
        roles = frozenset.intersection(*allowed) if allowed else None
        for method in sorted((route.methods or set()) - {"HEAD"}):
            found[method, route.path or ""] = roles
    return found


def routes_without_roles(app: FastAPI) -> list[tuple[str, str]]:
    """The routes that forgot to say who may call them; must be empty."""
    return [key for key, roles in roles_by_route(app).items() if roles is None and key[1] not in PUBLIC_PATHS]


def _allowed_in(dependant: Dependant) -> Iterator[AllowedRoles]:
    call = dependant.call.dependency if isinstance(dependant.call, Allowing) else dependant.call
    if isinstance(call, AllowedRoles):
        yield call
    for inner in dependant.dependencies:
        yield from _allowed_in(inner)
