"""A resident's own page of what was spent: equal to the lines and the API, in three languages, and nobody else's."""

import re
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from importlib.resources import files
from typing import Any

import pytest
from fastapi import FastAPI

from kanava.common.db import Pool, Tx, transaction
from kanava.common.languages import LANGUAGES, money_text, read_texts
from kanava.local.issuer import persona_claims, sign
from kanava.local.postgres import Postgres
from kanava.local.profile import Profile, project_root
from kanava.payments.domain.benefits import BenefitKind
from kanava.payments.domain.spending import COMPONENTS, Change
from kanava.payments.main import create_app
from kanava.payments.pages import START
from kanava.payments.settings import PaymentsSettings
from kanava.payments.views import reports, spending
from tests.payments import page_story, resident_story, story
from tests.payments.page_story import NEIGHBOUR, OURS, SECRET
from tests.support import facts as told
from tests.support.browsing import ISSUER, SERVICE, Browser, Page, browser, local_issuer, trust
from tests.support.databases import service_database
from tests.support.facts import at, resident_id
from tests.support.structure import faults

NBSP = "\N{NO-BREAK SPACE}"
CHILD = 8


@dataclass(frozen=True)
class StoppedClock:
    """Time stands still while somebody reads."""

    async def now(self, tx: Tx) -> datetime:
        """The twentieth of December."""
        return at(12, 20)


@dataclass(frozen=True)
class Site:
    """The real service on a real database after an autumn, and the local issuer."""

    pool: Pool
    app: FastAPI
    issuer: FastAPI
    profile: Profile


@pytest.fixture(scope="module")
async def site(postgres: Postgres, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Site]:
    """Everything is told once: who reads changes nothing."""
    settings = PaymentsSettings(issuer=ISSUER, public_url=SERVICE)
    profile = Profile("pages", tmp_path_factory.mktemp("pages") / "pages")
    app, issuer = create_app(settings), local_issuer(profile)
    with service_database(postgres, "payments") as database:
        async with database.pool() as pool:
            await page_story.autumn(pool)
            child = told.resident(CHILD, date(2015, 1, 1), guardian_id=resident_id(OURS))
            await story.hear(pool, "listing.resident", child)
            app.state.pool, app.state.clock = pool, StoppedClock()
            trust(app, issuer, settings, START)
            yield Site(pool, app, issuer, profile)


@pytest.fixture
def pool(site: Site) -> Pool:
    """Connections with the application's role."""
    return site.pool


@pytest.fixture
async def ours(site: Site) -> AsyncIterator[Browser]:
    """A browser of its own for each test."""
    async with browser(site.app, site.issuer) as opened:
        yield opened


def amounts(text: str) -> list[int]:
    """The amounts of a text in cents, as Finnish writes them."""
    found = re.findall(rf"(−?)((?:\d{{1,3}})(?:{NBSP}\d{{3}})*),(\d\d){NBSP}€", text)
    return [int(f"{whole.replace(NBSP, '')}{rest}") * (-1 if sign else 1) for sign, whole, rest in found]


async def api_sum(pool: Pool, number: int) -> dict[tuple[str, str], int]:
    """What the API says: cents by month and component."""
    wanted = {"resident": resident_id(number), "since": date(2020, 1, 1), "until": date(2030, 1, 1)}
    found: dict[tuple[str, str], int] = {}
    async with transaction(pool) as tx:
        for row in await reports.of_resident(tx, wanted | {"limit": 1000, "offset": 0}):
            key = (row["month"], row["component"])
            found[key] = found.get(key, 0) + row["amount_cents"]
    return found


async def lines_sum(pool: Pool, number: int) -> int:
    """The cents of all resident lines of a resident."""
    return sum(line["amount_cents"] for line in await story.lines(pool) if line["resident_id"] == resident_id(number))


def months(page: Page) -> dict[str, int]:
    """The sum that stands below each month's table."""
    cards = [card for card in page.source.split('<section class="card"') if 'id="m2' in card]
    return {card.split('id="m')[1][:7]: amounts(card.split("<tfoot")[1])[0] for card in cards}


