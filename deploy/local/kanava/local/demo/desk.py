"""Who asks what: requests of the demo's personas to the four services, with tokens, keys and clear failures."""

import base64
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

import orjson

from kanava.local.demo.tokens import Mint
from kanava.local.demo.wire import Answer, Lines
from kanava.local.problems import PlatformProblem

LINES_FOR_EACH = 64
OK = range(200, 300)


class Unexpected(PlatformProblem):
    """A service answered something else than the story needs."""

    def __init__(self, what: str, answer: Answer) -> None:
        super().__init__(
            f"{what} was answered with {answer.status}: {_sentence(answer)} "
            "The demo stops here; `./kanava logs SERVICE --profile demo` may say more."
        )
        self.answer = answer


def _sentence(answer: Answer) -> str:
    try:
        problem = answer.json()
        return f"{problem.get('title')}: {problem.get('detail')} {problem.get('errors', '')}".strip()
    except (orjson.JSONDecodeError, AttributeError):
        return answer.body[:300].decode("utf-8", "replace")


@dataclass
class Desk:
    """Sends requests as a persona. Each gets an idempotency key of its own, counted, so that a run is repeatable."""

    lines: Mapping[str, Lines]
    mint: Mint
    seed: int
    _tokens: dict[str, str] = field(default_factory=dict)
    _keys: int = 0

    def token(self, who: str, claims: Mapping[str, Any] | None = None) -> str:
        """The token of a persona, signed at the first asking."""
        if who not in self._tokens:
            assert claims is not None, f"{who} is nobody yet"
            self._tokens[who] = self.mint.sign({"sub": who, **claims})
        return self._tokens[who]

    async def ask(
        self,
        method: str,
        service: str,
        path: str,
        *,
        who: str,
        body: bytes = b"",
        headers: Sequence[str] = (),
    ) -> Answer:
        """Send a request and give the answer, whatever it is."""
        self._keys += 1
        told = [f"{method} {path} HTTP/1.1", f"authorization: Bearer {self.token(who)}"]
        told += [f"idempotency-key: demo-{self.seed}-{self._keys}", *headers]
        return await self.lines[service].ask("\r\n".join(told) + "\r\n", body)

    async def get(self, service: str, path: str, *, who: str, **query: object) -> Any:
        """What a GET answers. Raises Unexpected."""
        known = {name: value for name, value in query.items() if value is not None}
        asked = f"{path}?{urlencode(known)}" if known else path
        return self._good(f"GET {path}", await self.ask("GET", service, asked, who=who)).json()

    async def send(self, method: str, service: str, path: str, told: Mapping[str, Any], *, who: str) -> Any:
        """What a command with a JSON body answers. Raises Unexpected."""
        headers = ["content-type: application/json"]
        answer = await self.ask(method, service, path, who=who, body=orjson.dumps(told), headers=headers)
        return self._good(f"{method} {path}", answer).json()

    async def post(self, service: str, path: str, told: Mapping[str, Any], *, who: str) -> Any:
        """What a POST with a JSON body answers. Raises Unexpected."""
        return await self.send("POST", service, path, told, who=who)

    async def upload(self, service: str, path: str, content: bytes, media_type: str, *, who: str) -> Any:
        """What a file is answered with; its digest goes with it (RFC 9530). Raises Unexpected."""
        digest = base64.b64encode(hashlib.sha256(content).digest()).decode()
        headers = [f"content-type: {media_type}", f"content-digest: sha-256=:{digest}:"]
        answer = await self.ask("POST", service, path, who=who, body=content, headers=headers)
        return self._good(f"POST {path}", answer).json()

    async def download(self, service: str, path: str, *, who: str) -> bytes:
        """The bytes of a file. Raises Unexpected."""
        return self._good(f"GET {path}", await self.ask("GET", service, path, who=who)).body

    def _good(self, what: str, answer: Answer) -> Answer:
        if answer.status not in OK:
            raise Unexpected(what, answer)
        return answer

    async def close(self) -> None:
        """End all connections."""
        for lines in self.lines.values():
            await lines.close()


def lines_to(urls: Mapping[str, Sequence[str]], *, each: int = LINES_FOR_EACH) -> dict[str, Lines]:
    """Connections to every service, by name."""
    return {service: Lines(tuple(copies), each * len(copies)) for service, copies in urls.items()}
