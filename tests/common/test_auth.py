"""Tokens, roles and ownership."""

import asyncio
import base64
import hmac
import time
from collections.abc import Callable
from typing import Annotated, Any
from uuid import UUID, uuid4

import httpx
import orjson
import pytest
from fastapi import APIRouter, Depends, FastAPI
from joserfc import jwt
from joserfc.jwk import ECKey, RSAKey

from kanava.common import auth, web
from kanava.common.auth import Caller, Role, TokenVerifier, allow, roles_by_route, routes_without_roles
from kanava.common.errors import Forbidden, Unauthenticated, Unavailable
from kanava.common.settings import ServiceSettings

RESIDENT = UUID("6f9619ff-8b86-4011-b42d-00c04fc964ff")
KEY = ECKey.generate_key("P-256", {"kid": "first"})
OTHER_KEY = ECKey.generate_key("P-256", {"kid": "second"})
RSA_KEY = RSAKey.generate_key(2048, {"kid": "rsa"})


class Issuer:
    """Publishes keys, counts who asks, and can be away."""

    def __init__(self, *keys: Any) -> None:
        self.keys = list(keys)
        self.asked = 0
        self.is_away = False

    async def __call__(self) -> Any:
        self.asked += 1
        await asyncio.sleep(0.01)
        if self.is_away:
            raise httpx.ConnectError("away")
        return {"keys": [key.as_dict(private=False) for key in self.keys]}


def verifier(issuer: Issuer | None = None, **named: Any) -> TokenVerifier:
    return TokenVerifier("https://issuer", "", "kanava", fetch=issuer or Issuer(KEY, RSA_KEY), **named)


def token(key: Any = KEY, algorithm: str = "ES256", **claims: Any) -> str:
    now = int(time.time())
    fixed = {"iss": "https://issuer", "aud": "kanava", "sub": "me", "iat": now, "nbf": now, "exp": now + 300}
    named = fixed | {"role": "resident", "resident": str(RESIDENT)} | claims
    header = {"alg": algorithm, "kid": key.kid}
    return jwt.encode(header, {k: v for k, v in named.items() if v is not None}, key, algorithms=[algorithm])


async def test_a_token_names_its_caller() -> None:
    caller = await verifier().verify(token(area="03", municipality="049", level="director", jti="t1"))
    assert caller == Caller(
        "me", Role.RESIDENT, area="03", municipality="049", resident=RESIDENT, level="director", token_id="t1"
    )


async def test_an_rsa_key_of_the_issuer_signs_too() -> None:
    assert (await verifier().verify(token(RSA_KEY, "RS256"))).subject == "me"


NOW = int(time.time())


@pytest.mark.parametrize(
    "claims",
    [
        {"iss": "https://another"},
        {"iss": None},
        {"aud": "another"},
        {"aud": None},
        {"exp": NOW - 31},
        {"exp": None},
        {"nbf": NOW + 600},
        {"sub": None},
        {"role": "king"},
        {"role": None},
        {"role": ["resident"]},
        {"resident": None},
        {"resident": "not an id"},
        {"area": 3},
        {"role": "producer", "producers": "one text"},
        {"role": "producer", "producers": [1]},
    ],
)
async def test_a_claim_that_does_not_hold_is_refused(claims: dict[str, Any]) -> None:
    with pytest.raises(Unauthenticated):
        await verifier().verify(token(**claims))


async def test_clocks_may_differ_by_half_a_minute() -> None:
    assert await verifier().verify(token(exp=int(time.time()) - 20))
    assert await verifier().verify(token(nbf=int(time.time()) + 20))


def encoded(part: bytes) -> str:
    return base64.urlsafe_b64encode(part).rstrip(b"=").decode()


def unsigned() -> str:
    _, payload, _ = token().split(".")
    none = encoded(b'{"alg":"none","kid":"first"}')
    return f"{none}.{payload}."


def signed_with_the_public_key() -> str:
    _, payload, _ = token().split(".")
    signed = encoded(b'{"alg":"HS256","kid":"rsa"}') + "." + payload
    mac = hmac.digest(RSA_KEY.as_pem(private=False), signed.encode(), "sha256")
    return f"{signed}.{encoded(mac)}"


