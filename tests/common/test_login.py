"""Signing in with the local issuer, and what is refused on the way."""

import asyncio
import base64
import hashlib
import json
import re
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from fastapi import APIRouter, FastAPI
from fastapi.responses import HTMLResponse

from kanava.common import login, pages, web
from kanava.common.auth import Caller, Role, allow, routes_without_roles
from kanava.common.errors import TooLarge
from kanava.common.login import SignIn, safe_next
from kanava.common.pages import HEADERS, content_security_policy
from kanava.common.sessions import SESSION, SIGN_IN, Sessions
from kanava.common.settings import DEVELOPMENT_SESSION_KEY, PageSettings
from kanava.local.issuer import Signer, persona_claims, sign
from kanava.local.profile import Profile
from tests.support.browsing import ISSUER, SERVICE, Browser, Page, browser, local_issuer, trust
from tests.support.structure import faults

START = "/pages/hello"
COOKIE, BEGUN = "kanava-hello", "kanava-hello-sign-in"


def service(**changes: Any) -> tuple[FastAPI, PageSettings]:
    """A service of one page for residents, and an API route and a form for comparison."""
    settings = PageSettings(service="hello", issuer=ISSUER, public_url=SERVICE, **changes)
    app = FastAPI()
    web.install(app, settings)
    router = APIRouter()

    @router.get(START, response_class=HTMLResponse)
    async def hello(caller: Annotated[Caller, allow(Role.RESIDENT)]) -> str:
        return f"<p>{caller.resident}</p>"

    @router.post("/pages/form", response_class=HTMLResponse)
    async def form(caller: Annotated[Caller, allow(Role.RESIDENT)]) -> str:
        return "<p>done</p>"

    @router.get("/pages/broken", response_class=HTMLResponse)
    async def broken(caller: Annotated[Caller, allow(Role.RESIDENT)]) -> str:
        raise RuntimeError("an inner secret")

    @router.get("/v1/hello")
    async def api(caller: Annotated[Caller, allow(Role.RESIDENT)]) -> dict[str, str]:
        return {"resident": str(caller.resident)}

    app.include_router(router)
    pages.install(app, settings)
    login.install(app, settings, START)
    return app, settings


class Machine:
    """A service, the issuer and a clock for signing in."""

    def __init__(self, folder: Path) -> None:
        self.now = time.time()
        self.app, self.settings = service()
        self.profile = Profile("login", folder)
        self.issuer = local_issuer(self.profile)
        trust(self.app, self.issuer, self.settings, START, clock=lambda: self.now)


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path / "login")


@pytest.fixture
async def ours(machine: Machine) -> AsyncIterator[Browser]:
    async with browser(machine.app, machine.issuer) as opened:
        yield opened


async def begun(ours: Browser, to: str = START) -> tuple[httpx.Response, dict[str, str]]:
    """The issuer's page, and what the service asked of it."""
    at_issuer = await ours.go(to)
    return at_issuer, {name: values[0] for name, values in parse_qs(urlsplit(str(at_issuer.url)).query).items()}


async def test_a_page_leads_to_the_issuer_and_back_to_where_it_was_asked_for(ours: Browser) -> None:
    first = await ours.open(f"{START}?since=2026-01&lang=sv")
    assert first.status_code == 303
    at_issuer, asked = await begun(ours, f"{START}?since=2026-01&lang=sv")
    assert asked["response_type"] == "code"
    assert asked["scope"] == "openid"
    assert asked["code_challenge_method"] == "S256"
    assert asked["redirect_uri"] == f"{SERVICE}/pages/sign-in/callback"
    assert asked["ui_locales"] == "sv"
    assert len({asked["state"], asked["nonce"], asked["code_challenge"]}) == 3
    back = await ours.follow(await ours.choose(at_issuer, "resident"))
    assert str(back.url) == f"{SERVICE}{START}?since=2026-01&lang=sv"
    assert back.status_code == 200
    assert BEGUN not in ours.client.cookies, "what was begun is forgotten once it is finished"


