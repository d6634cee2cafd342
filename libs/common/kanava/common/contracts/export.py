"""Writes the contracts that can be generated: event schemas, the AsyncAPI document and each service's OpenAPI.

`python -m kanava.common.contracts.export` writes `docs/contracts/`. A schema that would break a reader of the
committed one is refused; `--accept-breaking` writes it nevertheless, for a topic that nobody reads yet.
"""

import argparse
import importlib
import json
import sys
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from ..deadletter import DEAD_LETTER_TYPE, DeadLetter
from ..settings import ServiceSettings
from ..topics_admin import DEAD_LETTER_MAX_BYTES, DEAD_LETTER_RETENTION_DAYS, topic_settings
from . import TOPICS, Topic
from .compatibility import breaks
from .examples import EXAMPLES

SERVICES = ("registry", "listing", "payments", "monitoring")
ASYNCAPI = "asyncapi.json"
REPLICATION = 3
"""Copies of a partition where there are three brokers; one machine with one broker has one."""

_DIALECT = "https://json-schema.org/draft/2020-12/schema"
_BINDING = "0.5.0"
_DAY_MILLISECONDS = 24 * 60 * 60 * 1000

Document = dict[str, Any]


class BreaksReaders(ValueError):
    """A generated schema would break a reader of the committed one; the message names field and rule."""


def default_folder() -> Path:
    """`docs/contracts` of the repository that this file stands in."""
    return Path(__file__).resolve().parents[5] / "docs" / "contracts"


def documents() -> dict[str, Document]:
    """Every generated document by its path below the folder of contracts. Touches no network, no file."""
    schemas: dict[str, Document] = {schema_path(topic): event_schema(topic) for topic in TOPICS}
    open_apis = {f"openapi-{service}.json": openapi(service) for service in SERVICES}
    return schemas | {ASYNCAPI: asyncapi()} | open_apis


def write_all(folder: Path, *, accept_breaking: bool = False) -> list[str]:
    """Write every document and remove what is no longer generated; returns the paths that changed.

    Raises `BreaksReaders`, and writes nothing, when a schema does not serve the readers of the committed one.
    """
    wanted = {path: _text(document) for path, document in documents().items()}
    broken = [] if accept_breaking else broken_readers(folder)
    if broken:
        raise BreaksReaders("; ".join(broken))
    changed = [path for path, text in wanted.items() if _read(folder / path) != text]
    for path in changed:
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(wanted[path], encoding="utf-8")
    stale = _stale(folder, wanted)
    for path in stale:
        (folder / path).unlink()
    return changed + stale


def differences(folder: Path) -> list[str]:
    """What in the folder is not as generated, one sentence each; empty when all is up to date."""
    wanted = {path: _text(document) for path, document in documents().items()}
    found = []
    for path, text in wanted.items():
        committed = _read(folder / path)
        if committed is None:
            found.append(f"{path} is missing")
        elif committed != text:
            found.append(f"{path} is not as generated")
    return found + [f"{path} is no longer generated" for path in _stale(folder, wanted)]


def broken_readers(folder: Path) -> list[str]:
    """What in the facts of today would break a reader of the schemas in the folder."""
    found = []
    for topic in TOPICS:
        committed = _read(folder / schema_path(topic))
        if committed is not None:
            found += [f"{topic.name}{one}" for one in breaks(json.loads(committed), event_schema(topic))]
    return found + [f"{path}: the topic is gone" for path in _stale(folder, documents_of_topics())]


def documents_of_topics() -> frozenset[str]:
    """The paths of the event schemas of today."""
    return frozenset(schema_path(topic) for topic in TOPICS)


def schema_path(topic: Topic) -> str:
    """Where the schema of a topic's fact stands."""
    return f"events/{topic.name}.schema.json"


def event_schema(topic: Topic) -> Document:
    """The JSON schema of a topic's fact, as its readers check it."""
    schema = topic.model.model_json_schema()
    return {"$schema": _DIALECT, "$id": f"urn:kanava:{topic.name}"} | schema


