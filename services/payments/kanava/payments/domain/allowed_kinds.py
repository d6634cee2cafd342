"""Which kinds of compensation a model (korvausmalli) does not pay to contracts of a class.

Source: the model for steering producers, line 214, and settled question 4: the class of a contract says how it may be
paid, and a compensation model may allow less.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import get_args

from kanava.common.contracts.registry import CompensationKind, CompensationTerms, ContractClass

KINDS: tuple[CompensationKind, ...] = get_args(CompensationKind)
Refused = frozenset[tuple[str, str]]
"""Pairs of class and kind that a model does not pay."""


@dataclass(frozen=True)
class Model:
    """A compensation model in force in a municipality, and what it does not pay."""

    document_id: str
    refused: Refused


def refused_by(terms: CompensationTerms) -> Refused:
    """What a model does not pay; a class that it does not name is paid all that the class allows."""
    named: dict[ContractClass, tuple[CompensationKind, ...]] = {
        allowed.contract_class: allowed.kinds for allowed in terms.allowed_kinds
    }
    return frozenset((name, kind) for name, kinds in named.items() for kind in KINDS if kind not in kinds)


def refusing(models: Mapping[str, Model], places: Collection[str], contract_class: str, kind: str) -> tuple[str, ...]:
    """The models that refuse a kind to a contract, in order; empty where it is paid.

    `models` are those in force, by municipality, and `places` the municipalities in which the producer has units. A
    contract is of an area, so it is paid where any of the models in its places pays it, and where there is none; a
    producer without a unit in one of them is judged by all.
    """
    asked = [models[place] for place in places if place in models] or list(models.values())
    if not asked or any((contract_class, kind) not in model.refused for model in asked):
        return ()
    return tuple(sorted({model.document_id for model in asked}))
