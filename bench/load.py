"""A small HTTP/1.1 load client: kept-alive connections of raw asyncio, one request after the other on each."""

import asyncio
from collections import Counter
from collections.abc import Iterator
from urllib.parse import urlsplit


async def drive(url: str, requests: Iterator[bytes], *, connections: int) -> Counter[int]:
    """Send requests over so many connections until there are none left; how often each status came."""
    parts = urlsplit(url)
    statuses: Counter[int] = Counter()
    assert parts.hostname is not None
    workers = [_connection(parts.hostname, parts.port or 80, requests, statuses) for _ in range(connections)]
    await asyncio.gather(*workers)
    return statuses


def request(path: str, body: bytes, headers: dict[str, str]) -> bytes:
    """The bytes of a POST."""
    lines = [f"POST {path} HTTP/1.1", "host: 127.0.0.1", f"content-length: {len(body)}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode() + body


async def _connection(host: str, port: int, requests: Iterator[bytes], statuses: Counter[int]) -> None:
    reader, writer = await asyncio.open_connection(host, port)
    for sent in requests:
        writer.write(sent)
        head = await reader.readuntil(b"\r\n\r\n")
        statuses[int(head[9:12])] += 1
        await reader.readexactly(_length(head))
    writer.close()


def _length(head: bytes) -> int:
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            return int(line.partition(b":")[2])
    return 0
