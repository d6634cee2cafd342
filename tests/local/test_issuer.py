"""The local issuer: a key per profile, tokens that its public key verifies, personas that are ready."""

import asyncio
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from fastapi import HTTPException
from fastapi.routing import APIRoute
from joserfc import jwt
from joserfc.errors import BadSignatureError
from joserfc.jwk import KeySet

from kanava.common.auth import Caller, Role
from kanava.local import issuer
from kanava.local.authorize import Asked, Codes
from kanava.local.problems import PlatformProblem
from kanava.local.profile import Profile


def make_profile(folder: Path) -> Profile:
    """A profile whose issuer has a port already."""
    ours = Profile(folder.name, folder).prepare()
    ours.remember("issuer", 20_000)
    return ours


def ask(ours: Profile, method: str, path: str) -> Any:
    """The issuer's answer to one request, as JSON."""

    async def run() -> Any:
        transport = httpx.ASGITransport(app=issuer.create_app(ours))
        async with httpx.AsyncClient(transport=transport, base_url="http://issuer") as client:
            return (await client.request(method, path)).json()

    return asyncio.run(run())


@pytest.mark.parametrize("name", issuer.PERSONAS)
def test_every_persona_gets_a_token_that_a_service_understands(tmp_path: Path, name: str) -> None:
    ours = make_profile(tmp_path / "one")
    token = ask(ours, "POST", f"/token?persona={name}")["access_token"]
    keys = KeySet.import_key_set(ask(ours, "GET", "/jwks.json"))
    claims = jwt.decode(token, keys, algorithms=["ES256"]).claims
    assert claims["iss"] == issuer.issuer_url(ours)
    assert claims["aud"] == "kanava"
    assert claims["exp"] - claims["iat"] == issuer.LIFETIME_SECONDS
    assert Caller.of_claims(claims).role in Role


def test_every_role_has_a_persona_and_where_two_people_are_needed_there_are_two() -> None:
    assert {persona.role for persona in issuer.PERSONAS.values()} == {role.value for role in Role}
    for first, second in (("operator-approver", "operator-releaser"), ("organiser", "organiser-second")):
        one, other = issuer.persona_claims(first), issuer.persona_claims(second)
        assert one["sub"] != other["sub"]
        assert {**one, "sub": ""} == {**other, "sub": ""}


def test_only_the_public_half_of_the_key_is_shown(tmp_path: Path) -> None:
    (key,) = ask(make_profile(tmp_path / "one"), "GET", "/jwks.json")["keys"]
    assert "d" not in key


def test_another_profile_s_token_is_not_ours(tmp_path: Path) -> None:
    one, other = make_profile(tmp_path / "one"), make_profile(tmp_path / "other")
    token = issuer.sign(other, issuer.persona_claims("operator"))
    with pytest.raises(BadSignatureError):
        jwt.decode(token, issuer.signing_key(one), algorithms=["ES256"])


def test_the_key_survives_and_an_unknown_persona_is_refused(tmp_path: Path) -> None:
    ours = make_profile(tmp_path / "one")
    assert issuer.signing_key(ours).thumbprint() == issuer.signing_key(ours).thumbprint()
    with pytest.raises(PlatformProblem, match="Choose one of: adviser"):
        issuer.persona_claims("king")
    assert "king" in ask(ours, "POST", "/token?persona=king")["detail"]


ASKED = {
    "response_type": "code",
    "client_id": "kanava",
    "redirect_uri": "http://127.0.0.1:8003/pages/sign-in/callback",
    "scope": "openid",
    "state": "s",
    "nonce": "n",
    "code_challenge": "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
    "code_challenge_method": "S256",
}
"""What a service asks; the challenge and its verifier are the example of RFC 7636, appendix B."""
VERIFIER = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"


def post(app: Any, path: str, sent: dict[str, Any]) -> httpx.Response:
    """Send a form to the issuer; the answer, not followed."""

    async def run() -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://issuer") as client:
            return await client.post(path, data=sent)

    return asyncio.run(run())


