"""A browser without a window: an HTTP client with cookies that reaches a service and the local issuer in process."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urljoin

import httpx
from fastapi import FastAPI

from kanava.common.auth import TokenVerifier
from kanava.common.login import SignIn
from kanava.common.settings import PageSettings
from kanava.local import issuer
from kanava.local.profile import Profile

ISSUER = "http://127.0.0.1:20000"
SERVICE = "http://127.0.0.1:8003"
AS_A_BROWSER = {"accept": "text/html,application/xhtml+xml;q=0.9,*/*;q=0.8", "accept-language": "fi"}
MOST_STEPS = 10


@dataclass
class Page(HTMLParser):
    """A page as it was parsed: its elements in order, each with its attributes and the text right inside it."""

    source: str
    elements: list[tuple[str, dict[str, str], list[str]]] = field(default_factory=list)
    _open: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Parse at once."""
        super().__init__()
        self.feed(self.source)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """An element begins."""
        self.elements.append((tag, {name: value or "" for name, value in attrs}, []))
        if tag not in ("meta", "link", "input", "br", "img"):
            self._open.append(len(self.elements) - 1)

    def handle_endtag(self, tag: str) -> None:
        """An element ends, and must be the one that was opened last."""
        began = self.elements[self._open.pop()][0]
        assert began == tag, f"<{began}> is closed as </{tag}>"

    def handle_data(self, data: str) -> None:
        """Text belongs to every element that is open."""
        for place in self._open:
            self.elements[place][2].append(data)

    def all(self, tag: str, **wanted: str) -> list[tuple[dict[str, str], str]]:
        """Elements of a tag with these attributes: attributes and text."""
        found = [(attrs, text) for name, attrs, text in self.elements if name == tag]
        return [
            (attrs, re.sub(r"[ \n]+", " ", "".join(text)).strip())
            for attrs, text in found
            if all(attrs.get(name.rstrip("_").replace("_", "-")) == value for name, value in wanted.items())
        ]

    @property
    def text(self) -> str:
        """All text of the body."""
        return self.all("body")[0][1]


@dataclass
class Browser:
    """Follows links and redirects, keeps cookies, and sends forms as a browser does."""

    client: httpx.AsyncClient

    async def open(self, url: str, **headers: Any) -> httpx.Response:
        """GET an address, without following where it leads."""
        return await self.client.get(urljoin(SERVICE, url), headers=headers)

    async def follow(self, answer: httpx.Response) -> httpx.Response:
        """Follow redirects to their end."""
        for _ in range(MOST_STEPS):
            if not answer.is_redirect:
                return answer
            answer = await self.client.get(urljoin(str(answer.url), answer.headers["location"]))
        raise AssertionError(f"redirects do not end: {answer.url}")

    async def go(self, url: str) -> httpx.Response:
        """Open an address and follow."""
        return await self.follow(await self.open(url))

    async def choose(self, at_issuer: httpx.Response, persona: str, resident: object = "") -> httpx.Response:
        """Choose a persona on the issuer's page; the answer, not followed."""
        hidden = {one["name"]: one["value"] for one, _ in Page(at_issuer.text).all("input", type_="hidden")}
        sent = hidden | {"persona": persona, "resident": str(resident)}
        return await self.client.post(f"{ISSUER}/authorize", data=sent, headers={"origin": ISSUER})

    async def sign_in(self, persona: str, resident: object = "", to: str = "/pages/costs") -> httpx.Response:
        """Open a page, sign in on the way, and come to it."""
        at_issuer = await self.go(to)
        assert str(at_issuer.url).startswith(f"{ISSUER}/authorize"), at_issuer.url
        return await self.follow(await self.choose(at_issuer, persona, resident))

    async def post(self, url: str, **headers: str) -> httpx.Response:
        """Send a form of a page of the service, unless the headers say where else it was sent from."""
        return await self.client.post(urljoin(SERVICE, url), headers={"origin": SERVICE} | headers)


def local_issuer(profile: Profile) -> FastAPI:
    """The local issuer's app of a profile, at `ISSUER`."""
    profile.prepare().remember("issuer", 20_000)
    return issuer.create_app(profile)


def reaching(app: FastAPI) -> Any:
    """How a client reaches an app in process."""
    return httpx.ASGITransport(app, raise_app_exceptions=False)


def trust(app: FastAPI, issuer_app: FastAPI, settings: PageSettings, start: str, **named: Any) -> None:
    """Let an app take its keys, its configuration and its tokens from an issuer in process."""

    def client() -> httpx.AsyncClient:
        return httpx.AsyncClient(transport=reaching(issuer_app))

    async def keys() -> Any:
        async with client() as asking:
            return (await asking.get(f"{ISSUER}/jwks.json")).json()

    app.state.verifier = TokenVerifier(ISSUER, "unused", "kanava", fetch=keys)
    app.state.sign_in = SignIn(settings, app.state.sessions, start, **({"client": client} | named))


@asynccontextmanager
async def browser(app: FastAPI, issuer_app: FastAPI) -> AsyncIterator[Browser]:
    """A browser that reaches a service at `SERVICE` and the issuer at `ISSUER`."""
    mounts = {SERVICE: reaching(app), ISSUER: reaching(issuer_app)}
    async with httpx.AsyncClient(mounts=mounts, headers=AS_A_BROWSER) as client:
        yield Browser(client)
