"""Problems and reasons: what a person and a program are told."""

import pytest

from kanava.common import errors
from kanava.common.errors import Conflict, Invalid, Problem, RefusalReason, Refused, Unauthenticated


class Reason(RefusalReason):
    """Why this test refuses."""

    FULL = "unit_full", "The unit has no free places."


def test_a_reason_is_its_value_and_says_its_sentence() -> None:
    assert Reason("unit_full") is Reason.FULL
    assert str(Reason.FULL) == "unit_full"
    assert Reason.FULL.sentence == Reason.FULL.__doc__ == "The unit has no free places."


def test_a_reason_without_a_sentence_is_refused_where_it_is_written() -> None:
    with pytest.raises((ValueError, RuntimeError)):

        class Silent(RefusalReason):
            """Has a member without a sentence."""

            QUIET = "quiet"


def test_a_refusal_carries_its_reason_and_what_else_is_known() -> None:
    refusal = Refused(Reason.FULL, pointer="/unit", free_from="2027-01-01")
    assert isinstance(refusal, Conflict)
    assert (refusal.status, refusal.rule, refusal.detail) == (
        409,
        "unit_full",
        "The unit has no free places.",
    )
    assert refusal.extra == {"reason": "unit_full", "free_from": "2027-01-01"}


def test_the_slugs_of_the_tree_are_unique() -> None:
    own = [kind for kind in Problem.tree() if kind.__module__ == errors.__name__]
    assert len({kind.slug for kind in own}) == len(own)
    assert Problem.find("invalid") is Invalid
    assert Problem.find("nothing-like-it") is None


def test_every_problem_is_explained_and_has_an_http_status() -> None:
    for kind in Problem.tree():
        assert kind.__doc__, kind
        assert 400 <= kind.status <= 599, kind


@pytest.mark.parametrize(
    ("name", "status", "retryable"),
    [
        ("Malformed", 400, False),
        ("MissingIdempotencyKey", 400, False),
        ("Unauthenticated", 401, False),
        ("Forbidden", 403, False),
        ("NotFound", 404, False),
        ("Conflict", 409, False),
        ("Refused", 409, False),
        ("KeyInProgress", 409, True),
        ("TooLarge", 413, False),
        ("Invalid", 422, False),
        ("KeyReused", 422, False),
        ("Unavailable", 503, True),
    ],
)
def test_a_leaf_says_its_status_and_whether_to_retry(name: str, status: int, retryable: bool) -> None:
    kind = getattr(errors, name)
    assert (kind.status, kind.retryable) == (status, retryable)


def test_an_extra_member_cannot_shadow_a_fixed_one() -> None:
    with pytest.raises(ValueError, match="status"):
        Invalid("no", status=200)


def test_a_slug_that_cannot_stand_in_a_url_is_refused_where_it_is_written() -> None:
    with pytest.raises(ValueError, match="slug"):
        type("Spaced", (Problem,), {"slug": "not a slug", "__doc__": "A wrong one."})


def test_a_missing_token_is_asked_for_and_a_wrong_one_is_named_wrong() -> None:
    assert Unauthenticated().headers == {"www-authenticate": "Bearer"}
    assert "invalid_token" in Unauthenticated("expired").headers["www-authenticate"]