def tampered() -> str:
    header, payload, signature = token().split(".")
    claims = orjson.loads(base64.urlsafe_b64decode(payload + "=="))
    forged = encoded(orjson.dumps(claims | {"role": "operator"}))
    return f"{header}.{forged}.{signature}"


def by_a_stranger() -> str:
    return token(ECKey.generate_key("P-256", {"kid": "first"}))


def by_the_wrong_kind_of_key() -> str:
    header = encoded(b'{"alg":"RS256","kid":"first"}')
    return header + token()[token().index(".") :]


@pytest.mark.parametrize(
    "forged", [unsigned, signed_with_the_public_key, tampered, by_a_stranger, by_the_wrong_kind_of_key]
)
async def test_a_forged_token_is_refused(forged: Callable[[], str]) -> None:
    with pytest.raises(Unauthenticated):
        await verifier().verify(forged())


@pytest.mark.parametrize(
    "text", ["", ".", "a.b.c", "....", "x" * 9_000, "[].[].[]", "e30.e30.e30", "bnVsbA.a.b", "ä.ö.å"]
)
async def test_what_is_no_token_is_refused(text: str) -> None:
    with pytest.raises(Unauthenticated):
        await verifier().verify(text)


async def test_a_token_is_verified_once_and_remembered() -> None:
    issuer = Issuer(KEY)
    ours, text = verifier(issuer), token()
    assert await ours.verify(text) is await ours.verify(text)
    assert issuer.asked == 1


async def test_a_remembered_token_still_expires(monkeypatch: pytest.MonkeyPatch) -> None:
    ours, text = verifier(), token()
    await ours.verify(text)
    real = time.time()
    monkeypatch.setattr(time, "time", lambda: real + 331)
    with pytest.raises(Unauthenticated):
        await ours.verify(text)


async def test_no_more_tokens_are_remembered_than_allowed() -> None:
    ours = verifier(cache_size=3)
    for number in range(10):
        await ours.verify(token(jti=str(number)))
    assert len(ours._verified) == 3


async def test_the_keys_are_fetched_once_for_all_who_wait() -> None:
    issuer = Issuer(KEY)
    ours = verifier(issuer)
    await asyncio.gather(*(ours.verify(token(jti=str(number))) for number in range(50)))
    assert issuer.asked == 1


async def test_a_new_key_is_found_and_unknown_ones_do_not_flood_the_issuer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    issuer = Issuer(KEY)
    ours = verifier(issuer)
    await ours.verify(token())
    issuer.keys.append(OTHER_KEY)
    for _ in range(20):
        with pytest.raises(Unauthenticated):
            await ours.verify(token(OTHER_KEY))
    assert issuer.asked == 1
    monkeypatch.setattr(auth, "REFRESH_PAUSE_SECONDS", 0.0)
    assert await ours.verify(token(OTHER_KEY))
    assert issuer.asked == 2


async def test_what_a_withdrawn_key_signed_is_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    issuer = Issuer(KEY, OTHER_KEY)
    ours, text = verifier(issuer), token(OTHER_KEY)
    await ours.verify(text)
    issuer.keys.remove(OTHER_KEY)
    monkeypatch.setattr(auth, "REFRESH_PAUSE_SECONDS", 0.0)
    monkeypatch.setattr(auth, "KEYS_MAX_AGE_SECONDS", 0.0)
    await ours.verify(token(jti="another"))
    with pytest.raises(Unauthenticated):
        await ours.verify(text)


