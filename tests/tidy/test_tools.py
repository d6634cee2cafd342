"""Ruff and mypy find nothing."""

import subprocess
import sys

import pytest

from tests.tidy.source import ROOT

SOURCES = [name for name in ("libs", "services", "deploy", "bench", "tests") if (ROOT / name).is_dir()]


def test_ruff_finds_nothing() -> None:
    found = subprocess.run(
        [sys.executable, "-m", "ruff", "check", "--quiet", "--no-cache", "--output-format", "concise", *SOURCES],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert found.returncode == 0, found.stdout


@pytest.mark.parametrize("member", ["common", "registry", "listing", "payments", "monitoring", "local"])
def test_mypy_finds_nothing(member: str) -> None:
    """One member at a time, so that a failure says whose it is; the cache makes the later ones quick."""
    found = subprocess.run(
        [sys.executable, "-m", "mypy", "--no-error-summary", "-p", f"kanava.{member}"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert found.returncode == 0, found.stdout
