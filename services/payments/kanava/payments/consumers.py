"""What payments hears on the bus, and the function that takes it over."""

from collections.abc import Sequence

from kanava.common.contracts import registry
from kanava.common.db import Tx
from kanava.common.inbox import Apply

from . import facts


async def ignore_packages(tx: Tx, heard: Sequence[registry.Package]) -> int:
    """A price names its node itself, so a package needs nothing here; hearing it is its whole effect."""
    return len(heard)


SUBSCRIPTIONS: dict[str, Apply] = {
    "kanava.registry.package.v1": ignore_packages,
    "kanava.registry.document.v1": facts.merge_documents,
    "kanava.registry.price.v1": facts.merge_prices,
    "kanava.registry.scheme.v1": facts.merge_schemes,
    "kanava.registry.producer.v1": facts.merge_producers,
    "kanava.registry.unit.v1": facts.merge_units,
    "kanava.registry.contract.v1": facts.merge_contracts,
    "kanava.listing.resident.v1": facts.merge_residents,
    "kanava.listing.listing.v1": facts.merge_listings,
    "kanava.monitoring.production.v1": facts.merge_visits,
}
