"""The database edge: one pool, one kind of transaction, and the tables that every service's database has.

SQL is written by hand in each service's `store.py` and `views.py`; tables are declared with SQLModel in its
`tables.py`, which is what migrations are made from and checked against.
"""

import time
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from typing import Any
from weakref import WeakKeyDictionary

import sqlalchemy as sa
from psycopg import AsyncConnection, sql
from psycopg.rows import DictRow, dict_row
from psycopg_pool import AsyncConnectionPool
from sqlalchemy.dialects.postgresql import JSONB

Tx = AsyncConnection[DictRow]
"""A connection inside the one open transaction of a command; rows are dictionaries."""

Pool = AsyncConnectionPool[Tx]

APPEND_ONLY = {"grants": "SELECT, INSERT"}
"""`__table_args__` info of a table whose rows, once written, stay: the application's role may do no more."""

SHARDS = 4

UNCHECKED_SECONDS = 0.5
"""A connection that was returned this short a time ago is taken without asking whether it lives."""


def make_pool(database_url: str, *, size: int) -> Pool:
    """A closed pool of up to `size` connections, each checked before use; open it in the lifespan."""
    return AsyncConnectionPool(
        database_url,
        min_size=min(2, size),
        max_size=size,
        open=False,
        check=_check_after_rest,
        reset=_note_return,
        connection_class=AsyncConnection[DictRow],
        kwargs={"row_factory": dict_row, "autocommit": True},
        timeout=30,
    )


_returned_at: WeakKeyDictionary[Tx, float] = WeakKeyDictionary()


async def _note_return(connection: Tx) -> None:
    _returned_at[connection] = time.monotonic()


async def _check_after_rest(connection: Tx) -> None:
    """Ask whether a connection still lives, unless it did so a moment ago: under load a question costs a round trip."""
    if time.monotonic() - _returned_at.get(connection, 0.0) > UNCHECKED_SECONDS:
        await AsyncConnectionPool.check_connection(connection)


@asynccontextmanager
async def transaction(pool: Pool) -> AsyncIterator[Tx]:
    """Open the transaction of a command: committed at the end, rolled back by any exception."""
    async with pool.connection() as connection, connection.transaction():
        yield connection


async def one(tx: Tx, query: str, parameters: Sequence[Any] | dict[str, Any] = ()) -> DictRow | None:
    """The first row of a query, or None."""
    return await (await tx.execute(query, parameters)).fetchone()


async def rows(tx: Tx, query: str, parameters: Sequence[Any] | dict[str, Any] = ()) -> list[DictRow]:
    """All rows of a query."""
    return await (await tx.execute(query, parameters)).fetchall()


async def together(tx: Tx, *queries: tuple[str, dict[str, Any]]) -> list[list[DictRow]]:
    """The rows of several queries that are sent as one, each seeing what was committed before it began."""
    async with tx.pipeline():
        cursors = [await tx.execute(query, parameters) for query, parameters in queries]
    return [await cursor.fetchall() if cursor.description else [] for cursor in cursors]


_analyzed: WeakKeyDictionary[Tx, set[str]] = WeakKeyDictionary()


async def stage(tx: Tx, table: str, columns: str, records: Iterable[Sequence[Any]]) -> None:
    """`COPY` records into a temporary table that is empty after the commit, ready for one set-based merge.

    `columns` are its definitions, `"resident_id uuid, version int"`; a record has them in this order. The table
    stays with its connection, so a name has one form; making it anew for each batch would cost more than the batch.
    """
    name = sql.Identifier(table)
    make = sql.SQL("CREATE TEMP TABLE IF NOT EXISTS {} ({}) ON COMMIT DELETE ROWS")
    await tx.execute(make.format(name, sql.SQL(columns)))
    types = [column.split()[1] for column in columns.split(",")]
    async with (
        tx.cursor() as cursor,
        cursor.copy(sql.SQL("COPY {} FROM STDIN (FORMAT BINARY)").format(name)) as copy,
    ):
        copy.set_types(types)
        for record in records:
            await copy.write_row(record)
    seen = _analyzed.setdefault(tx, set())
    if table not in seen:  # once for a connection: batches of one kind look alike, and their size is seen anyway
        await tx.execute(sql.SQL("ANALYZE {}").format(name))
        seen.add(table)


def platform_tables(metadata: sa.MetaData) -> sa.MetaData:
    """Add the outbox with its queue and shards, the inbox and the offsets to a service's own metadata."""
    now = sa.text("clock_timestamp()")
    sa.Table(
        "outbox",
        metadata,
        sa.Column("id", sa.BigInteger, sa.Identity(), primary_key=True),
        sa.Column("event_id", sa.Uuid, server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("topic", sa.Text, nullable=False),
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("type", sa.Text, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("headers", JSONB),
        sa.Column("traceparent", sa.Text),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=now, nullable=False),
        sa.Column(
            "shard",
            sa.SmallInteger,
            sa.Computed(f"(hashtext(key) & {SHARDS - 1})::smallint", persisted=True),
            nullable=False,
        ),
        info=APPEND_ONLY,
    )
    # Filled by a trigger of the outbox, so that nobody forgets; a row goes when its fact was published.
    sa.Table(
        "outbox_unsent",
        metadata,
        sa.Column("shard", sa.SmallInteger, primary_key=True),
        sa.Column("id", sa.BigInteger, primary_key=True),
    )
    sa.Table(
        "outbox_sent",
        metadata,
        sa.Column("topic", sa.Text, primary_key=True),
        sa.Column("published", sa.BigInteger, nullable=False),
    )
    sa.Table(
        "relay_shard",
        metadata,
        sa.Column("shard", sa.SmallInteger, primary_key=True),
        sa.Column("token", sa.Uuid),
        sa.Column("leased_until", sa.DateTime(timezone=True), server_default=sa.text("'-infinity'"), nullable=False),
    )
    sa.Table(
        "inbox",
        metadata,
        sa.Column("event_id", sa.Uuid, primary_key=True),
        sa.Column("topic", sa.Text, nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), server_default=now, nullable=False),
        info=APPEND_ONLY,
    )
    counters = ("received", "applied", "duplicates", "dead", "unknown")
    sa.Table(
        "inbox_offset",
        metadata,
        sa.Column("topic", sa.Text, primary_key=True),
        sa.Column("partition", sa.Integer, primary_key=True),
        sa.Column("next_offset", sa.BigInteger, nullable=False),
        *(sa.Column(name, sa.BigInteger, server_default="0", nullable=False) for name in counters),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=now, nullable=False),
    )
    return metadata