async def test_the_challenge_is_of_a_verifier_that_only_a_cookie_has(machine: Machine, ours: Browser) -> None:
    _, asked = await begun(ours)
    kept = machine.app.state.sessions.read(SIGN_IN, dict(ours.client.cookies))
    verifier = json.loads(kept)["verifier"]
    assert verifier not in str(asked)
    digest = hashlib.sha256(verifier.encode()).digest()
    assert base64.urlsafe_b64encode(digest).rstrip(b"=").decode() == asked["code_challenge"]


async def test_the_cookie_is_sealed_and_out_of_reach_of_scripts_and_other_sites(ours: Browser) -> None:
    at_issuer, _ = await begun(ours)
    answer = await ours.choose(at_issuer, "resident")
    answer = await ours.client.get(answer.headers["location"])
    (set_cookie,) = [one for one in answer.headers.get_list("set-cookie") if one.startswith(f"{COOKIE}=")]
    attributes = {part.strip().lower() for part in set_cookie.split(";")[1:]}
    assert {"httponly", "samesite=lax", "path=/"} <= attributes
    assert not any(one.startswith(("domain", "max-age", "expires")) for one in attributes)
    assert "eyJ" not in set_cookie, "a token in clear begins so"


def test_in_production_cookies_are_for_https_and_this_host_alone() -> None:
    answer = HTMLResponse()
    Sessions("hello", b"k" * 32, secure=True).keep(answer, SESSION, b"token")
    assert answer.headers["set-cookie"].startswith("__Host-kanava-hello=")
    assert "secure" in answer.headers["set-cookie"].lower()


def test_production_needs_its_own_key_and_address() -> None:
    named = {"service": "hello", "environment": "production", "database_url": "postgresql://real"}
    with pytest.raises(ValueError, match="KANAVA_SESSION_KEY"):
        PageSettings(**named, public_url="https://kanava.example")
    key = base64.b64encode(b"k" * 32).decode()
    with pytest.raises(ValueError, match="KANAVA_PUBLIC_URL"):
        PageSettings(**named, session_key=key)
    assert (
        PageSettings(**named, session_key=key, public_url="https://Kanava.example/").origin == "https://kanava.example"
    )


def test_production_is_reached_by_https_or_on_this_machine() -> None:
    key = base64.b64encode(b"k" * 32).decode()
    named = {"service": "hello", "environment": "production", "database_url": "postgresql://real", "session_key": key}
    with pytest.raises(ValueError, match="cookies need https"):
        PageSettings(**named, public_url="http://kanava.example")
    assert PageSettings(**named, public_url="http://localhost:8003").origin == "http://localhost:8003"


@pytest.mark.parametrize(
    "address",
    [
        "kanava.example",
        "https://kanava.example/x",
        "https://kanava.example?x=1",
        "https://kanava.example/#x",
        "https://kanava.example:x",
        "https://kanava.example:99999",
        "https://:8003",
        "ftp://x",
        "https://a@b",
        "https://",
    ],
)
def test_an_address_that_is_no_origin_is_refused(address: str) -> None:
    with pytest.raises(ValueError, match="public address"):
        PageSettings(service="hello", public_url=address)


@pytest.mark.parametrize(
    ("address", "origin"),
    [
        ("https://kanava.example:443", "https://kanava.example"),
        ("http://kanava.example:80/", "http://kanava.example"),
        ("https://kanava.example:8443", "https://kanava.example:8443"),
        ("https://kanava.example:", "https://kanava.example"),
        ("http://[::1]:8003", "http://[::1]:8003"),
        ("https://[::1]:443", "https://[::1]"),
    ],
)
def test_an_origin_is_what_browsers_write(address: str, origin: str) -> None:
    """A browser leaves out the port that its scheme has anyway; compared to the letter, every form would be refused."""
    assert PageSettings(service="hello", public_url=address).origin == origin