def openapi(service: str) -> Document:
    """The OpenAPI document of a service, in sandbox mode so that the routes of its clock are in it too."""
    create_app = importlib.import_module(f"kanava.{service}.main").create_app
    document: Document = create_app(settings_of(service)).openapi()
    return document


def settings_of(service: str) -> ServiceSettings:
    """The development settings of a service, whatever the environment of this process says."""
    module = importlib.import_module(f"kanava.{service}.settings")
    kinds = [
        kind
        for kind in vars(module).values()
        if isinstance(kind, type) and issubclass(kind, ServiceSettings) and kind.__module__ == module.__name__
    ]
    assert len(kinds) == 1, f"kanava.{service}.settings has one class of settings"
    defaults = kinds[0].model_construct()
    return kinds[0](**(defaults.model_dump() | {"service": service, "sandbox": True}))


# AsyncAPI


def asyncapi() -> Document:
    """The AsyncAPI 3.0 document: every topic, who says and who hears it, how it is kept, and its dead letters."""
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "The bus of Kanava",
            "version": "1",
            "description": "Facts that the four services state to each other: CloudEvents 1.0 in binary mode on Kafka."
            " A topic keeps the order of each key. Delivery is at least once; readers drop what they have seen.",
        },
        "defaultContentType": "application/json",
        "channels": _channels(),
        "operations": _operations(),
        "components": {"messages": _messages(), "schemas": _schemas()},
    }


def _channels() -> Document:
    found: Document = {}
    for topic in TOPICS:
        found[_channel(topic)] = {
            "address": topic.name,
            "summary": _summary(topic),
            "messages": {what: _ref("messages", f"{_channel(topic)}.{what}") for what in topic.model.kinds()},
            "bindings": _kafka(topic.name, topic.partitions, topic_settings(topic)),
        }
        found[f"{_channel(topic)}.dlq"] = {
            "address": topic.dead_letters,
            "summary": f"What a reader of {topic.name} could not digest, why, and its bytes for driving it again.",
            "messages": {"buried": _ref("messages", "deadletter.buried")},
            "bindings": _kafka(topic.dead_letters, 1, _dead_letter_settings()),
        }
    return found


def _dead_letter_settings() -> dict[str, str]:
    kept = str(DEAD_LETTER_RETENTION_DAYS * _DAY_MILLISECONDS)
    return {"cleanup.policy": "delete", "retention.ms": kept, "max.message.bytes": str(DEAD_LETTER_MAX_BYTES)}


def _kafka(name: str, partitions: int, settings: Mapping[str, str]) -> Document:
    """The Kafka binding of a channel; numbers are numbers there, and the policy is a list."""
    configuration: Document = {key: int(value) if value.isdigit() else value for key, value in settings.items()}
    configuration["cleanup.policy"] = [configuration["cleanup.policy"]]
    bound = {"topic": name, "partitions": partitions, "replicas": REPLICATION, "topicConfiguration": configuration}
    return {"kafka": bound | {"bindingVersion": _BINDING}}


def _operations() -> Document:
    """Who says, who hears, and in which consumer group; each reader may bury what it could not digest."""
    found: Document = {}
    for topic in TOPICS:
        channel = _channel(topic)
        found[f"{topic.service}.says.{topic.model.aggregate}"] = {
            "action": "send",
            "channel": _ref_channel(channel),
            "summary": f"{topic.service} states what happened to its {topic.model.aggregate}.",
        }
        for reader in topic.heard_by:
            group = {"type": "string", "const": f"{reader}.{topic.model.aggregate}"}
            found[f"{reader}.hears.{channel}"] = {
                "action": "receive",
                "channel": _ref_channel(channel),
                "bindings": {"kafka": {"groupId": group, "bindingVersion": _BINDING}},
            }
            found[f"{reader}.buries.{channel}"] = {"action": "send", "channel": _ref_channel(f"{channel}.dlq")}
    return found


