"""The authorization-code flow of the local issuer: a plain page to choose who to be, and codes that work once.

Everybody who reaches the loopback address may be anybody; what is checked is what a service could do wrong: the
client, a redirect to this machine, PKCE by S256, and a code that is used once, soon, and by who has the verifier.
"""

import base64
import hashlib
import hmac
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from importlib.resources import files
from typing import Any, Self
from urllib.parse import urlencode, urlsplit

from fastapi import HTTPException
from jinja2 import Environment, StrictUndefined

CLIENT = "kanava"
CODE_SECONDS = 60.0
CHALLENGE_CHARACTERS = 43
LOOPBACK_HOSTS = ("127.0.0.1", "localhost")


@dataclass(frozen=True)
class Asked:
    """What a service asks for when it sends a browser to sign in."""

    redirect_uri: str
    state: str
    nonce: str
    code_challenge: str

    @classmethod
    def of(cls, sent: dict[str, Any]) -> Self:
        """Read a query or a form. HTTPException 400 with a sentence for what a service did wrong."""
        parts = urlsplit(str(sent.get("redirect_uri", "")))
        wrong = {
            "only response_type=code is given": sent.get("response_type") != "code",
            f"the only client is {CLIENT}": sent.get("client_id") != CLIENT,
            "the redirect leads away from this machine": parts.hostname not in LOOPBACK_HOSTS,
            "PKCE by S256 is needed": sent.get("code_challenge_method") != "S256"
            or len(str(sent.get("code_challenge", ""))) != CHALLENGE_CHARACTERS,
            "state and nonce are needed": not sent.get("state") or not sent.get("nonce"),
            "the scope openid is needed": "openid" not in str(sent.get("scope", "")).split(),
        }
        if found := [sentence for sentence, is_so in wrong.items() if is_so]:
            raise HTTPException(400, found[0])
        return cls(*(str(sent[name]) for name in ("redirect_uri", "state", "nonce", "code_challenge")))


@dataclass
class Codes:
    """The codes that were given and not yet used, each for a minute."""

    clock: Callable[[], float] = time.monotonic
    _given: dict[str, tuple[float, Asked, dict[str, Any]]] = field(default_factory=dict)

    def give(self, asked: Asked, claims: dict[str, Any], issuer: str) -> str:
        """The address to which the browser goes back with a code for these claims."""
        now = self.clock()
        self._given = {code: one for code, one in self._given.items() if one[0] > now}
        code = secrets.token_urlsafe(24)
        self._given[code] = (now + CODE_SECONDS, asked, claims)
        query = {"code": code, "state": asked.state, "iss": issuer}
        return f"{asked.redirect_uri}{'&' if '?' in asked.redirect_uri else '?'}{urlencode(query)}"

    def use(self, code: str, *, redirect_uri: str, client_id: str, verifier: str) -> tuple[Asked, dict[str, Any]]:
        """What a code was given for. HTTPException 400 (`invalid_grant`) for one that is not good, or no longer."""
        until, asked, claims = self._given.pop(code, (0.0, None, {}))
        digest = hashlib.sha256(verifier.encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        is_good = asked is not None and until > self.clock() and redirect_uri == asked.redirect_uri
        if asked is None or not is_good or client_id != CLIENT:
            raise HTTPException(400, "invalid_grant")
        if not hmac.compare_digest(challenge, asked.code_challenge):
            raise HTTPException(400, "invalid_grant")
        return asked, claims


def page(sent: dict[str, Any], personas: list[tuple[str, str]]) -> str:
    """The page on which somebody chooses who to be; `personas` are names with what they say of themselves."""
    source = files("kanava.local").joinpath("templates/authorize.html").read_text(encoding="utf-8")
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    return environment.from_string(source).render(sent=sent, personas=personas)