async def test_the_cookie_opens_pages_and_nothing_else(ours: Browser) -> None:
    await ours.sign_in("resident", to=START)
    assert (await ours.open(START)).status_code == 200
    api = await ours.open("/v1/hello")
    assert api.status_code == 401
    assert api.headers["content-type"] == "application/problem+json"


async def test_a_wrong_role_gets_a_page_that_says_so_and_a_way_out(ours: Browser) -> None:
    answer = await ours.sign_in("producer", to=START)
    assert answer.status_code == 403
    page = Page(answer.text)
    assert page.all("h1") == [({}, "Tämä sivu ei ole sinulle")]
    assert page.all("form")[0][0]["action"].startswith("/pages/sign-out")
    assert page.all("html")[0][0]["lang"] == "fi"


async def test_a_program_gets_problems_as_problems(ours: Browser) -> None:
    answer = await ours.open(START, accept="application/json")
    assert answer.status_code == 401
    assert answer.json()["type"] == "/problems/unauthenticated"


async def test_a_page_that_is_not_there_is_a_page(ours: Browser) -> None:
    answer = await ours.open("/pages/nowhere", **{"accept-language": "sv"})
    assert answer.status_code == 404
    assert Page(answer.text).all("h1")[0][1] == "Sidan finns inte"
    assert "content-security-policy" in answer.headers


async def test_what_goes_wrong_inside_is_a_page_that_tells_nothing_of_it(ours: Browser) -> None:
    await ours.sign_in("resident", to=START)
    answer = await ours.open("/pages/broken")
    assert answer.status_code == 500
    assert Page(answer.text).all("h1")[0][1] == "Jokin meni vikaan"
    assert "secret" not in answer.text
    assert faults(Page(answer.text)) == []


@pytest.mark.parametrize("state", ["", "another", "ä"])
async def test_a_state_that_the_browser_did_not_begin_is_refused(ours: Browser, state: str) -> None:
    at_issuer, _ = await begun(ours)
    answer = await ours.choose(at_issuer, "resident")
    code = parse_qs(urlsplit(answer.headers["location"]).query)["code"][0]
    refused = await ours.client.get(f"{SERVICE}/pages/sign-in/callback", params={"code": code, "state": state})
    assert refused.status_code == 400
    assert Page(refused.text).all("h1")[0][1] == "Kirjautuminen ei onnistunut"
    assert COOKIE not in ours.client.cookies


async def test_another_browser_cannot_finish_what_one_began(machine: Machine, ours: Browser) -> None:
    at_issuer, _ = await begun(ours)
    location = (await ours.choose(at_issuer, "resident")).headers["location"]
    async with browser(machine.app, machine.issuer) as other:
        assert (await other.open(location)).status_code == 400
        assert COOKIE not in other.client.cookies


async def test_a_code_is_good_once(ours: Browser) -> None:
    at_issuer, _ = await begun(ours)
    kept = ours.client.cookies[BEGUN]
    location = (await ours.choose(at_issuer, "resident")).headers["location"]
    assert (await ours.open(location)).status_code == 303
    ours.client.cookies.set(BEGUN, kept, domain="127.0.0.1")
    assert (await ours.open(location)).status_code == 400


async def test_who_takes_too_long_begins_anew(machine: Machine, ours: Browser) -> None:
    at_issuer, _ = await begun(ours)
    answer = await ours.choose(at_issuer, "resident")
    machine.now += login.SIGN_IN_SECONDS + 1
    refused = await ours.follow(answer)
    assert refused.status_code == 400
    assert Page(refused.text).all("a", class_="button")[0][0]["href"].startswith("/pages/sign-in")


@pytest.mark.parametrize("brought", [{"error": "access_denied"}, {}, {"iss": "https://another", "code": "x"}])
async def test_a_refusal_or_another_issuer_s_answer_ends_without_a_session(
    ours: Browser, brought: dict[str, str]
) -> None:
    _, asked = await begun(ours)
    callback = f"{SERVICE}/pages/sign-in/callback"
    answer = await ours.client.get(callback, params=brought | {"state": asked["state"]})
    assert answer.status_code == 400
    assert COOKIE not in ours.client.cookies