async def test_without_the_issuer_the_service_is_unavailable_and_recovers(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    issuer = Issuer(KEY)
    issuer.is_away = True
    ours = verifier(issuer)
    with pytest.raises(Unavailable):
        await ours.verify(token())
    issuer.is_away = False
    monkeypatch.setattr(auth, "REFRESH_PAUSE_SECONDS", 0.0)
    assert await ours.verify(token())


async def test_known_keys_serve_on_while_the_issuer_is_away(monkeypatch: pytest.MonkeyPatch) -> None:
    issuer = Issuer(KEY)
    ours = verifier(issuer)
    await ours.verify(token())
    issuer.is_away = True
    monkeypatch.setattr(auth, "REFRESH_PAUSE_SECONDS", 0.0)
    monkeypatch.setattr(auth, "KEYS_MAX_AGE_SECONDS", 0.0)
    assert await ours.verify(token(jti="another"))


def test_a_resident_sees_own_data_only() -> None:
    caller = Caller("me", Role.RESIDENT, resident=RESIDENT)
    caller.must_be_resident(RESIDENT)
    with pytest.raises(Forbidden):
        caller.must_be_resident(uuid4())
    with pytest.raises(Forbidden):
        Caller("a", Role.ADVISER, resident=RESIDENT).must_be_resident(RESIDENT)


def test_a_producer_acts_for_those_in_its_token() -> None:
    caller = Caller("p", Role.PRODUCER, producers=frozenset({"1.2.246.10.1.10.0"}))
    caller.must_act_for_producer("1.2.246.10.1.10.0")
    with pytest.raises(Forbidden):
        caller.must_act_for_producer("1.2.246.10.2.10.0")
    with pytest.raises(Forbidden):
        Caller("o", Role.ORGANISER, producers=frozenset({"x"})).must_act_for_producer("x")


def test_an_organiser_keeps_to_its_area_and_the_operator_serves_all() -> None:
    Caller("o", Role.ORGANISER, area="03").must_be_in_area("03")
    Caller("k", Role.OPERATOR).must_be_in_area("03")
    for caller in (
        Caller("o", Role.ORGANISER, area="04"),
        Caller("o", Role.ORGANISER),
        Caller("k", Role.OPERATOR, area="04"),
    ):
        with pytest.raises(Forbidden):
            caller.must_be_in_area("03")


def test_a_municipality_keeps_to_itself() -> None:
    Caller("m", Role.MUNICIPALITY, municipality="049").must_be_in_municipality("049")
    with pytest.raises(Forbidden):
        Caller("m", Role.MUNICIPALITY).must_be_in_municipality("049")


def app_with_routes() -> FastAPI:
    app = FastAPI()
    web.install(app, ServiceSettings(service="test"))
    app.state.verifier = verifier()
    router = APIRouter(prefix="/v1")

    @router.get("/own/{number}")
    async def own(number: int, caller: Annotated[Caller, allow(Role.RESIDENT, Role.ADVISER)]) -> str:
        return caller.subject

    @router.get("/wrapped")
    async def wrapped(caller: Annotated[Caller, Depends(allow(Role.ADVISER))]) -> str:
        return caller.subject

    @router.delete("/forgotten")
    async def forgotten() -> None:
        """No roles are named here."""

    app.include_router(router)
    return app


@pytest.mark.parametrize(("role", "status"), [("adviser", 200), ("operator", 403), (None, 401)])
async def test_either_spelling_of_the_dependency_checks_the_token(role: str | None, status: int) -> None:
    headers = {"authorization": f"Bearer {token(role=role, resident=None)}"} if role else {}
    transport = httpx.ASGITransport(app_with_routes())
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        assert (await client.get("/v1/wrapped", headers=headers)).status_code == status


def test_the_roles_of_every_route_can_be_listed() -> None:
    app = app_with_routes()
    assert roles_by_route(app)["GET", "/v1/own/{number}"] == frozenset({Role.RESIDENT, Role.ADVISER})
    assert roles_by_route(app)["GET", "/v1/wrapped"] == frozenset({Role.ADVISER})
    assert routes_without_roles(app) == [("DELETE", "/v1/forgotten")]


@pytest.mark.parametrize(
    ("header", "status"),
    [
        (None, 401),
        ("", 401),
        ("Basic abc", 401),
        ("Bearer", 401),
        ("Bearer a.b.c", 401),
        ("bearer resident", 200),
        ("Bearer adviser", 200),
        ("Bearer operator", 403),
    ],
)
async def test_a_route_lets_its_roles_through_and_nobody_else(header: str | None, status: int) -> None:
    scheme, _, role = (header or "").partition(" ")
    if role in ("resident", "adviser", "operator"):  # a token made when tests are collected would expire by now
        header = f"{scheme} {token() if role == 'resident' else token(role=role, resident=None)}"
    headers = {} if header is None else {"authorization": header}
    transport = httpx.ASGITransport(app_with_routes())
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        answer = await client.get("/v1/own/1", headers=headers)
        stranger = await client.get("/v1/own/not-a-number", headers=headers)
    assert answer.status_code == status
    assert (answer.headers.get("www-authenticate") is not None) == (status == 401)
    assert stranger.status_code == (422 if status == 200 else status), (
        "who may not call learns nothing of the input"
    )
