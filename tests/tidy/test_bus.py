"""How services listen: acknowledged after the work, from the beginning, in batches, and what their settings say."""

import importlib
import re
from collections.abc import Mapping
from functools import partial
from typing import Any

import pytest
from fastapi import FastAPI
from faststream import AckPolicy
from faststream.kafka.subscriber.usecase import BatchSubscriber

from kanava.common.app import consuming_broker
from kanava.common.contracts import TOPICS, export, topics_heard_by
from kanava.common.db import make_pool
from kanava.common.inbox import Apply, Inbox
from tests.tidy.source import SERVICES

TOPIC = re.compile(r"(?:kanava\.(?P<service>\w+)\.|\.|\b)(?P<names>\{[\w, ]+\}|\w+)\.v1\b")


def subscriptions_of(service: str) -> Mapping[str, Apply]:
    """What the composition root of a service subscribes, taken where it hands it over."""
    handed: dict[str, Mapping[str, Apply]] = {}
    module = importlib.import_module(f"kanava.{service}.main")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "create_service", partial(_note, handed))
        module.create_app(export.settings_of(service))
    return handed["subscriptions"]


def _note(handed: dict[str, Any], settings: Any, **given: Any) -> FastAPI:
    """Stands in for `create_service`; the pool stays closed."""
    handed.update(given)
    app = FastAPI()
    app.state.pool = make_pool(settings.database_url, size=1)
    return app


def subscribers(service: str) -> list[Any]:
    """The subscribers of a service as its broker has them; nothing is connected."""
    settings = export.settings_of(service)
    pool: Any = None
    return list(consuming_broker(settings, Inbox(service, pool), subscriptions_of(service)).subscribers)


@pytest.mark.parametrize("service", SERVICES)
def test_every_subscriber_acknowledges_after_the_work_and_begins_at_the_start(service: str) -> None:
    for subscriber in subscribers(service):
        assert subscriber.ack_policy is AckPolicy.NACK_ON_ERROR
        assert subscriber._connection_args["auto_offset_reset"] == "earliest"
        assert subscriber._connection_args["enable_auto_commit"] is False
        session = subscriber._connection_args["session_timeout_ms"]
        assert 10_000 < session < 60_000, "a busy event loop is forgiven, and a dead member let go within a minute"
        assert subscriber._connection_args["heartbeat_interval_ms"] <= session / 3
        assert isinstance(subscriber, BatchSubscriber)


@pytest.mark.parametrize("service", SERVICES)
def test_every_topic_has_its_own_consumer_group_of_the_service(service: str) -> None:
    heard = {(subscriber.group_id, *subscriber.topics) for subscriber in subscribers(service)}
    groups = [group for group, _ in heard]
    assert len(set(groups)) == len(groups) == len(topics_heard_by(service))
    assert all(group.startswith(f"{service}.") for group in groups)


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_hears_exactly_what_the_table_of_topics_says(service: str) -> None:
    assert set(subscriptions_of(service)) == {topic.name for topic in topics_heard_by(service)}


@pytest.mark.parametrize("service", SERVICES)
def test_the_header_of_the_settings_lists_the_topics_of_the_service(service: str) -> None:
    header = type(export.settings_of(service)).__doc__ or ""
    said, heard = topics_in(header, "Says:"), topics_in(header, "Hears:")
    assert said == {topic.name for topic in TOPICS if topic.service == service}
    assert heard == {topic.name for topic in topics_heard_by(service)}


def topics_in(header: str, word: str) -> set[str]:
    """The topics that a docstring names after a word, up to the next full stop that ends a line.

    `kanava.registry.{unit,producer}.v1` and `kanava.registry.unit.v1, .producer.v1` are both understood.
    """
    _, _, after = header.partition(word)
    sentence = re.split(r"\.\s*(?:\n|$)|Says:|Hears:", after)[0]
    found, service = set(), ""
    for match in TOPIC.finditer(sentence):
        service = match["service"] or service
        names = match["names"].strip("{}").replace(" ", "").split(",")
        found |= {f"kanava.{service}.{name}.v1" for name in names}
    return found


def test_both_ways_to_list_topics_are_understood() -> None:
    header = "Says: nothing.\n  Hears: kanava.registry.{unit,producer}.v1,\n  kanava.listing.resident.v1, .listing.v1."
    assert topics_in(header, "Says:") == set()
    names = ("registry.unit", "registry.producer", "listing.resident", "listing.listing")
    assert topics_in(header, "Hears:") == {f"kanava.{name}.v1" for name in names}
