"""Publishing service packages (palvelupaketit), and setting the organiser's prices on their nodes."""

from datetime import datetime

from kanava.common.auth import Caller
from kanava.common.clock import helsinki_date
from kanava.common.contracts.registry import Package, Price
from kanava.common.db import Tx
from kanava.common.outbox import emit
from kanava.registry import store, store_steering, views
from kanava.registry.commands import PublishPackage, SetPrice
from kanava.registry.domain import packages, prices, validity
from kanava.registry.domain.violations import Violation
from kanava.registry.errors import require


async def publish_package(tx: Tx, command: PublishPackage, *, caller: Caller, now: datetime) -> views.PackageView:
    """Publish the next version of a package with all its nodes, each with what it inherits."""
    tree = command.package
    require(
        validity.broken_by_start(command.valid_from, helsinki_date(now))
        + [one.under("/package") for one in packages.broken_by_package(tree)]
    )
    await store.lock_name(tx, f"package {tree['id']}")
    number = await store.next_package_number(tx, tree["id"])
    nodes = packages.nodes_of(tree)
    row = {
        "package_id": f"{tree['id']}:{number}",
        "code": tree["id"],
        "number": number,
        "valid_from": command.valid_from,
        "name_fi": tree["name_fi"].strip(),
        "name_en": tree["name_en"].strip(),
        "source": command.source,
        "tree": tree,
        "published_by": caller.subject,
        "recorded_at": now,
    }
    await store.insert(tx, "package", row)
    await store.insert_nodes(tx, row["package_id"], nodes)
    said = {**row, "what": "published", "version": 1, "nodes": [node.fact() for node in nodes]}
    await emit(tx, Package.model_validate(said))
    return await views.package(tx, row["package_id"])


async def set_price(tx: Tx, command: SetPrice, *, caller: Caller, now: datetime) -> views.PriceView:
    """Set the price of a node in the caller's area; the organiser decides it, never the producer."""
    caller.must_be_in_area(command.area)
    require(
        validity.broken_by_start(command.valid_from, helsinki_date(now), command.correction_reason)
        + prices.broken_by_basis(
            command.price_basis, command.unit_of_measure, has_total=command.total_price is not None
        )
        + await _broken_by_node(tx, command)
    )
    price_id = prices.price_id(command.area, command.node, command.unit_of_measure, command.valid_from)
    await store.lock_name(tx, f"price {price_id}")
    version = await store.next_price_version(tx, price_id)
    row = {**command.model_dump(), "price_id": price_id, "version": version, "recorded_at": now}
    stored = await store.insert(tx, "price", {**row, "set_by": caller.subject})
    await emit(tx, Price.model_validate({**row, "what": "set"}))
    return views.PriceView.model_validate(stored)


async def _broken_by_node(tx: Tx, command: SetPrice) -> list[Violation]:
    """What is wrong with what is priced: a node that takes the unit, or a whole package with its activities."""
    total = command.total_price
    if total is None:
        units = await store.units_of_node(tx, command.node, command.valid_from)
        return packages.broken_by_priced_node(units, command.unit_of_measure)
    activities = [prices.Activity(one.node, one.unit_of_measure) for one in total.activities]
    below = await store_steering.units_below(tx, command.node, command.valid_from)
    return prices.broken_by_total(command.node, total.package, activities, below)
