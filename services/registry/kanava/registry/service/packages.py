"""Publishing service packages (palvelupaketit), and setting the organiser's prices on their nodes."""

from datetime import datetime

from kanava.common.auth import Caller
from kanava.common.clock import helsinki_date
from kanava.common.contracts.registry import Package, Price
from kanava.common.db import Tx
from kanava.common.outbox import emit
from kanava.registry import store, views
from kanava.registry.commands import PublishPackage, SetPrice
from kanava.registry.domain import packages, validity
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
    units = await store.units_of_node(tx, command.node, command.valid_from)
    require(
        validity.broken_by_start(command.valid_from, helsinki_date(now))
        + packages.broken_by_priced_node(units, command.unit_of_measure)
    )
    price_id = f"{command.area}:{command.node}:{command.valid_from.isoformat()}"
    await store.lock_name(tx, f"price {price_id}")
    version = await store.next_price_version(tx, price_id)
    row = {**command.model_dump(), "price_id": price_id, "version": version, "recorded_at": now}
    stored = await store.insert(tx, "price", {**row, "set_by": caller.subject})
    await emit(tx, Price.model_validate({**row, "what": "set"}))
    return views.PriceView.model_validate(stored)