async def test_an_issuer_that_names_itself_always_does(machine: Machine, ours: Browser) -> None:
    """An answer without `iss` is not of an issuer that says it gives one (RFC 9207); of another it is."""
    for names_itself, status in ((True, 400), (False, 303)):
        at_issuer, _ = await begun(ours)
        sign_in = machine.app.state.sign_in
        told = {"authorization_response_iss_parameter_supported": names_itself}
        sign_in._known = (sign_in._known[0], sign_in._known[1] | told)
        location = (await ours.choose(at_issuer, "resident")).headers["location"]
        without = re.sub("&iss=[^&]*", "", location)
        assert without != location
        assert (await ours.open(without)).status_code == status
        assert (COOKIE in ours.client.cookies) == (status == 303)


class Lying:
    """An issuer that changes what a part of its answers says."""

    def __init__(self, real: FastAPI, **changes: Any) -> None:
        self._real, self._changes = real, changes

    def __call__(self) -> httpx.AsyncClient:
        async def answer(request: httpx.Request) -> httpx.Response:
            async with httpx.AsyncClient(transport=httpx.ASGITransport(self._real)) as client:
                told = await client.request(
                    request.method, request.url, content=request.content, headers=request.headers
                )
            return httpx.Response(told.status_code, json=told.json() | self._changes)

        return httpx.AsyncClient(transport=httpx.MockTransport(answer))


async def finished_with(machine: Machine, ours: Browser, **changes: Any) -> httpx.Response:
    """Sign in at an issuer that answers with something else for the code."""
    at_issuer, _ = await begun(ours)
    sessions = machine.app.state.sessions
    lying = SignIn(machine.settings, sessions, START, client=Lying(machine.issuer, **changes))
    lying._known = machine.app.state.sign_in._known
    machine.app.state.sign_in = lying
    return await ours.follow(await ours.choose(at_issuer, "resident"))


def id_token(machine: Machine, **claims: Any) -> str:
    """An ID token of the real key with other claims."""
    return Signer(machine.profile)._encode({"sub": "resident"} | claims, claims.get("aud", "kanava"), 600)


async def test_a_token_for_another_nonce_is_not_this_sign_in(machine: Machine, ours: Browser) -> None:
    answer = await finished_with(machine, ours, id_token=id_token(machine, nonce="another"))
    assert answer.status_code == 400
    assert COOKIE not in ours.client.cookies


@pytest.mark.parametrize("changes", [{"id_token": "x.y.z"}, {"access_token": "x.y.z"}, {"id_token": None}])
async def test_tokens_that_are_none_end_without_a_session(
    machine: Machine, ours: Browser, changes: dict[str, Any]
) -> None:
    assert (await finished_with(machine, ours, **changes)).status_code == 400
    assert COOKIE not in ours.client.cookies


async def test_an_id_token_opens_nothing(machine: Machine, ours: Browser) -> None:
    bearer = {"authorization": f"Bearer {id_token(machine, nonce='n')}", "accept": "application/json"}
    assert (await ours.open("/v1/hello", **bearer)).status_code == 401


async def test_a_session_ends_with_its_token(machine: Machine, ours: Browser) -> None:
    expired = sign(machine.profile, persona_claims("resident"), lifetime_seconds=-60)
    answer = HTMLResponse()
    machine.app.state.sessions.keep(answer, SESSION, expired.encode())
    ours.client.cookies.set(COOKIE, answer.headers["set-cookie"].split(";")[0].partition("=")[2], domain="127.0.0.1")
    again = await ours.open(START)
    assert again.status_code == 303
    assert again.headers["location"].startswith("/pages/sign-in?next=%2Fpages%2Fhello")


@pytest.mark.parametrize("value", ["", "x", "AAAA", "é", "A" * 5000])
async def test_a_cookie_that_we_did_not_seal_is_no_session(ours: Browser, value: str) -> None:
    answer = await ours.open(START, cookie=f"{COOKIE}={value}".encode())
    assert answer.status_code == 303


