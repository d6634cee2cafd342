"""How people sign in: OpenID Connect's authorization-code flow with PKCE, `state` and `nonce`.

The browser is sent to the issuer and comes back with a code; the code becomes a token, which the service's own
verifier checks and a cookie keeps. What was begun is kept in a cookie too, so that only the browser that began can
finish. All times are real ones, never those of the sandbox clock.
"""

import asyncio
import base64
import hashlib
import hmac
import json
import os
import time
from collections.abc import Callable, Mapping
from typing import Annotated, Any
from urllib.parse import urlencode, urlsplit

import httpx
import structlog
from fastapi import APIRouter, FastAPI, Query, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from .auth import TokenVerifier
from .errors import Problem, SignInFailed, Unavailable
from .pages import PREFIX, SIGN_IN_PATH, language_of, render
from .sessions import SESSION, SIGN_IN, Sessions
from .settings import PageSettings

log = structlog.get_logger()

router = APIRouter(tags=["sign-in"])
CALLBACK = "/pages/sign-in/callback"
SIGNED_OUT = "/pages/signed-out"
SIGN_IN_SECONDS = 600
"""How long somebody may take to sign in."""
CONFIGURATION_SECONDS = 600.0
PAUSE_SECONDS = 5.0
"""How long an issuer that could not be read is left alone."""
SECRET_BYTES = 32
NEXT_LIMIT_CHARACTERS = 1_000
HTTP_SECONDS = 5.0


def install(app: FastAPI, settings: PageSettings, start: str) -> None:
    """Give an app with pages its way in; who signs in without having asked for a page comes to `start`."""
    app.state.sign_in = SignIn(settings, app.state.sessions, start)
    app.include_router(router)


def safe_next(wanted: str | None, otherwise: str) -> str:
    """The page to go to after signing in: one of this service, never an address elsewhere."""
    if not wanted or len(wanted) > NEXT_LIMIT_CHARACTERS:
        return otherwise
    if not wanted.isascii() or not wanted.isprintable() or "\\" in wanted or " " in wanted:
        return otherwise
    parts = urlsplit(wanted)
    is_page = parts.path.startswith(PREFIX) and not parts.path.startswith(SIGN_IN_PATH)
    is_own = not parts.scheme and not parts.netloc and "//" not in parts.path and "/." not in parts.path
    return wanted if is_page and is_own else otherwise