def code_for(app: Any, **changed: Any) -> tuple[str, dict[str, str]]:
    """A code for the ready resident, and what is sent for it."""
    location = post(app, "/authorize", ASKED | {"persona": "resident"} | changed).headers["location"]
    query = {name: values[0] for name, values in parse_qs(urlsplit(location).query).items()}
    assert query["state"] == "s"
    return query["iss"], {
        "grant_type": "authorization_code",
        "code": query["code"],
        "redirect_uri": ASKED["redirect_uri"],
        "client_id": "kanava",
        "code_verifier": VERIFIER,
    }


def test_a_code_becomes_tokens_for_who_has_the_verifier(tmp_path: Path) -> None:
    ours = make_profile(tmp_path / "one")
    app = issuer.create_app(ours)
    here, sent = code_for(app)
    told = post(app, "/token", sent).json()
    keys = KeySet.import_key_set(ask(ours, "GET", "/jwks.json"))
    identity = jwt.decode(told["id_token"], keys, algorithms=["ES256"]).claims
    assert (identity["iss"], identity["aud"], identity["nonce"]) == (here, "kanava", "n")
    assert "role" not in identity, "an ID token opens nothing"
    assert jwt.decode(told["access_token"], keys, algorithms=["ES256"]).claims["sub"] == identity["sub"]
    assert post(app, "/token", sent).json() == {"detail": "invalid_grant"}, "a code is good once"


@pytest.mark.parametrize(
    "changed",
    [
        {"code_verifier": "another"},
        {"code": "another"},
        {"client_id": "another"},
        {"redirect_uri": "http://127.0.0.1:1/"},
    ],
)
def test_a_code_is_not_given_out_to_another(tmp_path: Path, changed: dict[str, str]) -> None:
    app = issuer.create_app(make_profile(tmp_path / "one"))
    answer = post(app, "/token", code_for(app)[1] | changed)
    assert (answer.status_code, answer.json()) == (400, {"detail": "invalid_grant"})


def test_a_code_is_good_for_a_minute() -> None:
    now = 0.0
    codes = Codes(clock=lambda: now)
    location = codes.give(Asked.of(ASKED), {"sub": "x"}, "http://issuer")
    code = parse_qs(urlsplit(location).query)["code"][0]
    now = 61.0
    with pytest.raises(HTTPException, match="invalid_grant"):
        codes.use(code, redirect_uri=ASKED["redirect_uri"], client_id="kanava", verifier=VERIFIER)


@pytest.mark.parametrize(
    "changed",
    [
        {"response_type": "token"},
        {"client_id": "another"},
        {"redirect_uri": "https://evil.example/"},
        {"redirect_uri": "http://127.0.0.1@evil.example/"},
        {"code_challenge_method": "plain"},
        {"code_challenge": ""},
        {"state": ""},
        {"nonce": ""},
        {"scope": "profile"},
    ],
)
def test_what_a_service_asks_wrongly_is_refused(tmp_path: Path, changed: dict[str, str]) -> None:
    app = issuer.create_app(make_profile(tmp_path / "one"))
    assert post(app, "/authorize", ASKED | {"persona": "resident"} | changed).status_code == 400


def test_somebody_may_be_another_resident_and_nobody_who_is_none(tmp_path: Path) -> None:
    ours = make_profile(tmp_path / "one")
    app = issuer.create_app(ours)
    other = "00000000-0000-0000-0000-000000000007"
    told = post(app, "/token", code_for(app, resident=other)[1]).json()
    keys = KeySet.import_key_set(ask(ours, "GET", "/jwks.json"))
    assert jwt.decode(told["access_token"], keys, algorithms=["ES256"]).claims["resident"] == other
    assert post(app, "/authorize", ASKED | {"persona": "resident", "resident": "x"}).status_code == 400
    assert post(app, "/authorize", ASKED | {"persona": "king"}).status_code == 404


def test_the_configuration_names_what_there_is(tmp_path: Path) -> None:
    ours = make_profile(tmp_path / "one")
    told = ask(ours, "GET", "/.well-known/openid-configuration")
    paths = {route.path for route in issuer.create_app(ours).routes if isinstance(route, APIRoute)}
    named = {urlsplit(told[name]).path for name in ("authorization_endpoint", "token_endpoint", "jwks_uri")}
    assert named <= paths
    assert told["issuer"] == issuer.issuer_url(ours)


def test_it_refuses_to_serve_production(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KANAVA_ENVIRONMENT", "production")
    with pytest.raises(PlatformProblem, match="not for production"):
        issuer.app_from_environment()