async def test_what_was_begun_cannot_stand_in_for_a_session(ours: Browser) -> None:
    await begun(ours)
    answer = await ours.open(START, cookie=f"{COOKIE}={ours.client.cookies[BEGUN]}")
    assert answer.status_code == 303


def test_a_token_that_no_cookie_holds_is_refused() -> None:
    with pytest.raises(TooLarge):
        Sessions("hello", b"k" * 32, secure=False).keep(HTMLResponse(), SESSION, b"x" * 4000)


@pytest.mark.parametrize(
    "wanted",
    [
        "https://evil.example/pages/x",
        "//evil.example/pages/x",
        "/\\evil.example",
        "/pages\\..\\x",
        "\\\\evil.example",
        "/pages//evil.example",
        "/pages/../v1/x",
        "/pages/sign-in?next=/pages/x",
        "/pages/x\r\nset-cookie: a=b",
        "/pages/x\t",
        "/pages/é",
        "javascript:alert(1)",
        "pages/x",
        "/v1/hello",
        "/",
        "",
        "http:/pages/x",
        "/pages/" + "x" * 2000,
    ],
)
async def test_next_leads_to_a_page_of_this_service_alone(ours: Browser, wanted: str) -> None:
    assert safe_next(wanted, START) == START
    at_issuer = await ours.follow(await ours.client.get(f"{SERVICE}/pages/sign-in", params={"next": wanted}))
    back = await ours.follow(await ours.choose(at_issuer, "resident"))
    assert str(back.url) == f"{SERVICE}{START}"


@pytest.mark.parametrize("wanted", ["/pages/x", "/pages/x?since=2026-01&lang=sv", "/pages/a/b-c?q=%2F%2Fx"])
def test_next_keeps_a_page_and_its_query(wanted: str) -> None:
    assert safe_next(wanted, START) == wanted


async def test_signing_out_ends_the_session_and_says_so(ours: Browser) -> None:
    await ours.sign_in("resident", to=START)
    answer = await ours.follow(await ours.post("/pages/sign-out?lang=sv"))
    assert Page(answer.text).all("h1")[0][1] == "Du har loggat ut"
    assert COOKIE not in ours.client.cookies
    assert (await ours.open(START)).status_code == 303


async def test_the_issuer_ends_its_session_too_where_it_can(machine: Machine, ours: Browser) -> None:
    await ours.sign_in("resident", to=START)
    sign_in = machine.app.state.sign_in
    sign_in._known = (sign_in._known[0], sign_in._known[1] | {"end_session_endpoint": f"{ISSUER}/end"})
    location = urlsplit((await ours.post("/pages/sign-out")).headers["location"])
    assert location.path == "/end"
    assert parse_qs(location.query)["post_logout_redirect_uri"] == [f"{SERVICE}/pages/signed-out"]


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"origin": "", "sec-fetch-site": "cross-site"},
        {"origin": "http://127.0.0.1:9999", "sec-fetch-site": "same-site"},
    ],
)
@pytest.mark.parametrize("form", ["/pages/sign-out", "/pages/form"])
async def test_a_form_of_another_site_does_nothing(ours: Browser, form: str, headers: dict[str, str]) -> None:
    await ours.sign_in("resident", to=START)
    answer = await ours.post(form, **headers)
    assert answer.status_code == 403
    assert (await ours.open(START)).status_code == 200, "the session is still there"


async def test_a_form_without_any_sign_of_where_it_came_from_is_refused(ours: Browser) -> None:
    await ours.sign_in("resident", to=START)
    assert (await ours.client.post(f"{SERVICE}/pages/form")).status_code == 403
    assert (await ours.post("/pages/form")).status_code == 200


