"""One question of the command line to a running service, as the operator."""

import uuid
from collections.abc import Mapping
from typing import Any

import httpx

from kanava.local import processes
from kanava.local.issuer import persona_claims, sign
from kanava.local.problems import PlatformProblem
from kanava.local.profile import profile

SECONDS = 300.0


def address(name: str, service: str) -> str:
    """Where a service of a profile serves. Raises PlatformProblem when it does not run."""
    ours = profile(name)
    port = ours.remembered_port(f"{service}-1")
    if port is None or processes.find(ours.pid_file(f"{service}-1")) is None:
        raise PlatformProblem(
            f"'{service}' of the profile '{name}' does not run. "
            "Start it with `./kanava up`, or name another profile with --profile."
        )
    return f"http://127.0.0.1:{port}"


def ask(
    name: str,
    service: str,
    method: str,
    path: str,
    *,
    told: Mapping[str, Any] | None = None,
    who: str = "operator",
) -> Any:
    """What a service of a profile answers to the persona. Raises PlatformProblem with the problem's own sentence."""
    headers = {
        "authorization": f"Bearer {sign(profile(name), persona_claims(who))}",
        "idempotency-key": f"cli-{uuid.uuid4()}",
    }
    url = address(name, service) + path
    try:
        answer = httpx.request(method, url, headers=headers, json=told, timeout=SECONDS, trust_env=False)
    except httpx.HTTPError as error:
        raise PlatformProblem(
            f"'{service}' did not answer ({type(error).__name__}). `./kanava logs {service}-1` says why."
        ) from error
    if answer.is_error:
        raise PlatformProblem(_sentence(service, answer))
    return answer.json()


def _sentence(service: str, answer: httpx.Response) -> str:
    """A problem as a sentence for a person."""
    try:
        problem = answer.json()
        return f"{problem['title']}. {problem.get('detail') or ''} ({service}, {answer.status_code})".replace(
            "..", "."
        )
    except (ValueError, KeyError):
        return f"'{service}' answered {answer.status_code}. `./kanava logs {service}-1` says why."
