"""The local issuer: a key per profile, tokens that its public key verifies, personas that are ready."""

import asyncio
from pathlib import Path
from typing import Any

import httpx
import pytest
from joserfc import jwt
from joserfc.errors import BadSignatureError
from joserfc.jwk import KeySet

from kanava.common.auth import Caller, Role
from kanava.local import issuer
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


def test_it_refuses_to_serve_production(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KANAVA_ENVIRONMENT", "production")
    with pytest.raises(PlatformProblem, match="not for production"):
        issuer.app_from_environment()
