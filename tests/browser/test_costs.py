"""The resident's page in Chromium: signing in by hand, with a keyboard, on a phone, without scripts, and by axe."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.browser.site import Site
from tests.payments.page_story import OURS, SECRET
from tests.support.facts import resident_id

pytestmark = pytest.mark.platform
DESKTOP, PHONE, NARROW = {"width": 1280, "height": 800}, {"width": 375, "height": 700}, {"width": 320, "height": 640}
RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}


@pytest.fixture
def context(chromium: Browser) -> Iterator[BrowserContext]:
    """A browser that nobody has used."""
    made = chromium.new_context(viewport=DESKTOP, locale="fi-FI")  # type: ignore[arg-type]  # a size is a size
    yield made
    made.close()


@pytest.fixture
def page(context: BrowserContext) -> Page:
    """A page that fails the test when it says an error on the console."""
    opened = context.new_page()
    opened.on("console", lambda said: _must_be_calm(said.type, said.text))
    return opened


def _must_be_calm(kind: str, text: str) -> None:
    assert kind not in ("error", "warning") or "404 (Not Found)" in text or "403 (Forbidden)" in text, text


def sign_in(page: Page, site: Site, to: str = "/pages/costs", *, persona: str = "resident") -> None:
    """Open a page, and choose on the issuer's page who to be."""
    page.goto(site.url + to)
    assert page.url.startswith(site.issuer)
    page.get_by_label(f"{persona}:").check()
    if persona == "resident":
        page.get_by_label("Another resident").fill(str(resident_id(OURS)))
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(site.url + to)


def violations(page: Page) -> list[Any]:
    """What axe finds: the rule and where."""
    found = Axe().run(page, options=RULES).response["violations"]
    return [(one["id"], [node["html"][:200] for node in one["nodes"]]) for one in found]


def test_a_resident_signs_in_reads_and_signs_out(page: Page, site: Site) -> None:
    sign_in(page, site)
    expect(page.get_by_role("heading", level=1)).to_have_text("Sinuun käytetyt varat")
    assert SECRET not in page.content()
    page.get_by_label("Ensimmäinen kuukausi").select_option("2026-10")
    page.get_by_label("Viimeinen kuukausi").select_option("2026-10")
    page.get_by_role("button", name="Näytä").click()
    page.wait_for_url(f"{site.url}/pages/costs?lang=fi&since=2026-10&until=2026-10")
    expect(page.get_by_role("heading", level=3)).to_have_text("Lokakuu 2026")
    page.get_by_role("link", name="På svenska").click()
    page.wait_for_url(f"{site.url}/pages/costs?lang=sv&since=2026-10&until=2026-10")
    expect(page.get_by_role("heading", level=1)).to_have_text("Medel som använts för dig")
    page.get_by_role("button", name="Logga ut").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Du har loggat ut")
    page.goto(f"{site.url}/pages/costs")
    assert page.url.startswith(site.issuer), "the session has ended"


def test_the_cookie_is_out_of_reach_of_scripts(page: Page, site: Site) -> None:
    sign_in(page, site)
    assert page.evaluate("document.cookie") == ""
    (cookie,) = [one for one in page.context.cookies() if one["name"] == "kanava-payments"]
    assert (cookie["httpOnly"], cookie["sameSite"]) == (True, "Lax")


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
@pytest.mark.parametrize("language", ["fi", "sv", "en"])
def test_axe_finds_nothing_on_the_resident_s_page(page: Page, site: Site, language: str, size: Any) -> None:
    page.set_viewport_size(size)
    sign_in(page, site, f"/pages/costs?lang={language}")
    assert violations(page) == []


@pytest.mark.parametrize("path", ["/pages/signed-out", "/pages/accessibility", "/pages/nowhere", "/pages/costs"])
def test_axe_finds_nothing_on_the_pages_around_it(page: Page, site: Site, path: str) -> None:
    page.goto(site.url + path)
    assert violations(page) == [], page.url


def test_axe_finds_nothing_where_a_role_is_refused(page: Page, site: Site) -> None:
    sign_in(page, site, persona="producer")
    expect(page.get_by_role("heading", level=1)).to_have_text("Tämä sivu ei ole sinulle")
    assert violations(page) == []


def test_axe_would_find_something(page: Page, site: Site) -> None:
    sign_in(page, site)
    page.evaluate("document.querySelector('label').remove()")
    assert [rule for rule, _ in violations(page)] == ["select-name"]


@pytest.mark.parametrize("size", [PHONE, NARROW], ids=["375", "320"])
def test_nothing_leads_sideways_on_a_phone(page: Page, site: Site, size: Any) -> None:
    page.set_viewport_size(size)
    sign_in(page, site)
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
    amount = page.locator("td.amount").first.bounding_box()
    assert amount is not None
    assert amount["x"] + amount["width"] <= size["width"]


def test_a_table_is_a_table_also_where_it_looks_like_cards(page: Page, site: Site) -> None:
    sign_in(page, site)
    wide = _semantics(page)
    page.set_viewport_size(PHONE)  # type: ignore[arg-type]  # a size is a size
    assert page.evaluate("getComputedStyle(document.querySelector('td')).display") != "table-cell"
    assert _semantics(page) == wide
    assert wide["row"] > 10


def _semantics(page: Page) -> Counter[str]:
    """What the browser tells assistive technology: how many of each role it has."""
    tree = page.context.new_cdp_session(page).send("Accessibility.getFullAXTree")
    roles = [node["role"]["value"] for node in tree["nodes"] if not node["ignored"]]
    return Counter(role for role in roles if role in ("table", "row", "cell", "columnheader", "rowheader"))


def test_a_keyboard_reaches_the_content_first_and_sees_where_it_is(page: Page, site: Site) -> None:
    sign_in(page, site)
    page.keyboard.press("Tab")
    expect(page.locator(".skip")).to_be_focused()
    assert page.locator(".skip").bounding_box()["x"] >= 0  # type: ignore[index]  # it is shown now
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_be_focused()
    page.keyboard.press("Tab")
    expect(page.locator("#since")).to_be_focused()
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"


def test_everything_works_without_scripts(chromium: Browser, site: Site) -> None:
    context = chromium.new_context(java_script_enabled=False, locale="en-GB")
    page = context.new_page()
    sign_in(page, site)
    expect(page.get_by_role("heading", level=1)).to_have_text("What was spent for you")
    page.get_by_role("button", name="Show").click()
    expect(page.get_by_role("heading", level=3).first).to_have_text("November 2026")
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("You have signed out")
    context.close()


def test_text_twice_as_large_still_fits(page: Page, site: Site) -> None:
    sign_in(page, site)
    page.evaluate("document.documentElement.style.fontSize = '200%'")
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
