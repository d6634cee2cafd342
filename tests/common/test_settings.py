"""Settings: read from the environment, explained, and strict outside development."""

import pytest
from pydantic import Field, ValidationError

from kanava.common.settings import ServiceSettings


class Sealed(ServiceSettings):
    """A service with a secret of its own."""

    service: str = Field(default="sealed", title="Service", description="Name of the service.")
    seal_key: str = Field(
        default="for development", title="Seal", description="Key.", json_schema_extra={"secret": True}
    )


def test_a_setting_is_read_from_its_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KANAVA_DATABASE_POOL_SIZE", "3")
    monkeypatch.setenv("KANAVA_SANDBOX", "true")
    settings = Sealed()
    assert (settings.database_pool_size, settings.sandbox) == (3, True)


def test_every_setting_has_a_title_and_says_what_it_is() -> None:
    for name, field in Sealed.model_fields.items():
        assert field.title, name
        assert field.description, name


def test_outside_development_default_secrets_are_refused_by_name() -> None:
    with pytest.raises(ValidationError, match="KANAVA_DATABASE_URL, KANAVA_SEAL_KEY"):
        Sealed(environment="production")
    with pytest.raises(ValidationError, match="KANAVA_SEAL_KEY"):
        Sealed(environment="production", database_url="postgresql://elsewhere/kanava")


def test_with_secrets_of_its_own_a_service_starts_in_production() -> None:
    settings = Sealed(environment="production", database_url="postgresql://elsewhere/x", seal_key="own")
    assert settings.is_production


def test_the_sandbox_is_not_for_production() -> None:
    with pytest.raises(ValidationError, match="sandbox"):
        Sealed(environment="production", sandbox=True, database_url="postgresql://elsewhere/x", seal_key="own")


def test_a_setting_out_of_its_bounds_is_refused() -> None:
    with pytest.raises(ValidationError):
        Sealed(port=70_000)


def test_what_is_printed_of_settings_shows_no_password() -> None:
    assert "hunter2" not in repr(Sealed(database_url="postgresql://kanava:hunter2@127.0.0.1/kanava"))


def test_what_is_refused_shows_no_secret() -> None:
    """A service that does not start says why in its log, which is no place for a key or a password."""
    known = {"database_url": "postgresql://kanava:hunter2@10.0.0.1/kanava"}
    for refused in (
        known | {"sandbox": True, "seal_key": "hunter2"},
        known,
        known | {"seal_key": "hunter2", "port": 0},
    ):
        with pytest.raises(ValidationError) as raised:
            Sealed(environment="production", **refused)
        assert "hunter2" not in str(raised.value)
