"""A small OpenID Connect issuer for one machine: a key per profile, ready personas, tokens for whoever asks.

It stands in for Keycloak, never beside real data: it gives a token to everybody who reaches the loopback
address, so it refuses to start in production.
"""

import os
import secrets
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from fastapi import FastAPI, Form, HTTPException, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse
from joserfc import jwt
from joserfc.jwk import ECKey

from kanava.common.auth import Caller
from kanava.local.authorize import CLIENT, Asked, Codes, page
from kanava.local.problems import PlatformProblem
from kanava.local.profile import Profile, profile, write_private

ALGORITHM = "ES256"
AUDIENCE = "kanava"
LIFETIME_SECONDS = 8 * 3600
NAMESPACE = uuid.UUID("6b2b6f0e-6d0d-5b0e-9d5c-3f1c5f0d2a10")


@dataclass(frozen=True)
class Persona:
    """Somebody ready to be: a role in words of the token, and what it is bound to."""

    name: str
    role: str
    says: str
    claims: Mapping[str, Any] = field(default_factory=dict)


def persona_id(name: str) -> str:
    """The id of a ready persona's resident or producer, the same on every machine."""
    return str(uuid.uuid5(NAMESPACE, name))


PERSONAS = {
    one.name: one
    for one in (
        Persona("resident", "resident", "a resident of Espoo", {
            "resident": persona_id("resident"), "area": "03", "municipality": "049", "level": "substantial",
        }),
        Persona("adviser", "adviser", "an adviser of area 03 who helps residents", {"area": "03"}),
        Persona("producer", "producer", "somebody of a private producer in area 03", {
            "producers": [persona_id("producer")], "area": "03",
        }),
        Persona("organiser", "organiser", "the organiser's clerk in area 03", {"area": "03"}),
        Persona("organiser-second", "organiser", "another clerk of the organiser in area 03", {"area": "03"}),
        Persona("municipality", "municipality", "a clerk of Espoo", {"municipality": "049", "area": "03"}),
        Persona("operator-approver", "operator", "the operator's clerk who approves statements"),
        Persona("operator-releaser", "operator", "the operator's clerk who releases what was approved"),
        Persona("authority", "authority", "an authority that supervises"),
    )
}  # fmt: skip
PERSONAS["operator"] = PERSONAS["operator-approver"]


def issuer_url(profile: Profile) -> str:
    """The `iss` of this profile's tokens. Raises PlatformProblem when its issuer was never started."""
    port = profile.remembered_port("issuer")
    if port is None:
        raise PlatformProblem(f"The profile '{profile.name}' has no issuer yet. Start it with `./kanava up`.")
    return f"http://127.0.0.1:{port}"


def signing_key(profile: Profile) -> ECKey:
    """The profile's key, made at the first asking and kept for its owner only."""
    path = profile.folder / "secrets" / "issuer.pem"
    if not path.exists():
        made = ECKey.generate_key("P-256").as_pem(private=True)
        write_private(path, made.decode())
    key = ECKey.import_key(path.read_text())
    return ECKey.import_key(
        {**key.as_dict(private=True), "kid": key.thumbprint(), "use": "sig", "alg": ALGORITHM}
    )


class Signer:
    """Signs tokens in process, with the key read once: for the demo and for tests that need thousands."""

    def __init__(self, profile: Profile) -> None:
        self._issuer = issuer_url(profile)
        self._key = signing_key(profile)

    def sign(self, claims: Mapping[str, Any], *, lifetime_seconds: int = LIFETIME_SECONDS) -> str:
        """A token with these claims and the standard ones; `sub` and `role` must be among them."""
        assert "sub" in claims, "a token says whose it is"
        assert "role" in claims, "a token has a role"
        return self._encode({"jti": secrets.token_hex(12), **claims}, AUDIENCE, lifetime_seconds)

    def identify(self, subject: str, nonce: str) -> str:
        """An ID token: that this subject signed in at the client, for its nonce. It opens nothing."""
        return self._encode({"sub": subject, "nonce": nonce}, CLIENT, LIFETIME_SECONDS)

    def _encode(self, claims: Mapping[str, Any], audience: str, lifetime_seconds: int) -> str:
        now = int(time.time())
        times = {"iat": now, "nbf": now, "exp": now + lifetime_seconds}
        standard = {"iss": self._issuer, "aud": audience, **times}
        header = {"alg": ALGORITHM, "kid": self._key.kid, "typ": "JWT"}
        return jwt.encode(header, {**standard, **claims}, self._key, algorithms=[ALGORITHM])