async def test_the_sums_of_the_page_are_those_of_the_api_and_of_the_lines(pool: Pool, ours: Browser) -> None:
    page = Page((await ours.sign_in("resident", resident_id(OURS))).text)
    told = await api_sum(pool, OURS)
    assert len({component for _, component in told}) == len(COMPONENTS) - 1, "all kinds but a dispute's adjustment"
    by_month = {month: sum(cents for (of, _), cents in told.items() if of == month) for month, _ in told}
    assert months(page) == by_month
    total_cents = sum(told.values())
    assert amounts(page.all("p", class_="figure")[0][1]) == [total_cents]
    assert await lines_sum(pool, OURS) == total_cents - 55_00, "benefits are no lines"
    kinds = page.source.split("<table")[1]
    expected = [sum(cents for (_, one), cents in told.items() if one == kind) for kind in COMPONENTS]
    assert amounts(kinds) == [*(cents for cents in expected if cents), total_cents]


async def test_every_row_of_a_month_adds_up_to_its_sum(ours: Browser) -> None:
    page = Page((await ours.sign_in("resident", resident_id(OURS))).text)
    for table in page.source.split("<table")[2:4]:
        rows = re.findall(r'class="amount">([^<]*)</td>', table)
        cents = [amounts(row)[0] for row in rows]
        assert len(cents) > 3
        assert sum(cents[:-1]) == cents[-1]


async def test_corrections_are_told_in_words(ours: Browser) -> None:
    text = Page((await ours.sign_in("resident", resident_id(OURS))).text).text.replace(NBSP, " ")
    assert "Oikaisu (marraskuu 2026): aiemmin 7,00 €, nyt 5,93 €. Listautumispäiviä oli 31, nyt 21." in text
    assert "Asiakaskohtainen kerroin oli 1,0, nyt 1,25." in text
    assert "aiemmin 45,00 €, nyt 90,00 €. Tuottaja korjasi ilmoitustaan." in text
    assert "aiemmin 0,00 €, nyt 2,26 €. Tieto tuli vasta kuukauden päättämisen jälkeen." in text
    assert "aiemmin 40,00 €, nyt 55,00 €. Uusi päätös muutti summaa." in text
    assert "Perustelu: Tuen tarve kasvoi syksyllä." in text


async def test_the_ceiling_says_what_was_paid_what_is_left_and_what_goes_back(ours: Browser) -> None:
    page = Page((await ours.sign_in("resident", resident_id(OURS))).text)
    ceiling = page.source.split('id="ceiling"')[1].split("</section>")[0]
    assert amounts(ceiling)[:4] == [840_60, 815_00, 0, 25_60]
    assert amounts(ceiling)[4:] == [0, 0, 25_60], "paid, on its way, owed"
    other = Page((await ours.follow(await ours.post("/pages/sign-out"))).text)
    assert other.all("h1")
    page = Page((await ours.sign_in("resident", resident_id(NEIGHBOUR))).text)
    assert amounts(page.source.split('id="ceiling"')[1])[:4] == [33_30, 815_00, 781_70, 0]


async def test_a_page_shows_nobody_else_and_no_id(ours: Browser) -> None:
    answer = await ours.sign_in("resident", resident_id(OURS))
    for foreign in (SECRET, "77,77", "66,66", "33,30", "E-2", *(str(resident_id(n)) for n in range(4))):
        assert foreign not in answer.text
    assert answer.headers["cache-control"] == "no-store"
    asked = await ours.open(f"{START}?resident_id={resident_id(NEIGHBOUR)}&resident={resident_id(NEIGHBOUR)}")
    assert SECRET not in asked.text
    assert months(Page(asked.text)) == months(Page(answer.text)), "whose page it is, the token alone says"