async def test_every_answer_of_a_page_has_the_headers(machine: Machine, ours: Browser) -> None:
    await ours.sign_in("resident", to=START)
    answers = [await ours.open(path) for path in (START, "/pages/nowhere", "/pages/signed-out", "/pages/sign-in")]
    policy = content_security_policy(machine.settings)
    for answer in answers:
        assert {name: answer.headers[name] for name in HEADERS} == dict(HEADERS), answer.url
        assert answer.headers["content-security-policy"] == policy
    assert "unsafe" not in policy
    assert "default-src 'none'" in policy


async def test_a_style_sheet_is_kept_by_the_digest_in_its_address(ours: Browser) -> None:
    page = Page((await ours.open("/pages/signed-out")).text)
    (sheet,) = [one["href"] for one, _ in page.all("link", rel="stylesheet")]
    answer = await ours.open(sheet)
    assert answer.headers["content-type"].startswith("text/css")
    assert "immutable" in answer.headers["cache-control"]
    assert (await ours.open(sheet.partition("?")[0])).headers["cache-control"] == "no-store"


async def test_an_issuer_that_is_away_is_said_to_be(machine: Machine, ours: Browser) -> None:
    def away() -> httpx.AsyncClient:
        def refuse(request: httpx.Request) -> httpx.Response:
            raise httpx.ConnectError("away")

        return httpx.AsyncClient(transport=httpx.MockTransport(refuse))

    machine.app.state.sign_in = SignIn(machine.settings, machine.app.state.sessions, START, client=away)
    answer = await ours.go(START)
    assert answer.status_code == 503
    assert Page(answer.text).all("h1")[0][1] == "Palvelu ei juuri nyt vastaa"
    assert (await ours.post("/pages/sign-out")).status_code == 303, "signing out works without the issuer"


async def test_an_issuer_that_is_away_is_not_asked_by_everybody(machine: Machine, ours: Browser) -> None:
    asked = 0

    def away() -> httpx.AsyncClient:
        def refuse(request: httpx.Request) -> httpx.Response:
            nonlocal asked
            asked += 1
            raise httpx.ConnectError("away")

        return httpx.AsyncClient(transport=httpx.MockTransport(refuse))

    known = {"client": away, "clock": lambda: machine.now}
    machine.app.state.sign_in = SignIn(machine.settings, machine.app.state.sessions, START, **known)
    assert {(await ours.go(START)).status_code for _ in range(3)} == {503}
    assert asked == 1
    machine.now += login.PAUSE_SECONDS
    await ours.go(START)
    assert asked == 2


async def test_a_configuration_is_asked_for_once_by_those_who_come_together(machine: Machine, ours: Browser) -> None:
    asked = 0
    here = {name: f"{ISSUER}/{name}" for name in ("authorization_endpoint", "token_endpoint")}

    def counting() -> httpx.AsyncClient:
        async def answer(request: httpx.Request) -> httpx.Response:
            nonlocal asked
            asked += 1
            await asyncio.sleep(0.01)
            return httpx.Response(200, json=here | {"issuer": ISSUER})

        return httpx.AsyncClient(transport=httpx.MockTransport(answer))

    machine.app.state.sign_in = SignIn(machine.settings, machine.app.state.sessions, START, client=counting)
    answers = await asyncio.gather(*(ours.open("/pages/sign-in") for _ in range(5)))
    assert {answer.status_code for answer in answers} == {303}
    assert asked == 1


async def test_a_configuration_of_another_issuer_is_not_taken(machine: Machine, ours: Browser) -> None:
    lying = Lying(machine.issuer, issuer="https://another")
    machine.app.state.sign_in = SignIn(machine.settings, machine.app.state.sessions, START, client=lying)
    assert (await ours.go(START)).status_code == 503


def test_the_routes_of_signing_in_are_the_only_open_ones() -> None:
    app, _ = service()
    assert routes_without_roles(app) == []


def test_the_default_key_is_for_development() -> None:
    assert "session_key" in PageSettings.secret_fields()
    assert PageSettings(service="hello").session_key == DEVELOPMENT_SESSION_KEY
