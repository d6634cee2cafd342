"""The contracts of the bus: every fact, its topic, its key, its keeping and its readers, as data.

This table is the only place where a topic is named. JSON schemas and the AsyncAPI document under
`docs/contracts/` are generated from it.
"""

from . import listing, monitoring, payments, registry, steering
from .base import HOT_PARTITIONS, Fact, Part, Topic

_ALL = ("listing", "payments", "monitoring")

TOPICS: tuple[Topic, ...] = (
    Topic("registry", registry.Package, "package_id", _ALL),
    Topic("registry", registry.Document, "document_id", _ALL),
    Topic("registry", registry.Price, "price_id", ("payments", "monitoring")),
    Topic("registry", registry.Scheme, "scheme_id", _ALL),
    Topic("registry", registry.Producer, "producer_id", _ALL),
    Topic("registry", registry.Unit, "unit_id", _ALL),
    Topic("registry", registry.Contract, "contract_id", ("payments", "monitoring")),
    Topic("registry", steering.Order, "order_id", ("payments", "monitoring")),
    Topic("registry", steering.Sanction, "sanction_id", ("payments", "monitoring")),
    Topic("listing", listing.Resident, "resident_id", ("payments", "monitoring"), HOT_PARTITIONS),
    Topic("listing", listing.Listing, "resident_id", ("payments", "monitoring"), HOT_PARTITIONS),
    Topic("listing", listing.Voucher, "voucher_id", ("payments", "monitoring"), HOT_PARTITIONS),
    Topic(
        "monitoring",
        monitoring.Production,
        "production_id",
        ("payments",),
        HOT_PARTITIONS,
        compacted=False,
        retention_days=400,
    ),
    Topic("monitoring", monitoring.Snapshot, "snapshot_id", ("payments",)),
    Topic("payments", payments.Run, "run_id", ("monitoring",)),
    Topic("payments", payments.Statement, "statement_id", ("monitoring",)),
    Topic("payments", payments.Account, "area", ("monitoring",), compacted=False, retention_days=400),
)

TOPIC_OF: dict[type[Fact], Topic] = {topic.model: topic for topic in TOPICS}
BY_NAME: dict[str, Topic] = {topic.name: topic for topic in TOPICS}


def topics_heard_by(service: str) -> tuple[Topic, ...]:
    """The topics that a service consumes, in the order of the table."""
    return tuple(topic for topic in TOPICS if service in topic.heard_by)


__all__ = ["BY_NAME", "TOPICS", "TOPIC_OF", "Fact", "Part", "Topic", "topics_heard_by"]
