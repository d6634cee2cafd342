"""Where the pages of the running services are, and what each copy is told."""

import importlib
import signal
import sys
from pathlib import Path

import pytest
from pydantic import ValidationError

from kanava.local import processes, services
from kanava.local.databases import SERVICES
from kanava.local.profile import Profile
from kanava.payments.main import create_app
from kanava.payments.pages import START
from kanava.payments.settings import PaymentsSettings


def test_up_says_where_the_pages_of_running_services_are(tmp_path: Path) -> None:
    ours = Profile("pages", tmp_path).prepare()
    assert services.page_addresses(ours) == []
    for name, port in (("payments-1", 20_001), ("payments-2", 20_002), ("listing-1", 20_003)):
        ours.remember(name, port)
        command = [sys.executable, "-c", "import time; time.sleep(60)"]
        processes.spawn(command, pid_file=ours.pid_file(name), log=ours.log(name), tie=signal.SIGKILL, environment={})
    try:
        assert services.page_addresses(ours) == ["http://127.0.0.1:20001/pages/costs"]
    finally:
        for process in ours.running():
            process.stop(signal.SIGKILL)


@pytest.mark.parametrize("path", services.PAGES.values())
def test_the_page_to_begin_with_is_a_route(path: str) -> None:
    assert path == START
    assert path in create_app(PaymentsSettings()).openapi()["paths"]


def test_a_copy_is_told_where_browsers_find_it_and_the_issuer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ours = Profile("pages", tmp_path).prepare()
    monkeypatch.delenv("KANAVA_PUBLIC_URL", raising=False)
    known = {"database_url": "x", "kafka": "x", "sandbox": False, "issuer": "http://127.0.0.1:1"}
    first, second = (
        services.environment(ours, services.Copy("payments", n, 20_000 + n), **known)  # type: ignore[arg-type]  # values of all kinds
        for n in (1, 2)
    )
    assert first["KANAVA_PUBLIC_URL"] == "http://127.0.0.1:20001"
    assert first["KANAVA_DISCOVERY_URL"] == "http://127.0.0.1:1/.well-known/openid-configuration"
    assert first["KANAVA_SESSION_KEY"] == second["KANAVA_SESSION_KEY"] != first["KANAVA_PAYEE_KEY"]
    listing = services.environment(ours, services.Copy("listing", 1, 20_003), **known)  # type: ignore[arg-type]  # values of all kinds
    assert "KANAVA_SESSION_KEY" not in listing


def test_a_real_issuer_may_know_the_pages_by_another_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ours = Profile("client", tmp_path).prepare()
    known = {"database_url": "x", "kafka": "x", "sandbox": False, "issuer": "https://issuer.example"}
    copies = {name: services.Copy(name, 1, 20_001) for name in ("payments", "listing")}
    monkeypatch.setenv("KANAVA_CLIENT_ID", "kanava-pages")
    told = {name: services.environment(ours, copy, **known) for name, copy in copies.items()}  # type: ignore[arg-type]  # values of all kinds
    assert told["payments"]["KANAVA_CLIENT_ID"] == "kanava-pages"
    assert "KANAVA_CLIENT_ID" not in told["listing"]
    monkeypatch.delenv("KANAVA_CLIENT_ID")
    assert "KANAVA_CLIENT_ID" not in services.environment(ours, copies["payments"], **known)  # type: ignore[arg-type]  # values of all kinds


@pytest.mark.parametrize("name", SERVICES)
def test_a_key_that_seals_nothing_is_refused_at_the_start(name: str) -> None:
    settings = getattr(importlib.import_module(f"kanava.{name}.settings"), f"{name.capitalize()}Settings")
    for key in (field for field in settings.secret_fields() if field.endswith("_key")):
        for wrong in ("c2hvcnQ=", "no base64"):
            with pytest.raises(ValidationError, match=key):
                settings(**{key: wrong})