async def test_who_signs_in_after_another_sees_their_own(pool: Pool, ours: Browser) -> None:
    await ours.sign_in("resident", resident_id(OURS))
    await ours.post("/pages/sign-out")
    answer = await ours.sign_in("resident", resident_id(NEIGHBOUR))
    assert SECRET in answer.text
    assert "Tuen tarve kasvoi" not in answer.text
    assert amounts(Page(answer.text).all("p", class_="figure")[0][1]) == [
        sum((await api_sum(pool, NEIGHBOUR)).values())
    ]


async def test_a_protected_resident_s_page_is_only_for_the_resident(ours: Browser) -> None:
    """Whom a unit would give away: no cache keeps the page, no other role gets it, and no address carries an id."""
    for persona in ("adviser", "producer", "organiser", "municipality", "operator", "authority"):
        refused = await ours.sign_in(persona)
        assert refused.status_code == 403
        assert told.unit(private=True).name not in refused.text
        await ours.post("/pages/sign-out")
    answer = await ours.sign_in("resident", resident_id(OURS))
    assert told.unit(private=True).name in answer.text
    assert answer.headers["referrer-policy"] == "same-origin"
    assert str(resident_id(OURS)) not in str(answer.url)


async def test_a_unit_has_its_name_and_one_without_keeps_its_number(pool: Pool, ours: Browser) -> None:
    first = await ours.sign_in("resident", resident_id(OURS))
    assert f"toimipiste {told.PRIVATE_UNIT}" not in first.text
    renamed = told.unit(private=True).model_copy(update={"version": 2, "name": "Leppävaaran asema"})
    await story.hear(pool, "registry.unit", renamed)
    assert "Leppävaaran asema" in (await ours.open(START)).text
    async with transaction(pool) as tx:
        await tx.execute("UPDATE unit SET name = NULL")
    assert f"toimipiste {told.PRIVATE_UNIT}" in (await ours.open(START)).text
    await story.hear(pool, "registry.unit", renamed.model_copy(update={"version": 3, "name": "Unit"}))


async def test_names_are_text_and_never_markup(pool: Pool, ours: Browser) -> None:
    markup = "<script>alert('1')</script> \"&amp; {0} {{ 1 }}"
    await ours.sign_in("resident", resident_id(OURS))
    real = told.producer(private=True), told.unit(private=True)
    for version, names in ((11, (markup, markup)), (12, (real[0].name, real[1].name))):
        producer, unit = (
            one.model_copy(update={"version": version, "name": name}) for one, name in zip(real, names, strict=True)
        )
        await story.hear(pool, "registry.producer", producer)
        await story.hear(pool, "registry.unit", unit)
        page = Page((await ours.open(START)).text)
        assert page.all("script") == []
        assert faults(page) == []
        assert f"{names[0]} {names[1]}" in " ".join(page.text.split())


async def test_a_resident_without_any_lines_is_told_so(ours: Browser) -> None:
    page = Page((await ours.sign_in("resident", resident_id(99))).text)
    assert "Näiltä kuukausilta ei ole kirjattu mitään." in page.text
    assert amounts(page.source.split('id="ceiling"')[1])[:4] == [0, 815_00, 815_00, 0]
    assert [caption for _, caption in page.all("caption")] == ["Asiakasmaksut ja maksukatto vuosittain"]


async def test_a_child_is_told_with_whom_the_fees_count(ours: Browser) -> None:
    assert "huoltajasi maksukattoon" in (await ours.sign_in("resident", resident_id(CHILD))).text
    await ours.post("/pages/sign-out")
    assert "huoltajasi maksukattoon" not in (await ours.sign_in("resident", resident_id(OURS))).text


