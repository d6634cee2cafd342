"""The demo's report on the screen: what happened, to whom the money went, and that every sum agrees."""

from collections.abc import Iterable, Sequence

from rich.console import Console
from rich.table import Table as Grid

from kanava.common.money import euros
from kanava.local.demo.outcome import Table, flaws
from kanava.local.demo.scale import Scale

MOST_SECONDS, MOST_PYTHON_MIB = 180, 3072
KINDS = {
    "funding": "instalments received (rahoituserät)",
    "cost": "costs of the months (kustannukset)",
    "release": "released to the bank (maksut pankkiin)",
    "settlement": "settled with the own enterprise (sisäinen tilitys)",
    "booked": "confirmed by the bank (vahvistetut)",
    "rejected": "rejected, back to the producer's balance (hylätyt)",
    "returned": "returned by the producer's bank (palautetut)",
}
SUMS = ("lines_cents", "producers_cents", "account_cents")


def show(console: Console, result: Table, scale: Scale, *, all_mib: int) -> None:
    """Print the whole report."""
    _show_people(console, result)
    _show_account(console, result["account"])
    _show_producers(console, result["producers"])
    _show_statements(console, result["statements"])
    _show_sums(console, result["sums"], result["books"])
    _show_bus(console, result["bus"])
    _show_effort(console, result, all_mib)
    wrong = flaws(result, scale)
    console.print("Everything agrees to the cent." if not wrong else "[bold red]Something does not agree:[/]")
    for sentence in wrong:
        console.print(f"  {sentence}")


def _grid(console: Console, title: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print a table whose first column is text and whose others are numbers."""
    table = Grid(title=title, title_justify="left", title_style="bold")
    for number, column in enumerate(columns):
        table.add_column(column, justify="right" if number else "left", overflow="fold")
    for row in rows:
        table.add_row(*(f"{cell:,}" if isinstance(cell, int) else str(cell) for cell in row))
    console.print(table)


def _show_people(console: Console, result: Table) -> None:
    """Residents, choices and visits."""
    residents, choices, visits = result["residents"], result["choices"], result["visits"]
    rows = [
        ("residents registered, listed with the area's own units", residents["registered"]),
        ("residents who died in October, known on 5 November", residents["died_late"]),
        ("residents who moved away in October, known on 5 November", residents["moved_away_late"]),
        ("choices made, each with the resident's own token", choices["made"]),
        *((f"choices refused: {reason}", count) for reason, count in choices["refused"].items()),
        ("reported rows", visits["rows"]),
        ("visits accepted", visits["accepted"]),
        ("rows that repeated a visit (no effect)", visits["doubled"]),
        ("rows rejected and fetched by their producer", visits["rejected"]),
        *((f"  of them: {reason}", count) for reason, count in visits["reasons"].items()),
    ]
    _grid(console, "Residents, choices, visits", ("what", "how many"), rows)
    console.print(f"Who tried again too early was told from when: {', '.join(choices['free_from'])}.")


def _show_account(console: Console, account: Table) -> None:
    rows = [("before", "", euros(account["before"]["spendable_cents"]))]
    rows += [
        (KINDS.get(one["kind"], one["kind"]), one["entries"], euros(one["amount_cents"]))
        for one in account["movements"]
    ]
    rows.append(("after", "", euros(account["after"]["spendable_cents"])))
    _grid(
        console,
        f"The account of area {account['area']}",
        ("movement", "entries", "what it did to the balance"),
        rows,
    )


def _show_producers(console: Console, producers: Sequence[Table]) -> None:
    money = ("capitation_cents", "fee_cents", "client_fee_cents", "total_cents")
    _grid(
        console, "Money by producer and tier", ("producer", "capitation", "fees", "client fees", "together"),
        [(one["name"], *(euros(one[name]) for name in money)) for one in producers],
    )  # fmt: skip
    counts = ("listed_clients", "switches_in", "switches_out", "visits")
    _grid(
        console, "Indicators of November", ("producer", "clients", "in", "out", "visits", "cost per client"),
        [(one["name"], *(one[name] for name in counts), euros(one["cost_per_client"] or 0)) for one in producers],
    )  # fmt: skip


def _show_statements(console: Console, statements: Table) -> None:
    rows = [
        (f"{one['month']} {one['producer']}", one["status"], euros(one["amount_cents"]))
        for one in statements["each"]
    ]
    _grid(console, "Statements", ("statement", "state", "sum"), rows)
    bank = statements["bank"]
    console.print(
        f"The bank booked {bank['booked']} payments (camt.054) and rejected {bank['rejected']} (pain.002)."
    )


def _show_sums(console: Console, sums: Table, books: Table) -> None:
    rows = [
        (one["component"], *(euros(one[name]) for name in (*SUMS, "left_cents", "owed_cents")))
        for one in sums["components"]
    ]
    rows.append(("together", *(euros(sums[name]) for name in SUMS), "", ""))
    columns = ("component", "Σ resident lines", "Σ producers", "Σ account", "left the account", "still owed")
    _grid(console, "Three sums from three independent queries", columns, rows)
    balanced = "balance" if books["balanced"] else "do not balance"
    chain = "holds" if books["chain_ok"] else f"is broken: {books['broken']}"
    console.print(f"The books {balanced}; the chain of {books['entries']} entries {chain}.")


def _show_bus(console: Console, bus: Table) -> None:
    rows = [
        (f"{name.removeprefix('kanava.')} → {reader}", topic["published"], received, topic["effects"][reader])
        for name, topic in bus["topics"].items()
        for reader, received in topic["received"].items()
    ]
    _grid(console, "The bus", ("topic → reader", "published", "received", "effects"), rows)
    late = {group: lag for group, lag in bus["lag"].items() if lag}
    console.print(f"Lag of {len(bus['lag'])} consumer groups: {late or 'none'}.")


def _show_effort(console: Console, result: Table, all_mib: int) -> None:
    """Seconds per step and peak memory, beside what the full demo may take."""
    rows = [(step, f"{seconds:.1f}") for step, seconds in result["seconds"].items()]
    _grid(console, "Seconds", ("step", "s"), rows)
    console.print(
        f"{result['seconds']['total']:.0f} s of {MOST_SECONDS} s; Python processes at most {result['peak_mib']:,} MiB "
        f"of {MOST_PYTHON_MIB:,} MiB together; everything with PostgreSQL and Kafka {all_mib:,} MiB."
    )
