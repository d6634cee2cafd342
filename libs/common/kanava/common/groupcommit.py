"""Group commit: commands of one kind that arrive while a transaction is under way share the next one.

A commit costs the same for one command as for thirty, and so does each statement's way to the database. Every
command keeps what `once` promises: its own key, its own answer or refusal, one effect. When the shared
transaction fails, each of its commands is tried alone, so none suffers for another.
"""

import asyncio
import contextvars
import time
from collections import deque
from collections.abc import Awaitable, Callable, Hashable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Generic, TypeVar

from fastapi import Request, Response

from .auth import Caller
from .clock import Clock
from .db import Pool, Tx, transaction
from .errors import Problem
from .idempotency import Claim, IdempotencyKey, Replay, answered, claim, settle
from .telemetry import current_traceparent
from .web import as_json

MOST_TOGETHER = 64
MOST_FLIGHTS = 4
GATHER_SECONDS = 0.003
"""After a transaction the next one waits so long for company: those who were just answered ask again."""
STUCK_SECONDS = 0.05
"""After so long under way a transaction is taken to wait for a lock, and another one may begin beside it."""

Command = TypeVar("Command")


@dataclass(frozen=True, slots=True)
class Asked(Generic[Command]):
    """A command and the trace that it was asked in, so that its facts go on in that trace."""

    command: Command
    traceparent: str | None = None


Act = Callable[[Tx, Sequence[Asked[Command]], datetime], Awaitable[Sequence[Any]]]
"""Does commands in their order in one transaction; gives for each its result, or the `Problem` that refuses it and
that left nothing behind."""


@dataclass(frozen=True, slots=True)
class _Waiting(Generic[Command]):
    claim: Claim
    asked: Asked[Command]
    status: int
    pool: Pool
    clock: Clock
    answer: "asyncio.Future[tuple[Replay, bool]]"


@dataclass
class GroupCommit(Generic[Command]):
    """Gathers commands for `act`. Two with the same `apart` never share a transaction: the later one waits."""

    act: Act[Command]
    apart: Callable[[Command], Hashable]
    _waiting: deque[_Waiting[Command]] = field(default_factory=deque, init=False)
    _flights: set["asyncio.Task[None]"] = field(default_factory=set, init=False)
    _begun_at: float = field(default=0.0, init=False)
    _gathering: asyncio.TimerHandle | None = field(default=None, init=False)

    async def once(
        self, request: Request, caller: Caller, key: IdempotencyKey, command: Command, *, status: int = 200
    ) -> Response:
        """Do a command at most once for its key and answer its result as JSON; see `idempotency.once`."""
        answer = asyncio.get_running_loop().create_future()
        asked, own, state = Asked(command, current_traceparent()), Claim.of(request, caller, key), request.app.state
        self._waiting.append(_Waiting(own, asked, status, state.pool, state.clock, answer))
        self._begin()
        replay, replayed = await answer
        return answered(replay, replayed=replayed)

    def _begin(self) -> None:
        """Begin a transaction unless one is under way that does not seem to wait."""
        now = time.monotonic()
        stuck = now - self._begun_at > STUCK_SECONDS and len(self._flights) < MOST_FLIGHTS
        if self._waiting and ((not self._flights and self._gathering is None) or stuck):
            self._begun_at = now
            # In no trace of its own: it serves many, each fact goes on in the trace of its command.
            flight = asyncio.create_task(self._fly(self._taken()), context=contextvars.Context())
            self._flights.add(flight)
            flight.add_done_callback(self._landed)

    def _landed(self, flight: "asyncio.Task[None]") -> None:
        self._flights.discard(flight)
        self._gathering = asyncio.get_running_loop().call_later(GATHER_SECONDS, self._gathered)

    def _gathered(self) -> None:
        self._gathering = None
        self._begin()

    def _taken(self) -> list[_Waiting[Command]]:
        """The next commands that may share a transaction, in the order in which they came."""
        taken: list[_Waiting[Command]] = []
        left: list[_Waiting[Command]] = []
        seen: set[Hashable] = set()
        while self._waiting and len(taken) < MOST_TOGETHER:
            one = self._waiting.popleft()
            marks = {self.apart(one.asked.command), (one.claim.caller, one.claim.key)}
            (left if marks & seen else taken).append(one)
            seen |= marks
        self._waiting.extendleft(reversed(left))
        return taken

    async def _fly(self, together: list[_Waiting[Command]]) -> None:
        try:
            outcomes = await self._done(together)
        except Exception as error:
            if len(together) > 1:
                for one in together:
                    await self._fly([one])
            elif not together[0].answer.done():
                together[0].answer.set_exception(error)
            return
        for one, outcome in zip(together, outcomes, strict=True):
            if one.answer.done():  # its caller went away; what was done stays done
                continue
            if isinstance(outcome, Problem):
                one.answer.set_exception(outcome)
            else:
                one.answer.set_result(outcome)

    async def _done(self, together: Sequence[_Waiting[Command]]) -> list[Problem | tuple[Replay, bool]]:
        async with transaction(together[0].pool) as tx:
            now = await together[0].clock.now(tx)
            before = await claim(tx, [one.claim for one in together])
            fresh = [one for one, found in zip(together, before, strict=True) if found is None]
            results = iter(await self.act(tx, [one.asked for one in fresh], now) if fresh else ())
            made = {one.claim: _answer(one.status, next(results)) for one in fresh}
            kept = [(own, answer) for own, answer in made.items() if isinstance(answer, Replay)]
            if kept:
                await settle(tx, kept)
        return [_outcome(found, made.get(one.claim)) for one, found in zip(together, before, strict=True)]


def _answer(status: int, result: Any) -> Replay | Problem:
    return result if isinstance(result, Problem) else Replay(status, as_json(result))


def _outcome(before: Replay | Problem | None, made: Replay | Problem | None) -> Problem | tuple[Replay, bool]:
    if isinstance(before, Problem):
        return before
    if before is not None:
        return before, True
    assert made is not None, "a fresh command has an outcome"
    return made if isinstance(made, Problem) else (made, False)
