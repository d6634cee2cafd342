"""A small HTTP/1.1 client over kept connections: the demo sends 60,000 requests and shares two cores with
the services that answer them, so a request must cost little.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import orjson

LIMIT_BYTES = 1 << 20
CONNECT_SECONDS = 10.0


class WireBroken(ConnectionError):
    """A connection ended in the middle of an answer."""


@dataclass(frozen=True, slots=True)
class Answer:
    """The status and body of an answer, and its headers by lower-case names."""

    status: int
    body: bytes
    headers: Mapping[str, str]

    def json(self) -> Any:
        """The body, read as JSON."""
        return orjson.loads(self.body)


@dataclass(slots=True)
class Line:
    """One kept connection to a server; requests go over it one after another."""

    host: str
    port: int
    _reader: asyncio.StreamReader | None = None
    _writer: asyncio.StreamWriter | None = None

    async def ask(self, head: str, body: bytes = b"") -> Answer:
        """Send a request and read its answer; a kept connection that the server has closed is opened anew.

        `head` is the request line and the headers, each line ended by CRLF; Host and Content-Length are added.
        """
        fresh = self._writer is None
        try:
            return await self._ask(head, body)
        except (ConnectionError, asyncio.IncompleteReadError) as error:
            self.close()
            if fresh:
                raise WireBroken(f"the connection to {self.host}:{self.port} broke") from error
        return await self._ask(head, body)

    async def _ask(self, head: str, body: bytes) -> Answer:
        if self._writer is None:
            self._reader, self._writer = await asyncio.wait_for(
                asyncio.open_connection(self.host, self.port, limit=LIMIT_BYTES), CONNECT_SECONDS
            )
        assert self._reader is not None and self._writer is not None, "a connection has two ends"
        closing = f"{head}host: {self.host}\r\ncontent-length: {len(body)}\r\n\r\n"
        self._writer.write(closing.encode("latin-1") + body)
        await self._writer.drain()
        return await _answer(self._reader)

    def close(self) -> None:
        """End the connection; the next request opens another."""
        if self._writer is not None:
            self._writer.close()
        self._reader = self._writer = None


async def _answer(reader: asyncio.StreamReader) -> Answer:
    first, *lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    headers = {
        name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines if line)
    }
    if headers.get("transfer-encoding", "").lower() == "chunked":
        body = await _chunks(reader)
    else:
        body = await reader.readexactly(int(headers.get("content-length", "0")))
    return Answer(int(first.split(" ", 2)[1]), body, headers)


async def _chunks(reader: asyncio.StreamReader) -> bytes:
    found = bytearray()
    while size := int((await reader.readuntil(b"\r\n")).split(b";")[0], 16):
        found += (await reader.readexactly(size + 2))[:-2]
    await reader.readuntil(b"\r\n")
    return bytes(found)


@dataclass
class Lines:
    """A few kept connections to the copies of one service, used in turn by whoever needs one."""

    urls: tuple[str, ...]
    size: int
    _free: asyncio.LifoQueue[Line] = field(default_factory=asyncio.LifoQueue, init=False)

    def __post_init__(self) -> None:
        """Spread the connections evenly over the copies."""
        for number in range(self.size):
            parts = urlsplit(self.urls[number % len(self.urls)])
            self._free.put_nowait(Line(parts.hostname or "127.0.0.1", parts.port or 80))

    async def ask(self, head: str, body: bytes = b"") -> Answer:
        """Send a request over a free connection, waiting for one if need be."""
        line = await self._free.get()
        try:
            return await line.ask(head, body)
        except BaseException:
            line.close()
            raise
        finally:
            self._free.put_nowait(line)

    async def close(self) -> None:
        """End all connections that are free."""
        while not self._free.empty():
            self._free.get_nowait().close()
