"""Server-rendered pages: templates, languages, headers, and problems in the form of a page.

A service calls `install` with its package, which has `templates/`, `texts/` and `static/`; the layout and the pages
that all services share are those of this one. A page is a route below `/pages` that names its roles like any other
and answers with `render`. `PageDoor` stands before them: it opens the browser's session, sends whoever has none to
sign in, refuses forms of other sites, and sets the headers.
"""

import hashlib
import json
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

from fastapi import FastAPI, Request
from fastapi.responses import HTMLResponse, RedirectResponse
from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined
from starlette.datastructures import MutableHeaders
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from .auth import SESSION_TOKEN
from .errors import Forbidden
from .languages import (
    LANGUAGES,
    Language,
    chosen_language,
    day_text,
    money_text,
    month_name,
    read_texts,
    thousandths_text,
)
from .seal import sealing_key
from .sessions import SESSION, Sessions
from .settings import PageSettings
from .web import PROBLEM_MEDIA_TYPE, problem_response

COMMON = "kanava.common"
PREFIX, STATIC, SIGN_IN_PATH = "/pages/", "/pages/static", "/pages/sign-in"
HARMLESS_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
HEADERS: Mapping[str, str] = {
    "cache-control": "no-store",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=()",
    "referrer-policy": "same-origin",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
}
FILES_ARE_KEPT = "public, max-age=31536000, immutable"
"""For files whose address carries the digest of their content."""
HTTPS_ONLY = "max-age=31536000"


def install(app: FastAPI, settings: PageSettings, *packages: str) -> None:
    """Give an app its pages: their environment, their files and the door before them."""
    app.state.pages = Pages(COMMON, *packages)
    app.state.sessions = Sessions(settings.service, sealing_key(settings.session_key), secure=settings.is_production)
    folders: list[str | tuple[str, str]] = [
        (one, "static") for one in (COMMON, *packages) if files(one).joinpath("static").is_dir()
    ]
    app.mount(STATIC, StaticFiles(packages=folders), name="static")
    app.add_middleware(PageDoor, settings=settings)


