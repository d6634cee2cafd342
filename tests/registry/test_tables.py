"""The migrations make what the tables declare."""

from kanava.common.migrate import differences
from tests.support.databases import ServiceDatabase


def test_no_difference_remains(database: ServiceDatabase) -> None:
    assert differences("registry", database.owner_url) == []
