"""The committed contracts are those that the code generates, and no reader of them is broken."""

import json
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from faststream.specification.asyncapi.v3_0_0.schema import ApplicationSchema
from jsonschema import Draft202012Validator
from pydantic import TypeAdapter

from kanava.common.contracts import TOPIC_OF, TOPICS, Topic, export
from kanava.common.contracts.compatibility import breaks
from kanava.common.contracts.examples import EXAMPLES
from kanava.common.topics_admin import wanted_topics
from tests.contracts.apps import openapi_of

FOLDER = export.default_folder()
ROOT = FOLDER.parents[1]


@pytest.fixture
def built_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """For tests of what happens to files: the OpenAPI documents are those of the session."""
    monkeypatch.setattr(export, "openapi", openapi_of)


def named(topic: Topic) -> str:
    """What a test is called by."""
    return topic.name


@pytest.mark.usefixtures("built_once")
def test_the_committed_contracts_are_as_generated() -> None:
    assert export.differences(FOLDER) == [], "run `./kanava contracts` and commit docs/contracts"


@pytest.mark.usefixtures("built_once")
def test_writing_twice_changes_nothing(tmp_path: Path) -> None:
    first = export.write_all(tmp_path)
    assert sorted(first) == sorted(export.documents())
    assert export.write_all(tmp_path) == []
    assert export.differences(tmp_path) == []


@pytest.mark.usefixtures("built_once")
def test_a_changed_a_missing_and_a_stale_document_are_named(tmp_path: Path) -> None:
    export.write_all(tmp_path)
    (tmp_path / export.ASYNCAPI).write_text("{}", encoding="utf-8")
    (tmp_path / export.schema_path(TOPICS[0])).unlink()
    (tmp_path / "events" / "kanava.registry.gone.v1.schema.json").write_text("{}", encoding="utf-8")
    assert export.differences(tmp_path) == [
        f"{export.schema_path(TOPICS[0])} is missing",
        "asyncapi.json is not as generated",
        "events/kanava.registry.gone.v1.schema.json is no longer generated",
    ]


@pytest.mark.usefixtures("built_once")
def test_a_topic_that_is_gone_is_refused(tmp_path: Path) -> None:
    export.write_all(tmp_path)
    (tmp_path / "events" / "kanava.registry.gone.v1.schema.json").write_text("{}", encoding="utf-8")
    with pytest.raises(export.BreaksReaders, match=r"gone\.v1\.schema\.json: the topic is gone"):
        export.write_all(tmp_path)


@pytest.mark.usefixtures("built_once")
def test_a_schema_that_breaks_a_reader_is_not_written(tmp_path: Path) -> None:
    export.write_all(tmp_path)
    path = tmp_path / export.schema_path(TOPICS[0])
    older = json.loads(path.read_text(encoding="utf-8"))
    older["properties"]["lost"] = {"type": "string"}
    path.write_text(json.dumps(older), encoding="utf-8")
    with pytest.raises(export.BreaksReaders, match="/lost: the field is gone"):
        export.write_all(tmp_path)
    assert "lost" in json.loads(path.read_text(encoding="utf-8"))["properties"]
    assert export.write_all(tmp_path, accept_breaking=True) == [export.schema_path(TOPICS[0])]


@pytest.mark.parametrize("topic", TOPICS, ids=named)
def test_the_facts_of_today_serve_the_readers_of_the_last_commit(topic: Topic) -> None:
    committed = _at_head(f"docs/contracts/{export.schema_path(topic)}")
    if committed is not None:
        assert breaks(committed, export.event_schema(topic)) == []


def _at_head(path: str) -> dict[str, Any] | None:
    """A file of the last commit, or None where it, or the repository, does not exist."""
    shown = subprocess.run(["git", "-C", str(ROOT), "show", f"HEAD:{path}"], capture_output=True, check=False)
    return json.loads(shown.stdout) if shown.returncode == 0 else None


@pytest.mark.parametrize("topic", TOPICS, ids=named)
def test_every_schema_is_a_schema(topic: Topic) -> None:
    Draft202012Validator.check_schema(export.event_schema(topic))


def test_every_topic_has_one_example() -> None:
    assert [type(fact) for fact in EXAMPLES] == [topic.model for topic in TOPICS]


@pytest.mark.parametrize("fact", EXAMPLES, ids=lambda fact: str(type(fact).aggregate))
def test_every_example_is_valid_by_its_model_and_its_schema(fact: Any) -> None:
    body = fact.model_dump_json()
    assert TypeAdapter(type(fact)).validate_json(body) == fact
    schema = export.event_schema(TOPIC_OF[type(fact)])
    Draft202012Validator(schema, format_checker=Draft202012Validator.FORMAT_CHECKER).validate(json.loads(body))


def test_the_asyncapi_document_has_the_form_of_asyncapi_3() -> None:
    ApplicationSchema.model_validate(export.asyncapi())


def test_every_reference_of_the_asyncapi_document_leads_somewhere() -> None:
    document = export.asyncapi()
    for reference, base in references(document, document):
        found: Any = base
        for step in reference.removeprefix("#/").split("/"):
            assert step in found, reference
            found = found[step]


def references(node: Any, base: Any) -> Iterator[tuple[str, Any]]:
    """Every `$ref` with the document that it is relative to: a schema with an `$id` is one of its own."""
    if isinstance(node, Mapping):
        base = node if "$id" in node else base
        if isinstance(node.get("$ref"), str):
            yield node["$ref"], base
        for value in node.values():
            yield from references(value, base)
    elif isinstance(node, list):
        for value in node:
            yield from references(value, base)


def test_the_asyncapi_document_and_the_broker_are_told_the_same() -> None:
    """Names, partitions, replicas and settings of every channel are those that the platform makes."""
    channels = [one["bindings"]["kafka"] for one in export.asyncapi()["channels"].values()]
    described = {one["topic"]: one for one in channels}
    for made in wanted_topics(replication=export.REPLICATION):
        told = described.pop(made.name)
        assert (told["partitions"], told["replicas"]) == (made.num_partitions, made.replication_factor)
        settings = dict(made.topic_configs) | {"min.insync.replicas": None}
        for key, value in told["topicConfiguration"].items():
            assert settings[key] == (value[0] if isinstance(value, list) else str(value))
    assert not described, "a channel that the platform does not make"


def test_every_reader_of_the_table_has_an_operation_with_its_consumer_group() -> None:
    operations = export.asyncapi()["operations"]
    for topic in TOPICS:
        channel = f"{topic.service}.{topic.model.aggregate}"
        for reader in topic.heard_by:
            group = operations[f"{reader}.hears.{channel}"]["bindings"]["kafka"]["groupId"]["const"]
            assert group == f"{reader}.{topic.model.aggregate}"
            assert f"{reader}.buries.{channel}" in operations


@pytest.mark.parametrize("service", export.SERVICES)
def test_the_openapi_document_does_not_depend_on_the_environment(
    service: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = openapi_of(service)
    monkeypatch.setenv("KANAVA_SANDBOX", "false")
    monkeypatch.setenv("KANAVA_KAFKA", "elsewhere:1")
    assert export.openapi(service) == before