def _messages() -> Document:
    found: Document = {"deadletter.buried": _message(DEAD_LETTER_TYPE, "deadletter", "letter_id")}
    examples = {type(fact): fact for fact in EXAMPLES}
    for topic in TOPICS:
        example = examples[topic.model]
        for what in topic.model.kinds():
            message = _message(topic.type_of(what), topic.name, topic.key)
            if example.what == what:
                message["examples"] = [{"name": what, "payload": example.model_dump(mode="json")}]
            found[f"{_channel(topic)}.{what}"] = message
    return found


def _message(kind: str, schema: str, key: str) -> Document:
    return {
        "name": kind,
        "contentType": "application/json",
        "headers": _headers(kind),
        "payload": _ref("schemas", schema),
        "bindings": {"kafka": {"key": _key_schema(key), "bindingVersion": _BINDING}},
    }


def _key_schema(key: str) -> Document:
    return {"type": "string", "description": f"`{key}` of the body: order holds for it."}


def _headers(kind: str) -> Document:
    """The CloudEvents attributes as Kafka headers, and the trace that the fact belongs to."""
    text = {"type": "string"}
    properties = {
        "ce_specversion": {"type": "string", "const": "1.0"},
        "ce_id": {"type": "string", "format": "uuid", "description": "Names the event; a repeat has the same."},
        "ce_type": {"type": "string", "const": kind},
        "ce_source": text | {"description": "`/kanava/<service>` of the service that speaks."},
        "ce_time": {"type": "string", "format": "date-time"},
        "content-type": {"type": "string", "const": "application/json"},
        "traceparent": text | {"description": "W3C trace context, when the event belongs to a trace."},
        "kanava_redrive": text | {"description": "On a record driven again: the only service that takes it."},
    }
    required = ["ce_specversion", "ce_id", "ce_type", "ce_source", "ce_time", "content-type"]
    return {"type": "object", "required": required, "properties": properties}


def _schemas() -> Document:
    """The bodies. A reference inside a fact's schema stays valid because each schema has its own `$id`."""
    schemas: Document = {topic.name: event_schema(topic) for topic in TOPICS}
    letter = TypeAdapter(DeadLetter).json_schema()
    schemas["deadletter"] = {"$schema": _DIALECT, "$id": "urn:kanava:deadletter"} | letter
    return schemas


def _channel(topic: Topic) -> str:
    return f"{topic.service}.{topic.model.aggregate}"


def _summary(topic: Topic) -> str:
    return (topic.model.__doc__ or topic.name).strip().splitlines()[0]


def _ref(section: str, name: str) -> Document:
    return {"$ref": f"#/components/{section}/{name}"}


def _ref_channel(name: str) -> Document:
    return {"$ref": f"#/channels/{name}"}


# Files


def _text(document: Document) -> str:
    """Keys in the order that they were made in: it is part of what a reader sees, and it never varies."""
    return json.dumps(document, ensure_ascii=False, indent=1, default=_plain) + "\n"


def _plain(value: object) -> str:
    if isinstance(value, date):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} has no place in a contract")


def _read(path: Path) -> str | None:
    return path.read_text(encoding="utf-8") if path.is_file() else None


def _stale(folder: Path, wanted: Mapping[str, object] | frozenset[str]) -> list[str]:
    """Files of a kind that is generated, but that nobody generates now."""
    kinds = ("events/*.schema.json",) if isinstance(wanted, frozenset) else ("*.json", "events/*.schema.json")
    there = [path.relative_to(folder).as_posix() for kind in kinds for path in sorted(folder.glob(kind))]
    return [path for path in there if path not in wanted]


def main() -> int:
    """Write the contracts and say what changed."""
    parser = argparse.ArgumentParser(description="Write the generated contracts.")
    parser.add_argument("folder", nargs="?", type=Path, default=default_folder())
    parser.add_argument("--accept-breaking", action="store_true", help="write schemas that break readers")
    arguments = parser.parse_args()
    try:
        changed = write_all(arguments.folder, accept_breaking=arguments.accept_breaking)
    except BreaksReaders as error:
        print(f"Nothing was written, because readers would break: {error}.", file=sys.stderr)
        return 1
    print("\n".join(f"written: {path}" for path in changed) or "All contracts were up to date.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
