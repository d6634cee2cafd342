"""Make the topics of the table, and say where the broker differs from it. Topics are never made by use."""

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import TopicAlreadyExistsError

from .contracts import TOPICS, Topic

DEAD_LETTER_MAX_BYTES = 4 * 1024 * 1024
DEAD_LETTER_RETENTION_DAYS = 400
_DAY_MILLISECONDS = 24 * 60 * 60 * 1000


def topic_settings(topic: Topic) -> dict[str, str]:
    """The Kafka settings of a topic: compaction where it carries state, else its retention."""
    if topic.compacted:
        return {"cleanup.policy": "compact", "min.compaction.lag.ms": str(_DAY_MILLISECONDS)}
    days = topic.retention_days
    assert days is not None, "a topic that is not compacted says how long it is kept"
    return {"cleanup.policy": "delete", "retention.ms": str(days * _DAY_MILLISECONDS)}


def wanted_topics(*, replication: int) -> list[NewTopic]:
    """All topics of the table and their dead letters, as they should be on the broker."""
    safety = {"min.insync.replicas": str(min(2, replication))}
    dead = {
        "cleanup.policy": "delete",
        "retention.ms": str(DEAD_LETTER_RETENTION_DAYS * _DAY_MILLISECONDS),
        "max.message.bytes": str(DEAD_LETTER_MAX_BYTES),
    }
    wanted = []
    for topic in TOPICS:
        wanted.append(NewTopic(topic.name, topic.partitions, replication, topic_configs=topic_settings(topic) | safety))
        wanted.append(NewTopic(topic.dead_letters, 1, replication, topic_configs=dead | safety))
    return wanted


async def ensure_topics(bootstrap: str, *, replication: int = 1) -> list[str]:
    """Make what is missing; returns the names of the topics made. Existing topics stay as they are."""
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap, request_timeout_ms=30_000)
    await admin.start()
    try:
        existing = set(await admin.list_topics())
        missing = [topic for topic in wanted_topics(replication=replication) if topic.name not in existing]
        if missing:
            await _create(admin, missing)
        return [topic.name for topic in missing]
    finally:
        await admin.close()


async def _create(admin: AIOKafkaAdminClient, missing: list[NewTopic]) -> None:
    try:
        response = await admin.create_topics(missing, timeout_ms=30_000)
    except TopicAlreadyExistsError:
        return  # another launcher was faster; the topics are what we wanted
    for name, code, *_ in getattr(response, "topic_errors", []):
        if code not in (0, TopicAlreadyExistsError.errno):
            raise RuntimeError(f"Kafka refused to make the topic {name}: error {code}")
