"""A document carries the content of its kind and no other."""

import pytest

from kanava.registry.domain.documents import CONTENT_OF, broken_by_content


@pytest.mark.parametrize("kind", CONTENT_OF)
def test_each_kind_has_one_field_of_content(kind: str) -> None:
    own = CONTENT_OF[kind]
    assert broken_by_content(kind, {own: "something"}) == []
    assert [one.pointer for one in broken_by_content(kind, {})] == [f"/{own}"]
    everything = dict.fromkeys(CONTENT_OF.values(), "something")
    assert {one.pointer for one in broken_by_content(kind, everything)} == {
        f"/{field}" for field in CONTENT_OF.values() if field != own
    }