async def test_the_months_of_the_address_are_shown_and_no_more_than_twelve(pool: Pool, ours: Browser) -> None:
    await ours.sign_in("resident", resident_id(OURS))
    told_of = await api_sum(pool, OURS)
    october = sum(cents for (month, _), cents in told_of.items() if month == "2026-10")
    one = Page((await ours.open(f"{START}?since=2026-10&until=2026-10")).text)
    assert months(one) == {"2026-10": october}
    assert amounts(one.all("p", class_="figure")[0][1]) == [october]
    assert months(Page((await ours.open(f"{START}?since=2026-11&until=2026-10")).text)) == months(
        Page((await ours.open(f"{START}?since=2026-10&until=2026-11")).text)
    ), "the wrong way round is understood"
    wide = Page((await ours.open(f"{START}?since=1990-01&until=2026-12")).text)
    assert [one["value"] for one, _ in wide.all("option", selected="")] == ["2026-01", "2026-12"]
    (earlier,) = [one["href"] for one, text in wide.all("a") if text == "Aiemmat kuukaudet"] or [""]
    assert earlier == "", "nothing was closed before October"
    past = Page((await ours.open(f"{START}?until=2025-12")).text)
    assert [one["href"] for one, text in past.all("a") if text == "Myöhemmät kuukaudet"] == [
        f"{START}?until=2026-12&lang=fi"
    ]
    assert len(past.all("select", id="until")) == 1


async def test_a_benefit_of_before_the_first_month_can_be_found(pool: Pool, ours: Browser) -> None:
    await resident_story.decide(pool, 50, 12_00, month=date(2025, 3, 1))
    page = Page((await ours.sign_in("resident", resident_id(50))).text)
    assert months(page) == {}
    (earlier,) = [one["href"] for one, text in page.all("a") if text == "Aiemmat kuukaudet"]
    page = Page((await ours.open(earlier)).text)
    assert months(page) == {"2025-03": 12_00}
    assert "2025-03" in {one["value"] for one, _ in page.all("option")}
    assert [text for _, text in page.all("a") if text == "Aiemmat kuukaudet"] == []


async def test_decisions_of_one_day_are_each_told(pool: Pool, ours: Browser) -> None:
    for hour, cents in enumerate((40_00, 55_00, 10_00), 9):
        await resident_story.decide(pool, 51, cents, now=at(11, 5, hour))
    text = Page((await ours.sign_in("resident", resident_id(51))).text).text.replace(NBSP, " ")
    assert text.count("Oikaisu (marraskuu 2026)") == 2
    told = ("aiemmin 40,00 €, nyt 55,00 €", "aiemmin 55,00 €, nyt 10,00 €")
    assert 0 < text.find(told[0]) < text.find(told[1])


@pytest.mark.parametrize("query", ["since=2026-13", "until=x", "since=1800-01", "until=2026-10-01", "since="])
async def test_a_month_that_is_none_is_a_page_with_an_error(ours: Browser, query: str) -> None:
    await ours.sign_in("resident", resident_id(OURS))
    answer = await ours.open(f"{START}?{query}")
    assert answer.status_code == 422
    assert Page(answer.text).all("h1")[0][1] == "Osoitteessa on virhe"


