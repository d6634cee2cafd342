"""Choices through the HTTP API against a bare route with the same statements.

Ours includes token, validation, idempotency, rules, facts and the answer. Both run with one worker, the same pool
size and the same connections of the same client, a relay running in each, by turns.
"""

import json
import signal
import sys
from collections.abc import Iterator
from uuid import UUID

import psycopg

from kanava.local import ports, processes
from kanava.local.issuer import Signer
from kanava.local.platform import Platform
from kanava.local.postgres import Postgres

from . import load
from .measured import ROUNDS, Figure, seconds_of

AIM = 0.5
CONNECTIONS = 32
PER_ROUND = 4_000
WARM_UP = 500
UNITS = 24

_FILL = """
INSERT INTO producer VALUES ('p0', 1, 'Own', 'own_enterprise', '03', 'approved'),
    ('p1', 1, 'P', 'private', '03', 'approved');
INSERT INTO unit (unit_id, version, producer_id, area, municipality, name, own, status, capacity, listed, opens_on,
    languages)
SELECT '1.2.246.10.32213473.10.' || n, 1, CASE n WHEN 0 THEN 'p0' ELSE 'p1' END, '03', '049', 'U', n = 0,
    'open', CASE n WHEN 0 THEN NULL ELSE 1000000 END, 0, '2026-01-01', ARRAY['fi'] FROM generate_series(0, 24) n;
INSERT INTO scheme VALUES ('s', 5, '049', '03', 5, '2026-01-01');
INSERT INTO rule_book VALUES ('b', 1, '03', 1, '2026-01-01', 12, 21);
INSERT INTO resident (resident_id, version, listing_version, birth_date, sex, municipality, area, protected)
SELECT lpad(n::text, 32, '0')::uuid, 1, 1, '1980-01-01', 'male', '049', '03', false FROM generate_series(1, 60000) n;
INSERT INTO span (resident_id, during, unit_id, producer_id, origin, recorded_from)
SELECT resident_id, '[2026-01-01,)', '1.2.246.10.32213473.10.0', 'p0', 'default', '2026-01-01' FROM resident;
ANALYZE
"""


def resident_id(number: int) -> str:
    """The id of the n-th resident of the fill."""
    return str(UUID(f"{number:032d}"))


def unit_id(number: int) -> str:
    """The unit that the n-th resident chooses."""
    return f"1.2.246.10.32213473.10.{1 + number % UNITS}"


async def choices(platform: Platform) -> Figure:
    """Choices a second: ours and bare by turns on the same database, each resident chooses once; the best counts."""
    _fill(platform.postgres)
    numbers = iter(range(1, 60_000))
    signer = Signer(platform.profile)
    bare = _start_bare(platform)
    try:
        ours, plain = [], []
        for count in (WARM_UP, *[PER_ROUND] * ROUNDS):
            people = [next(numbers) for _ in range(count)]
            ours.append(await _rate(platform.url("listing"), _choosing(signer, people)))
            people = [next(numbers) for _ in range(count)]
            plain.append(await _rate(bare, _barely(people)))
    finally:
        process = processes.find(platform.profile.pid_file("bench-bare"))
        assert process is not None
        process.stop()
    return Figure("choices by HTTP", max(ours[1:]), max(plain[1:]), "1/s", AIM, higher_is_better=True)


def _fill(server: Postgres) -> None:
    with psycopg.connect(server.url("kanava_listing"), autocommit=True) as connection:
        for statement in _FILL.split(";"):
            connection.execute(statement)


def _start_bare(platform: Platform) -> str:
    port = ports.free_port()
    command = [sys.executable, "-m", "uvicorn", "bench.bare:create_app", "--factory", "--port", str(port)]
    copy = next(copy for copy in platform.copies if copy.service == "listing")
    processes.spawn(
        [*command, "--no-access-log", "--log-level", "warning", "--loop", "uvloop", "--http", "httptools"],
        pid_file=platform.profile.pid_file("bench-bare"),
        log=platform.profile.log("bench-bare"),
        tie=signal.SIGKILL,
        environment=platform.told(copy) | {"PYTHONPATH": "."},
    )
    process = processes.find(platform.profile.pid_file("bench-bare"))
    assert process is not None
    log = platform.profile.log("bench-bare")
    processes.wait_ready(process, lambda: ports.is_open(port), log=log, timeout_seconds=30)
    return f"http://127.0.0.1:{port}"


async def _rate(url: str, requests: list[bytes]) -> float:
    async def drive() -> None:
        statuses = await load.drive(url, iter(requests), connections=CONNECTIONS)
        assert set(statuses) == {201}, f"statuses: {dict(statuses)}"

    return len(requests) / await seconds_of(drive)


def _choosing(signer: Signer, people: list[int]) -> list[bytes]:
    return list(_choose(signer, people))


def _choose(signer: Signer, people: list[int]) -> Iterator[bytes]:
    for number in people:
        resident = resident_id(number)
        token = signer.sign({"sub": resident, "role": "resident", "resident": resident})
        headers = {
            "authorization": f"Bearer {token}",
            "idempotency-key": f"choice-{number}",
            "content-type": "application/json",
        }
        body = json.dumps({"unit_id": unit_id(number)}).encode()
        yield load.request("/v1/choices", body, headers)


def _barely(people: list[int]) -> list[bytes]:
    return [
        load.request(
            "/bare",
            json.dumps({"resident_id": resident_id(n), "unit_id": unit_id(n)}).encode(),
            {"content-type": "application/json"},
        )
        for n in people
    ]
