"""What no tracked file may hold: addresses of registries, paths of one machine, and personal identity codes."""

import re
from pathlib import Path

import pytest
from stdnum.fi import hetu

from tests.tidy.source import ROOT, tracked_files

# Written in pieces, so that this file does not hold what it looks for.
REGISTRIES = tuple(
    ".".join(parts)
    for parts in (
        ("pypi", "org"),
        ("files", "pythonhosted", "org"),
        ("repo1", "maven", "org"),
        ("repo", "maven", "apache", "org"),
        ("registry", "npmjs", "org"),
        ("registry", "yarnpkg", "com"),
        ("proxy", "golang", "org"),
        ("index", "crates", "io"),
        ("registry-1", "docker", "io"),
    )
)
FOLDERS = ("ro" + "ot", "ho" + "me", "wo" + "rk", "Us" + "ers")
MACHINE_PATHS = tuple(re.compile(f"(?<![\\w.])/{folder}/[\\w.-]") for folder in FOLDERS)
HETU = re.compile(r"(?<![0-9A-Za-z])\d{6}[-+A-FU-Y]\d{3}[0-9A-Y](?![0-9A-Za-z])")
LEAST_ARTIFICIAL, MOST = 900, 999


def texts() -> list[tuple[Path, str]]:
    """Every tracked text file; a binary one is left out."""
    found = []
    for path in tracked_files():
        content = path.read_bytes()
        if b"\0" not in content[:8000]:
            found.append((path, content.decode("utf-8", "replace")))
    return found


def places(found: list[tuple[Path, str]]) -> list[str]:
    """Where something stands, for the message of a failure; what it is only as far as it is no identity."""
    return [f"{path.relative_to(ROOT)}: {what}" for path, what in found]


def test_no_file_names_a_package_registry() -> None:
    assert places([(path, name) for path, text in texts() for name in REGISTRIES if name in text]) == []


def test_no_file_names_a_path_of_one_machine() -> None:
    hits = [(path, hit[0]) for path, text in texts() for rule in MACHINE_PATHS if (hit := rule.search(text))]
    assert places(hits) == []


def test_every_personal_identity_code_is_an_artificial_one() -> None:
    """Real codes have individual numbers 002–899; examples and demo data use 900–999 only."""
    hits = [(path, "a HETU of the real range") for path, text in texts() if any(map(is_real, HETU.findall(text)))]
    assert places(hits) == []


def is_real(code: str) -> bool:
    """Whether a text is a valid HETU that a person could have."""
    valid = hetu.is_valid(code, allow_temporary=True)
    return valid and not LEAST_ARTIFICIAL <= int(code[7:10]) <= MOST


@pytest.mark.parametrize("number", ["002", "308", "899", "900", "999"])
def test_the_search_knows_real_codes_from_artificial_ones(number: str) -> None:
    check = "0123456789ABCDEFHJKLMNPRSTUVWXY"[int(f"131052{number}") % 31]
    code = f"131052-{number}{check}"
    assert HETU.fullmatch(code)
    assert is_real(code) is (int(number) < LEAST_ARTIFICIAL)


def test_the_environment_and_data_of_a_machine_are_not_tracked() -> None:
    assert [path for path in tracked_files() if ".kanava" in path.relative_to(ROOT).parts] == []


def test_no_lock_with_addresses_is_tracked() -> None:
    assert not {"uv.lock", "package-lock.json"} & {path.name for path in tracked_files()}
