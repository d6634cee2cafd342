"""What monitoring hears on the bus: one function per topic, each merging by version."""

from collections.abc import Sequence

from psycopg.types.json import Jsonb

from kanava.common.contracts import listing, payments, registry, steering
from kanava.common.db import Tx
from kanava.common.inbox import Apply

from . import read_models


async def hear_documents(tx: Tx, facts: Sequence[registry.Document]) -> int:
    """No indicator rests on a document yet; hearing it is its whole effect."""
    return len(facts)


async def take_packages(tx: Tx, facts: Sequence[registry.Package]) -> int:
    """Take over published package versions with their nodes."""
    records = [
        f.model_dump(include={"package_id", "number", "valid_from", "version"})
        | {"family": f.package_id.partition(":")[0]}
        for f in facts
    ]
    applied = await read_models.merge_newest(tx, "package", "package_id", records)
    nodes = [(f.package_id, node.code, node.name_fi, list(node.units)) for f in facts for node in f.nodes]
    await read_models.add_package_nodes(tx, nodes)
    return applied


async def take_prices(tx: Tx, facts: Sequence[registry.Price]) -> int:
    """Take over the organisers' prices."""
    columns = {"price_id", "area", "node", "unit_of_measure", "valid_from", "price_cents", "version"}
    records = [f.model_dump(include=columns) for f in facts]
    return await read_models.merge_newest(tx, "price", "price_id", records)


async def take_schemes(tx: Tx, facts: Sequence[registry.Scheme]) -> int:
    """Take over the phases of schemes, and from which day services are produced under them."""
    columns = {"scheme_id", "municipality", "area", "phase", "version"}
    applied = await read_models.merge_newest(tx, "scheme", "scheme_id", [f.model_dump(include=columns) for f in facts])
    producing = [f.model_dump(include={"scheme_id", "entered_on"}) for f in facts if f.phase >= 5]
    await read_models.open_production(tx, producing)
    return applied


async def take_producers(tx: Tx, facts: Sequence[registry.Producer]) -> int:
    """Take over producers and their standing; their accounts are nothing to monitoring."""
    columns = {"producer_id", "name", "kind", "area", "status", "version"}
    records = [f.model_dump(include=columns) for f in facts]
    return await read_models.merge_newest(tx, "producer", "producer_id", records)


async def take_units(tx: Tx, facts: Sequence[registry.Unit]) -> int:
    """Take over units and the days on which they are open."""
    columns = {
        "unit_id",
        "producer_id",
        "area",
        "municipality",
        "name",
        "status",
        "opens_on",
        "closes_on",
        "version",
    }
    return await read_models.merge_newest(tx, "unit", "unit_id", [f.model_dump(include=columns) for f in facts])


async def take_contracts(tx: Tx, facts: Sequence[registry.Contract]) -> int:
    """Take over contracts and their classes."""
    columns = {"contract_id", "producer_id", "area", "contract_class", "starts_on", "ends_on", "version"}
    records = [f.model_dump(include=columns) for f in facts]
    return await read_models.merge_newest(tx, "contract", "contract_id", records)


async def take_orders(tx: Tx, facts: Sequence[steering.Order]) -> int:
    """Take over annual orders and budgets; the orders are held against what is delivered."""
    columns = {"order_id", "kind", "area", "year", "valid_from", "status", "version"}
    records = [f.model_dump(include=columns) | _content(f) for f in facts]
    return await read_models.merge_newest(tx, "year_order", "order_id", records)


def _content(fact: steering.Order) -> dict[str, object]:
    said = fact.annual_order or fact.budget
    producer_id = fact.annual_order.producer_id if fact.annual_order else None
    return {"producer_id": producer_id, "content": Jsonb(said.model_dump() if said else {"lines": []})}


async def take_sanctions(tx: Tx, facts: Sequence[steering.Sanction]) -> int:
    """Take over the steps of the ladder and their standing; the words of a reason are nothing to monitoring."""
    columns = {"sanction_id", "producer_id", "area", "step", "effective_on", "status", "amount_cents", "version"}
    records = [f.model_dump(include=columns) for f in facts]
    return await read_models.merge_newest(tx, "sanction", "sanction_id", records)


async def take_vouchers(tx: Tx, facts: Sequence[listing.Voucher]) -> int:
    """Take over which vouchers residents have and when; what they are worth is nothing to monitoring."""
    columns = {"voucher_id", "resident_id", "area", "kind", "node", "status", "starts_on", "until", "version"}
    records = [f.model_dump(include=columns) for f in facts]
    return await read_models.merge_newest(tx, "voucher", "voucher_id", records)


async def take_runs(tx: Tx, facts: Sequence[payments.Run]) -> int:
    """Take over closed months with their sums by component."""
    records = [f.model_dump(exclude={"what", "recorded_at"}) for f in facts]
    return await read_models.merge_newest(tx, "run", "run_id", [_with_jsonb(record) for record in records])


async def take_statements(tx: Tx, facts: Sequence[payments.Statement]) -> int:
    """Take over statements: what each producer's clients cost in a month; a final statement has no sums of its own."""
    kept = {"statement_id", "version", "producer_id", "area", "month", "status", "amount_cents", "sums"}
    records = [f.model_dump(include=kept) for f in facts]
    return await read_models.merge_newest(tx, "statement", "statement_id", [_with_jsonb(r) for r in records])


async def take_movements(tx: Tx, facts: Sequence[payments.Account]) -> int:
    """Take over the movements of the areas' accounts."""
    return await read_models.add_movements(tx, [f.model_dump(exclude={"what"}) for f in facts])


def _with_jsonb(record: dict[str, object]) -> dict[str, object]:
    return record | {"sums": Jsonb(record["sums"])}


SUBSCRIPTIONS: dict[str, Apply] = {
    "kanava.registry.package.v1": take_packages,
    "kanava.registry.document.v1": hear_documents,
    "kanava.registry.price.v1": take_prices,
    "kanava.registry.scheme.v1": take_schemes,
    "kanava.registry.producer.v1": take_producers,
    "kanava.registry.unit.v1": take_units,
    "kanava.registry.contract.v1": take_contracts,
    "kanava.registry.order.v1": take_orders,
    "kanava.registry.sanction.v1": take_sanctions,
    "kanava.listing.resident.v1": read_models.merge_residents,
    "kanava.listing.listing.v1": read_models.merge_listings,
    "kanava.listing.voucher.v1": take_vouchers,
    "kanava.payments.run.v1": take_runs,
    "kanava.payments.statement.v1": take_statements,
    "kanava.payments.account.v1": take_movements,
}
