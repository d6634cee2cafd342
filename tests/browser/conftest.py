"""A real browser: Debian's Chromium or that of Playwright, whichever is there; without one the tests are skipped.

Playwright's plain API keeps an event loop running in the thread of the tests, in which no asynchronous test could run;
so everything here lives for one module of plain tests, never for the session.
"""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Playwright, sync_playwright

from kanava.local.postgres import Postgres
from tests.browser.site import Site, served

NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")


@pytest.fixture(scope="module")
def playwright() -> Iterator[Playwright]:
    """The driver."""
    with sync_playwright() as started:
        yield started


@pytest.fixture(scope="module")
def chromium(playwright: Playwright) -> Iterator[Browser]:
    """Chromium without a window."""
    found = next((path for name in NAMES if (path := shutil.which(name))), None) or playwright.chromium.executable_path
    if not Path(found).exists():
        pytest.skip("no Chromium here: `apt-get install chromium` or `playwright install chromium` brings one")
    sandbox = os.geteuid() != 0  # as root Chromium has no sandbox
    browser = playwright.chromium.launch(executable_path=found, chromium_sandbox=sandbox)
    yield browser
    browser.close()


@pytest.fixture(scope="module")
def site(chromium: Browser, postgres: Postgres, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The site, only where there is a browser to look at it."""
    with served(postgres, tmp_path_factory.mktemp("site") / "browser") as running:
        yield running