async def test_more_rows_than_a_page_holds_leave_out_a_month_and_lead_to_it(
    pool: Pool, ours: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    await ours.sign_in("resident", resident_id(OURS))
    told_of = await api_sum(pool, OURS)
    monkeypatch.setattr(spending, "MAX_ROWS", 12)
    monkeypatch.setattr(spending.of_resident, "__kwdefaults__", {"limit": 12})
    page = Page((await ours.open(START)).text)
    november = sum(cents for (month, _), cents in told_of.items() if month == "2026-11")
    assert months(page) == {"2026-11": november}, "a month is whole or not there"
    (earlier,) = [one["href"] for one, text in page.all("a") if text == "Aiemmat kuukaudet"]
    assert earlier == f"{START}?until=2026-10&lang=fi"


@pytest.mark.parametrize("language", LANGUAGES)
async def test_a_page_is_wholly_in_its_language(ours: Browser, language: str) -> None:
    page = Page((await ours.sign_in("resident", resident_id(OURS), to=f"{START}?lang={language}")).text)
    texts = read_texts("kanava.common", "kanava.payments").by_key
    assert page.all("html")[0][0]["lang"] == language
    assert page.all("h1")[0][1] == texts["costs.title"][language]
    assert money_text(840_60, language) in page.text
    others = [text[other] for text in texts.values() for other in LANGUAGES if other != language]
    foreign = {one for one in others if len(one) > 12 and "{" not in one and one not in _of(texts, language)}
    assert {one for one in foreign if one in page.text} <= {texts["pages.language"][one] for one in LANGUAGES}


def _of(texts: Any, language: str) -> str:
    return " ".join(text[language] for text in texts.values())


async def test_the_language_switch_keeps_the_page_and_its_query(ours: Browser) -> None:
    await ours.sign_in("resident", resident_id(OURS))
    page = Page((await ours.open(f"{START}?since=2026-10&until=2026-11&lang=sv")).text)
    links = {one["hreflang"]: one["href"] for one, _ in page.all("a") if "hreflang" in one}
    assert links == {one: f"{START}?since=2026-10&until=2026-11&lang={one}" for one in LANGUAGES}
    assert page.all("input", name="lang")[0][0]["value"] == "sv", "the form keeps it too"
    current = [one["hreflang"] for one, _ in page.all("a") if one.get("aria-current")]
    assert current == ["sv"]


def test_every_text_that_a_page_names_is_there_and_every_text_is_named() -> None:
    known = read_texts("kanava.common", "kanava.payments").by_key
    named, prefixes = set(), set()
    for template in templates():
        named |= set(re.findall(r"\b(?:t|in_language)\('([a-z_.]+)'[,)]", template))
        prefixes |= set(re.findall(r"\bt\('([a-z_.]+\.)' ~", template))
    assert named - known.keys() == set()
    assert {key for key in known.keys() - named if not key.startswith(tuple(prefixes))} == set()
    for prefix, values in (
        ("component.", COMPONENTS),
        ("costs.about.", COMPONENTS),
        ("change.", Change),
        ("benefit.", BenefitKind),
    ):
        assert {key for key in known if key.startswith(prefix)} == {f"{prefix}{one}" for one in values}


def templates() -> Iterator[str]:
    """The sources of all templates."""
    for package in ("kanava.common", "kanava.payments"):
        for one in files(package).joinpath("templates").iterdir():
            yield one.read_text(encoding="utf-8")


def test_kinds_are_called_what_the_glossary_calls_them() -> None:
    """In Finnish and Swedish; English names are those of the code, which a resident need not know."""
    texts = read_texts("kanava.payments").by_key
    lines = (project_root() / "docs" / "glossary.md").read_text(encoding="utf-8").splitlines()
    terms = {tuple(cell.strip() for cell in line.strip("|").split("|")[:2]) for line in lines if line.startswith("| ")}
    named = {kind: texts[f"component.{kind}"] for kind in COMPONENTS if kind != "voucher"}
    assert [kind for kind, text in named.items() if (text["fi"].lower(), text["sv"].lower()) not in terms] == []


def test_no_template_has_text_of_its_own() -> None:
    """What a person reads comes from the texts; only the name of the system and punctuation stand in a template."""
    for template in templates():
        plain = re.sub(r"\{#.*?#\}|\{%.*?%\}|\{\{.*?\}\}|<[^>]*>", " ", template, flags=re.DOTALL)
        assert set(re.findall(r"\w+", plain)) <= {"Kanava"}, plain


async def test_a_bearer_token_gets_the_page_too(site: Site, ours: Browser) -> None:
    token = sign(site.profile, persona_claims("resident") | {"resident": str(resident_id(OURS))})
    answer = await ours.open(START, authorization=f"Bearer {token}")
    assert answer.status_code == 200


@pytest.mark.parametrize(
    "path", [START, f"{START}?until=2020-01", "/pages/accessibility", "/pages/signed-out", "/pages/x"]
)
async def test_the_structure_of_every_page_serves_everybody(ours: Browser, path: str) -> None:
    await ours.sign_in("resident", resident_id(OURS))
    for language in LANGUAGES:
        answer = await ours.open(f"{path}{'&' if '?' in path else '?'}lang={language}")
        assert faults(Page(answer.text)) == [], answer.url
