"""The README names every endpoint, its path and every topic, and no other."""

import re
from pathlib import Path

from kanava.common.contracts import TOPICS
from tests.registry.conftest import Api

README = Path(__file__).parents[2] / "services" / "registry" / "README.md"


async def test_endpoints_are_those_of_the_application(api: Api) -> None:
    written = set(re.findall(r"^\| `(POST|PUT|GET) (/v1/[^`]+)`", README.read_text(), flags=re.M))
    documented = api.app.openapi()["paths"]
    served = {(method.upper(), path) for path, item in documented.items() for method in item}
    assert written == {(method, path) for method, path in served if path.startswith("/v1") and "bus" not in path}


def test_topics_are_those_of_the_table() -> None:
    written = set(re.findall(r"kanava\.registry\.\w+\.v1", README.read_text()))
    assert written == {topic.name for topic in TOPICS if topic.service == "registry"}