def sign(profile: Profile, claims: Mapping[str, Any], *, lifetime_seconds: int = LIFETIME_SECONDS) -> str:
    """One token with these claims; for many of them make a Signer."""
    return Signer(profile).sign(claims, lifetime_seconds=lifetime_seconds)


def persona_claims(name: str) -> dict[str, Any]:
    """The claims of a ready persona. Raises PlatformProblem for an unknown name."""
    if name not in PERSONAS:
        known = ", ".join(sorted(PERSONAS))
        raise PlatformProblem(f"There is no persona '{name}'. Choose one of: {known}.")
    persona = PERSONAS[name]
    return {"sub": persona.name, "role": persona.role, **persona.claims}


def create_app(of: Profile) -> FastAPI:
    """The issuer's HTTP side: configuration, public keys, tokens of personas."""
    app = FastAPI(title="Kanava local issuer", version="1")
    signer, here = Signer(of), issuer_url(of)
    public = signing_key(of).as_dict(private=False)

    @app.get("/.well-known/openid-configuration")
    async def configuration() -> dict[str, Any]:
        """Where the keys and tokens are."""
        return {
            "issuer": here, "jwks_uri": f"{here}/jwks.json", "token_endpoint": f"{here}/token",
            "authorization_endpoint": f"{here}/authorize",
            "id_token_signing_alg_values_supported": [ALGORITHM], "subject_types_supported": ["public"],
            "response_types_supported": ["code"], "grant_types_supported": ["authorization_code"],
            "code_challenge_methods_supported": ["S256"], "token_endpoint_auth_methods_supported": ["none"],
            "authorization_response_iss_parameter_supported": True,
        }  # fmt: skip

    @app.get("/jwks.json")
    async def keys() -> dict[str, Any]:
        """The public key."""
        return {"keys": [public]}

    @app.get("/healthz")
    async def health() -> dict[str, str]:
        """It runs."""
        return {"status": "ok"}

    @app.get("/readyz")
    async def ready() -> dict[str, str]:
        """It has its key."""
        return {"status": "ready"}

    _add_tokens(app, signer, here)
    return app


def _add_tokens(app: FastAPI, signer: "Signer", here: str) -> None:
    """The ways to a token: by naming a persona, and by choosing one on a page and bringing back the code."""
    codes = Codes()

    @app.get("/authorize", response_class=HTMLResponse)
    async def authorize(request: Request) -> str:
        """The page on which somebody chooses who to be."""
        sent = dict(request.query_params)
        Asked.of(sent)
        return page(sent, list({one.name: one.says for one in PERSONAS.values()}.items()))

    @app.post("/authorize")
    async def choose(request: Request) -> RedirectResponse:
        """Send the browser back with a code for the chosen persona."""
        sent = {name: str(value) for name, value in (await request.form()).items()}
        asked, claims = Asked.of(sent), _known_claims(sent.get("persona", ""))
        if claims["role"] == "resident" and (resident := sent.get("resident", "").strip()):
            claims |= {"resident": resident, "sub": resident}
        try:
            Caller.of_claims(claims)
        except ValueError as error:
            raise HTTPException(400, f"No service would take this token: {error}.") from None
        return RedirectResponse(codes.give(asked, claims, here), 303)

    @app.post("/token")
    async def token(
        persona: str | None = Query(None, description="Name of a ready persona."),
        code: str = Form(""),
        redirect_uri: str = Form(""),
        client_id: str = Form(""),
        code_verifier: str = Form(""),
    ) -> dict[str, Any]:
        """A token of a ready persona, or for a code (grant_type=authorization_code)."""
        told: dict[str, Any] = {"token_type": "Bearer", "expires_in": LIFETIME_SECONDS}
        if persona is not None:
            return told | {"access_token": signer.sign(_known_claims(persona))}
        asked, claims = codes.use(code, redirect_uri=redirect_uri, client_id=client_id, verifier=code_verifier)
        return told | {"access_token": signer.sign(claims), "id_token": signer.identify(claims["sub"], asked.nonce)}


def _known_claims(persona: str) -> dict[str, Any]:
    """The claims of a persona. HTTPException 404 for an unknown one."""
    try:
        return persona_claims(persona)
    except PlatformProblem as unknown:
        raise HTTPException(404, str(unknown)) from unknown


def app_from_environment() -> FastAPI:
    """The issuer of the profile that KANAVA_PROFILE names, for its own process."""
    if os.environ.get("KANAVA_ENVIRONMENT") == "production":
        raise PlatformProblem("The local issuer is not for production. Name a real one in KANAVA_ISSUER.")
    return create_app(profile(os.environ["KANAVA_PROFILE"]))
