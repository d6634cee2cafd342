"""Kinds that models do not pay: a class that is not named is not limited, and one model that pays is enough."""

from hypothesis import given
from hypothesis import strategies as st

from kanava.common.contracts.registry import AllowedKinds
from kanava.payments.domain.allowed_kinds import KINDS, Model, refused_by, refusing
from tests.support import facts as told

CLASSES = ("basic", "cooperation", "partnership")
ALLOWED = st.dictionaries(st.sampled_from(CLASSES), st.sets(st.sampled_from(KINDS)))


@given(ALLOWED)
def test_a_model_refuses_what_it_does_not_name_of_the_classes_that_it_names(allowed: dict[str, set[str]]) -> None:
    rows = tuple(
        AllowedKinds.model_validate({"contract_class": name, "kinds": kinds}) for name, kinds in allowed.items()
    )
    refused = refused_by(told.terms().model_copy(update={"allowed_kinds": rows}))
    for name in CLASSES:
        for kind in KINDS:
            assert ((name, kind) in refused) == (name in allowed and kind not in allowed[name])


FREE, LIMITED = Model("free", frozenset()), Model("limited", frozenset({("basic", "fee")}))


def test_a_contract_is_paid_where_any_model_in_its_places_pays_it() -> None:
    models = {"049": LIMITED, "091": FREE}
    assert refusing(models, {"049"}, "basic", "fee") == ("limited",)
    assert refusing(models, {"049"}, "basic", "capitation") == ()
    assert refusing(models, {"049"}, "partnership", "fee") == ()
    assert refusing(models, {"049", "091"}, "basic", "fee") == ()
    assert refusing(models, set(), "basic", "fee") == (), "all models judge a contract without a place"
    assert refusing({"049": LIMITED}, {"235"}, "basic", "fee") == ("limited",)
    assert refusing({}, {"049"}, "basic", "fee") == (), "without a model there is no limit"
