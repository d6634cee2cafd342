"""What payments hears on the bus, and the function that takes it over."""

from kanava.common.inbox import Apply

from . import budget_facts, facts, package_facts, steering_facts, vouchers

SUBSCRIPTIONS: dict[str, Apply] = {
    "kanava.registry.package.v1": package_facts.merge_packages,
    "kanava.registry.document.v1": facts.merge_documents,
    "kanava.registry.price.v1": facts.merge_prices,
    "kanava.registry.scheme.v1": facts.merge_schemes,
    "kanava.registry.producer.v1": facts.merge_producers,
    "kanava.registry.unit.v1": facts.merge_units,
    "kanava.registry.contract.v1": steering_facts.merge_contracts,
    "kanava.registry.order.v1": budget_facts.merge_orders,
    "kanava.registry.sanction.v1": steering_facts.merge_sanctions,
    "kanava.listing.resident.v1": facts.merge_residents,
    "kanava.listing.listing.v1": facts.merge_listings,
    "kanava.listing.voucher.v1": vouchers.merge_vouchers,
    "kanava.monitoring.production.v1": facts.merge_visits,
    "kanava.monitoring.snapshot.v1": steering_facts.merge_snapshots,
}