class SignIn:
    """Signs people in at one issuer and out again."""

    def __init__(
        self,
        settings: PageSettings,
        sessions: Sessions,
        start: str,
        *,
        client: Callable[[], httpx.AsyncClient] = lambda: httpx.AsyncClient(timeout=HTTP_SECONDS, trust_env=False),
        clock: Callable[[], float] = time.time,
        entropy: Callable[[int], bytes] = os.urandom,
    ) -> None:
        self._settings = settings
        self._sessions = sessions
        self._start = start
        self._client = client
        self._clock = clock
        self._entropy = entropy
        self._known: tuple[float, dict[str, Any]] | None = None
        self._away_until = float("-inf")
        self._asking = asyncio.Lock()

    async def begin(self, wanted: str | None, language: str) -> Response:
        """Send the browser to the issuer; `Unavailable` when that cannot be asked."""
        configuration = await self._configuration()
        state, nonce, verifier = (_text(self._entropy(SECRET_BYTES)) for _ in range(3))
        asked = {
            "response_type": "code",
            "client_id": self._settings.client_id,
            "redirect_uri": self._settings.origin + CALLBACK,
            "scope": "openid",
            "state": state,
            "nonce": nonce,
            "code_challenge": _text(hashlib.sha256(verifier.encode()).digest()),
            "code_challenge_method": "S256",
            "ui_locales": language,
        }
        begun = {
            "state": state,
            "nonce": nonce,
            "verifier": verifier,
            "next": safe_next(wanted, self._start),
            "until": self._clock() + SIGN_IN_SECONDS,
        }
        response = RedirectResponse(_with_query(configuration["authorization_endpoint"], asked), 303)
        self._sessions.keep(response, SIGN_IN, json.dumps(begun).encode(), seconds=SIGN_IN_SECONDS)
        return response

    async def finish(self, request: Request) -> Response:
        """Turn the code that the browser brings into a session; `SignInFailed` for whatever does not fit."""
        kept = self._sessions.read(SIGN_IN, request.cookies)
        begun: dict[str, Any] = json.loads(kept) if kept else {}
        brought = request.query_params
        if not begun or begun["until"] < self._clock():
            raise SignInFailed("signing in took too long, or was begun elsewhere", rule="sign_in_unknown")
        if not hmac.compare_digest(begun["state"].encode(), brought.get("state", "").encode()):
            raise SignInFailed("this is not the sign-in that this browser began last", rule="state")
        if not await self._is_of_our_issuer(brought.get("iss")):
            raise SignInFailed("another issuer answered", rule="issuer")
        if "error" in brought or not brought.get("code"):
            raise SignInFailed("the issuer did not let you in", rule="refused")
        token = await self._token(request.app.state.verifier, begun, brought["code"])
        response = RedirectResponse(begun["next"], 303)
        self._sessions.keep(response, SESSION, token.encode())
        self._sessions.end(response, SIGN_IN)
        return response

    async def _is_of_our_issuer(self, named: str | None) -> bool:
        """Whether an answer is of the issuer: it says so, or never does (RFC 9207)."""
        if named is not None:
            return named == self._settings.issuer
        return not (await self._configuration()).get("authorization_response_iss_parameter_supported")

    async def end(self, language: str) -> Response:
        """Forget the session, and let the issuer forget its own where it can."""
        here = f"{self._settings.origin}{SIGNED_OUT}"
        there = f"{SIGNED_OUT}?{urlencode({'lang': language})}"
        try:
            if issuer_ends := (await self._configuration()).get("end_session_endpoint"):
                asked = {"client_id": self._settings.client_id, "post_logout_redirect_uri": here}
                there = _with_query(issuer_ends, asked | {"ui_locales": language})
        except Unavailable:
            log.warning("signed_out_here_only")
        response = RedirectResponse(there, 303)
        self._sessions.end(response, SESSION)
        return response

    async def _token(self, verifier: TokenVerifier, begun: Mapping[str, Any], code: str) -> str:
        """The access token for a code, checked like every token; its ID token says who signed in, for this sign-in."""
        sent = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self._settings.origin + CALLBACK,
            "client_id": self._settings.client_id,
            "code_verifier": begun["verifier"],
        }
        try:
            async with self._client() as client:
                answer = await client.post((await self._configuration())["token_endpoint"], data=sent)
            told = answer.json() if answer.is_success else {}
            token, id_token = str(told["access_token"]), str(told["id_token"])
        except httpx.HTTPError as error:
            raise Unavailable("the issuer does not answer") from error
        except (ValueError, KeyError, TypeError):
            raise SignInFailed("the issuer gave no token for this code", rule="code") from None
        try:
            caller = await verifier.verify(token)
            subject = await verifier.identify(id_token, client_id=self._settings.client_id, nonce=begun["nonce"])
        except Problem as refused:
            if isinstance(refused, Unavailable):
                raise
            raise SignInFailed("the issuer's token is not one for this service", rule=refused.rule) from refused
        if subject != caller.subject:
            raise SignInFailed("the issuer's tokens are of two people", rule="subject")
        return token

    async def _configuration(self) -> dict[str, Any]:
        """What the issuer says of itself, asked every ten minutes, once for all who wait; `Unavailable`."""
        async with self._asking:
            now = self._clock()
            if self._known and self._known[0] > now:
                return self._known[1]
            if self._away_until > now:
                raise Unavailable("signing in is not possible for the moment", rule="issuer")
            try:
                told = await self._ask()
            except (httpx.HTTPError, ValueError, KeyError, TypeError) as error:
                log.warning("issuer_not_read", error=type(error).__name__)
                self._away_until = now + PAUSE_SECONDS
                raise Unavailable("signing in is not possible for the moment", rule="issuer") from error
            self._known = (now + CONFIGURATION_SECONDS, told)
            return told

    async def _ask(self) -> dict[str, Any]:
        async with self._client() as client:
            answer = await client.get(self._settings.configuration_url)
        told: dict[str, Any] = answer.raise_for_status().json()
        if told["issuer"] != self._settings.issuer:
            raise ValueError("another issuer")
        if not all(isinstance(told[name], str) for name in ("authorization_endpoint", "token_endpoint")):
            raise ValueError("no endpoints")
        return told


def _text(secret: bytes) -> str:
    return base64.urlsafe_b64encode(secret).rstrip(b"=").decode()


def _with_query(endpoint: str, query: Mapping[str, str]) -> str:
    return f"{endpoint}{'&' if '?' in endpoint else '?'}{urlencode(query)}"


def _sign_in(request: Request) -> SignIn:
    found: SignIn = request.app.state.sign_in
    return found


Next = Annotated[str | None, Query(description="The page to come back to: one of this service.")]


@router.get(SIGN_IN_PATH, status_code=303, response_class=Response)
async def get_sign_in(request: Request, next: Next = None) -> Response:
    """Begin to sign in (kirjautuminen): leads to the issuer and from there back to a page."""
    return await _sign_in(request).begin(next, language_of(request))


@router.get(CALLBACK, status_code=303, response_class=Response)
async def get_callback(request: Request) -> Response:
    """Where the issuer sends the browser back to, with a code."""
    return await _sign_in(request).finish(request)


@router.post("/pages/sign-out", status_code=303, response_class=Response)
async def post_sign_out(request: Request) -> Response:
    """Sign out (uloskirjautuminen)."""
    return await _sign_in(request).end(language_of(request))


@router.get(SIGNED_OUT, response_class=HTMLResponse)
async def get_signed_out(request: Request) -> Response:
    """Says that the session has ended."""
    return render(request, "signed_out.html")


@router.get("/pages/accessibility", response_class=HTMLResponse)
async def get_accessibility(request: Request) -> Response:
    """The accessibility statement (saavutettavuusseloste) of the pages."""
    return render(request, "accessibility.html")
