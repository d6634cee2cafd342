"""compose.yaml against the Compose schema, and against what the launcher starts on one machine."""

import base64
import copy
import json
import re
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml
from compose_pydantic import ComposeSpecification
from pydantic import ValidationError

from kanava.common import login
from kanava.local import kafka, postgres
from kanava.local.databases import SERVICES, app_role, database
from kanava.local.profile import Profile, project_root
from kanava.local.services import Copy, environment
from kanava.payments.settings import PaymentsSettings

ROOT = project_root()
BROKERS = ("kafka-1", "kafka-2", "kafka-3")


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    loaded = yaml.safe_load((ROOT / "compose.yaml").read_text())
    assert isinstance(loaded, dict)
    return loaded


def test_it_follows_the_schema(compose: dict[str, Any]) -> None:
    follow_schema(compose)


@pytest.mark.parametrize("wrong", [{"imagee": "x"}, {"healthcheck": {"tests": []}}, {"volumes": 3}])
def test_the_schema_refuses_what_it_does_not_know(compose: dict[str, Any], wrong: dict[str, Any]) -> None:
    broken = copy.deepcopy(compose)
    broken["services"]["postgres"] |= wrong
    with pytest.raises(ValidationError):
        follow_schema(broken)


def test_it_has_every_part_of_the_platform(compose: dict[str, Any]) -> None:
    assert set(compose["services"]) == {*BROKERS, "postgres", "keycloak", "prepare", *SERVICES}


def test_everything_that_stays_up_has_a_health_check(compose: dict[str, Any]) -> None:
    without = {
        name
        for name, service in compose["services"].items()
        if not service.get("healthcheck", {}).get("test")
    }
    assert without == {"prepare"}


def test_every_volume_is_named_and_used(compose: dict[str, Any]) -> None:
    mounts = [mount for service in compose["services"].values() for mount in service.get("volumes", [])]
    named = {mount.split(":")[0] for mount in mounts if not mount.startswith(".")}
    assert named == set(compose["volumes"])
    files = [ROOT / mount.split(":")[0] for mount in mounts if mount.startswith(".")]
    assert all(path.exists() for path in files)


@pytest.mark.parametrize("broker", BROKERS)
def test_a_broker_reads_the_shared_settings_and_changes_none(compose: dict[str, Any], broker: str) -> None:
    service = compose["services"][broker]
    assert "./deploy/kafka/server.properties:/mnt/shared/config/server.properties:ro" in service["volumes"]
    shared = {line.partition("=")[0] for line in _lines(ROOT / "deploy" / "kafka" / "server.properties")}
    told = {
        name[6:].lower().replace("_", ".") for name in service["environment"] if name.startswith("KAFKA_")
    }
    assert not told & shared
    assert service["environment"]["CLUSTER_ID"] == kafka.CLUSTER_ID


def test_the_shared_settings_keep_every_record_on_two_of_three_brokers() -> None:
    settings = dict(line.split("=", 1) for line in _lines(ROOT / "deploy" / "kafka" / "server.properties"))
    assert settings["default.replication.factor"] == "3"
    assert settings["min.insync.replicas"] == "2"
    assert settings["auto.create.topics.enable"] == "false"
    assert set(kafka.ALONE) <= set(settings)


