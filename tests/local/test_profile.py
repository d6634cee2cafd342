"""Profiles keep secrets to their owner, ports between commands, and nothing half made."""

import socket
import stat
from pathlib import Path

import pytest

from kanava.local import ports, profile
from kanava.local.problems import AlreadyRunning, PlatformProblem, PortOccupied
from kanava.local.profile import Profile


@pytest.fixture
def ours(tmp_path: Path) -> Profile:
    return Profile("trial", tmp_path / "trial").prepare()


@pytest.mark.parametrize("name", ["", "../up", "Up", "a/b", "a" * 60, ".hidden"])
def test_a_name_that_could_leave_the_folder_is_refused(name: str) -> None:
    with pytest.raises(PlatformProblem, match="no profile name"):
        profile.profile(name)


def test_secrets_stay_the_same_and_are_the_owner_s_alone(ours: Profile) -> None:
    assert ours.secret("vault") == ours.secret("vault") != ours.secret("index")
    assert ours.password("role") == ours.password("role")
    for path in (ours.folder / "secrets").iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_what_is_remembered_is_there_for_the_next_command(ours: Profile) -> None:
    ours.remember("kafka", 20_001)
    ours.remember("postgres", 20_002)
    assert Profile(ours.name, ours.folder).facts() == {"kafka": 20_001, "postgres": 20_002}
    (ours.folder / "facts.json").write_text("{cut")
    assert ours.remembered_port("kafka") is None


def test_a_profile_is_held_by_one_command_at_a_time(ours: Profile) -> None:
    with ours.claimed():
        assert ours.is_claimed()
        with pytest.raises(AlreadyRunning, match="trial"), ours.claimed():
            pass
    assert not ours.is_claimed()


def test_wiping_leaves_nothing_and_takes_the_rest_of_an_interrupted_one_along(ours: Profile) -> None:
    (ours.folder.parent / ".trial.gone-1234").mkdir()
    ours.wipe()
    assert list(ours.folder.parent.iterdir()) == []


def test_an_occupied_port_is_told_with_the_setting_that_names_it(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server((ports.LOOPBACK, 0)) as other:
        port = other.getsockname()[1]
        monkeypatch.setenv("KANAVA_TRIAL_PORT", str(port))
        with pytest.raises(PortOccupied, match=f"Port {port} is occupied .* KANAVA_TRIAL_PORT"):
            ports.port_for("KANAVA_TRIAL_PORT")
        assert ports.port_for("KANAVA_OTHER_PORT", remembered=port) != port


@pytest.mark.parametrize("value", ["x", "0", "22", "65536", "-1"])
def test_a_setting_that_is_no_port_is_refused(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("KANAVA_TRIAL_PORT", value)
    with pytest.raises(PlatformProblem, match="KANAVA_TRIAL_PORT"):
        ports.port_for("KANAVA_TRIAL_PORT")