class Pages:
    """The templates, texts and files of a service; `ValueError` at once for a text that lacks a language."""

    def __init__(self, *packages: str) -> None:
        self.texts = read_texts(*(one for one in packages if files(one).joinpath("texts").is_dir()))
        self.environment = Environment(
            loader=ChoiceLoader([PackageLoader(one) for one in packages]),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._files = {name: digest for one in packages for name, digest in _digests(one)}

    def render(self, request: Request, template: str, /, *, status: int = 200, **content: Any) -> HTMLResponse:
        """A page in the language of the request."""
        view = View(self, request)
        text = self.environment.get_template(template).render(view.names() | content)
        return HTMLResponse(text, status, {"content-language": view.language, "vary": "Accept-Language, Cookie"})

    def file(self, name: str) -> str:
        """The address of a file of `static/`, which changes with its content."""
        return f"{STATIC}/{name}?v={self._files[name]}"


def _digests(package: str) -> list[tuple[str, str]]:
    folder = Path(str(files(package).joinpath("static")))
    found = sorted(folder.iterdir()) if folder.is_dir() else []
    return [(one.name, hashlib.sha256(one.read_bytes()).hexdigest()[:12]) for one in found]


class View:
    """What every template can name: the language with its texts and forms, and addresses that keep it."""

    def __init__(self, pages: Pages, request: Request) -> None:
        self._pages = pages
        self._request = request
        self.language = language_of(request)

    def names(self) -> dict[str, Any]:
        """The names, as templates use them."""
        language = self.language
        return {
            "lang": language,
            "languages": LANGUAGES,
            "signed_in": bool(self._request.scope.get("state", {}).get(SESSION_TOKEN)),
            "t": lambda key, **filled: self._pages.texts.text(key, language, **filled),
            "in_language": lambda key, other: self._pages.texts.text(key, other),
            "money": lambda cents: money_text(cents, language),
            "thousandths": lambda number: thousandths_text(number, language),
            "month": lambda day: month_name(day, language),
            "day": lambda day: day_text(day, language),
            "file": self._pages.file,
            "here": self.here,
            "address": lambda path, **query: f"{path}?{urlencode(query | {'lang': language})}",
        }

    def here(self, **changed: str) -> str:
        """The address of this page with something of its query changed."""
        query = dict(self._request.query_params) | changed
        return f"{self._request.url.path}?{urlencode(query)}"


def language_of(request: Request) -> Language:
    """The language of `lang`, else the one that the browser prefers."""
    return chosen_language(request.query_params.get("lang"), request.headers.get("accept-language"))


def render(request: Request, template: str, /, **content: Any) -> HTMLResponse:
    """A page of the service that the request came to."""
    pages: Pages = request.app.state.pages
    return pages.render(request, template, **content)


class PageDoor:
    """Pure ASGI, for what lies below `/pages` alone: session in, headers out, problems as pages.

    Who asks for anything but HTML (a program with a bearer token) gets problems as problems.
    """

    def __init__(self, app: ASGIApp, settings: PageSettings) -> None:
        self.app = app
        self._origin = settings.origin
        self._headers = {**HEADERS, "content-security-policy": content_security_policy(settings)}
        if settings.is_production:
            self._headers["strict-transport-security"] = HTTPS_ONLY

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http" or not scope["path"].startswith(PREFIX):
            await self.app(scope, receive, send)
            return
        request = Request(scope)
        answer = _Answer(request, send, self._headers)
        if request.method not in HARMLESS_METHODS and not self._is_own(request):
            refused = Forbidden("this form was not sent from a page of this service", rule="same_origin")
            await problem_response(refused, scope["path"])(scope, receive, answer.send)
            return
        _open_session(request)
        await self.app(scope, receive, answer.send)

    def _is_own(self, request: Request) -> bool:
        """Whether a page of this service sent the request, as the browser says."""
        site, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin")
        if origin is not None:
            return origin.lower() == self._origin
        return site == "same-origin"


def content_security_policy(settings: PageSettings) -> str:
    """Nothing but our own style sheets and forms; signing out leads from a form to the issuer."""
    issuer = urlsplit(settings.issuer)
    allowed = ["default-src 'none'", "style-src 'self'", "img-src 'self'", "base-uri 'none'", "frame-ancestors 'none'"]
    return "; ".join([*allowed, f"form-action 'self' {issuer.scheme}://{issuer.netloc}"])


def _open_session(request: Request) -> None:
    sessions: Sessions = request.app.state.sessions
    kept = sessions.read(SESSION, request.cookies)
    if kept is not None:
        request.scope.setdefault("state", {})[SESSION_TOKEN] = kept.decode()


class _Answer:
    """An answer on its way out: gets the headers, and where it is a problem, is held until it is a page."""

    def __init__(self, request: Request, send: Send, headers: Mapping[str, str]) -> None:
        self._request = request
        self._send = send
        self._headers = headers
        self._held: bytearray | None = None

    async def send(self, message: Message) -> None:
        """Pass a message on, or hold it."""
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            if PROBLEM_MEDIA_TYPE in headers.get("content-type", "") and _wants_page(self._request):
                self._held = bytearray()
                return
            self._dress(headers, message["status"])
        elif self._held is not None:
            self._held += message.get("body", b"")
            if not message.get("more_body"):
                await self._send_page(json.loads(self._held))
            return
        await self._send(message)

    def _dress(self, headers: MutableHeaders, status: int) -> None:
        headers.update(self._headers)
        if self._request.url.path.startswith(STATIC) and status == 200 and "v" in self._request.query_params:
            headers["cache-control"] = FILES_ARE_KEPT

    async def _send_page(self, problem: Mapping[str, Any]) -> None:
        request, self._held = self._request, None
        page: HTMLResponse | RedirectResponse
        if problem["status"] == 401 and not request.url.path.startswith(SIGN_IN_PATH):
            page = RedirectResponse(sign_in_address(request), 303)
        else:
            content = {"problem": problem, "name": _name_of(problem)}
            page = render(request, "problem.html", status=problem["status"], **content)
        await page(request.scope, request.receive, self.send)


def _wants_page(request: Request) -> bool:
    return "text/html" in request.headers.get("accept", "")


_NAMES = {400: "unreadable", 403: "forbidden", 404: "not_found", 405: "not_found", 422: "unreadable", 503: "away"}


def _name_of(problem: Mapping[str, Any]) -> str:
    """What the texts of a problem are called."""
    if problem["type"] == "/problems/sign-in-failed":
        return "sign_in"
    return _NAMES.get(problem["status"], "unexpected")


def sign_in_address(request: Request) -> str:
    """Where whoever has no session goes, and from there back to this page, in its language."""
    path, query = request.url.path, request.url.query
    there = f"{path}?{query}" if query else path
    language = language_of(request)
    wanted = {"next": there, "lang": language} if request.method == "GET" else {"lang": language}
    return f"{SIGN_IN_PATH}?{urlencode(wanted)}"