def test_postgres_has_the_settings_of_the_file(compose: dict[str, Any]) -> None:
    service = compose["services"]["postgres"]
    assert service["image"] == "postgres:18"
    assert service["command"][0] == "postgres"
    told = dict(part.split("=", 1) for part in service["command"][2::2])
    assert told == postgres.settings()
    assert service["environment"]["POSTGRES_INITDB_ARGS"].split() == list(postgres.INITDB)


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_is_told_what_the_launcher_tells_it(
    compose: dict[str, Any], name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KANAVA_OTLP_ENDPOINT", "http://127.0.0.1:4318")
    local = environment(
        Profile("compose", tmp_path).prepare(), Copy(name, 1, 8000),
        database_url="x", kafka="x", sandbox=False, issuer="http://127.0.0.1:1",
    )  # fmt: skip
    wanted = {key for key in local if key.startswith("KANAVA_")} - {"KANAVA_ROOT", "KANAVA_DATA"}
    in_container = compose["services"][name]["environment"]
    assert set(in_container) | {"KANAVA_TRACE_FILE", "KANAVA_TRACE_RATIO", "KANAVA_LOG_LEVEL"} >= wanted
    assert set(in_container) <= wanted
    assert in_container["KANAVA_DATABASE_URL"].startswith(f"postgresql://{app_role(name)}:")
    assert in_container["KANAVA_DATABASE_URL"].endswith(f"/{database(name)}")
    assert compose["services"][name]["command"] == ["kanava.local.serve", name]


def test_no_password_is_written_down(compose: dict[str, Any]) -> None:
    for service in compose["services"].values():
        for name, value in service.get("environment", {}).items():
            if name.endswith(("_PASSWORD", "_KEY")):
                assert value.startswith("${"), name


def test_the_realm_gives_the_claims_that_services_read() -> None:
    realm = json.loads((ROOT / "deploy" / "keycloak" / "realm.json").read_text())
    mappers = {mapper["name"] for scope in realm["clientScopes"] for mapper in scope["protocolMappers"]}
    assert mappers == {"subject", "audience", "role", "area", "municipality", "producers", "resident", "level"}


def test_a_browser_that_signs_in_comes_back_to_where_the_realm_lets_it(compose: dict[str, Any]) -> None:
    """Browsers know Keycloak and payments as `localhost`, at the ports that are published by default."""
    realm = json.loads((ROOT / "deploy" / "keycloak" / "realm.json").read_text())
    (client,) = realm["clients"]
    told = {name: by_default(value) for name, value in compose["services"]["payments"]["environment"].items()}
    keycloak = compose["services"]["keycloak"]
    told |= {"KANAVA_DATABASE_URL": "postgresql://x", "KANAVA_SESSION_KEY": KEY, "KANAVA_PAYEE_KEY": KEY}
    settings = PaymentsSettings(**{name[7:].lower(): value or None for name, value in told.items()})
    assert client["clientId"] == settings.client_id
    assert client["standardFlowEnabled"]
    assert client["attributes"]["pkce.code.challenge.method"] == "S256"
    assert client["redirectUris"] == [settings.origin + login.CALLBACK]
    assert client["attributes"]["post.logout.redirect.uris"] == settings.origin + login.SIGNED_OUT
    assert settings.issuer == by_default(keycloak["environment"]["KC_HOSTNAME"]) + "/realms/kanava"
    published = {name: by_default(compose["services"][name]["ports"][0]) for name in ("keycloak", "payments")}
    assert published["payments"] == f"127.0.0.1:{settings.origin.rpartition(':')[2]}:8000"
    assert published["keycloak"].split(":")[1] in settings.issuer
    assert keycloak["environment"]["KC_HOSTNAME_BACKCHANNEL_DYNAMIC"] == "true"
    inside = {urlsplit(url).netloc for url in (settings.jwks_url, settings.configuration_url)}
    assert inside == {"keycloak:8080"}


KEY = base64.b64encode(b"k" * 32).decode()


def by_default(value: str) -> str:
    """A value of compose.yaml with the defaults of its variables."""
    return re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", str(value))


def follow_schema(compose: dict[str, Any]) -> None:
    """Refuse what the Compose schema does not allow; its model leaves out the `x-` extensions."""
    ComposeSpecification.model_validate(
        {key: value for key, value in compose.items() if not key.startswith("x-")}
    )


def _lines(path: Path) -> list[str]:
    """The lines of a properties file that say something."""
    return [line for line in path.read_text().splitlines() if line and not line.startswith("#")]
