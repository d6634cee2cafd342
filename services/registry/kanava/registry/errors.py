"""The registry's problems.

    NotFound 404 ── DocumentUnknown, PackageUnknown, SchemeUnknown, ProducerUnknown, UnitUnknown,
                   ContractUnknown, OrderUnknown, SanctionUnknown
    Forbidden 403 ── OwnApplication, OwnContract, OwnSanction, StandingOfItself
    Refused 409 ── SchemeRefused, ProducerRefused, UnitRefused, OrderRefused, SanctionRefused: `reason` says which
    Invalid 422 ── InputRefused: `errors` names each field and its rule

None of them is worth trying again unchanged.
"""

from collections.abc import Sequence
from dataclasses import asdict

from kanava.common.errors import Forbidden, Invalid, NotFound, Refused

from .domain.violations import Violation


class DocumentUnknown(NotFound):
    """No rule book, compensation model or service description has this id."""

    slug, title = "document-unknown", "There is no such document"


class PackageUnknown(NotFound):
    """No version of a service package has this id; an id looks like `PVO:1`."""

    slug, title = "package-unknown", "There is no such package"


class SchemeUnknown(NotFound):
    """No scheme, or no comment on it, has this id."""

    slug, title = "scheme-unknown", "There is no such scheme"


class ProducerUnknown(NotFound):
    """No producer with this OID has applied."""

    slug, title = "producer-unknown", "There is no such producer"


class UnitUnknown(NotFound):
    """No unit has this OID."""

    slug, title = "unit-unknown", "There is no such unit"


class ContractUnknown(NotFound):
    """No contract has this id; an id is the producer's and a number, as `1.2.246.10.12345671.10.0:1`."""

    slug, title = "contract-unknown", "There is no such contract"


class OrderUnknown(NotFound):
    """No annual order and no budget has this id; an id looks like `03:budget:2027`."""

    slug, title = "order-unknown", "There is no such order or budget"


class SanctionUnknown(NotFound):
    """No sanction has this id."""

    slug, title = "sanction-unknown", "There is no such sanction"


class OwnApplication(Forbidden):
    """The caller's token also acts for the producer; nobody decides on their own application."""

    slug, title = "own-application", "Nobody decides on their own application"


class OwnContract(Forbidden):
    """The caller's token also acts for the producer; nobody signs both sides of a contract."""

    slug, title = "own-contract", "Nobody signs both sides of a contract"


class StandingOfItself(Forbidden):
    """The caller's token also acts for the producer; nobody decides on their own standing."""

    slug, title = "own-standing", "Nobody decides on their own standing"


class OwnSanction(Forbidden):
    """The caller's token also acts for the producer; nobody decides on their own sanction."""

    slug, title = "own-sanction", "Nobody decides on their own sanction"


class SchemeRefused(Refused):
    """A gate or an order of the six phases refused the command."""

    slug, title = "scheme-refused", "The scheme does not take this now"


class ProducerRefused(Refused):
    """A rule of approval refused the command; `missing` names checklist items where that is the reason."""

    slug, title = "producer-refused", "The producer's standing does not allow this"


class UnitRefused(Refused):
    """The unit's state refused the command."""

    slug, title = "unit-refused", "The unit's state does not allow this"


class OrderRefused(Refused):
    """The order's or the budget's state refused the command."""

    slug, title = "order-refused", "The order's state does not allow this"


class SanctionRefused(Refused):
    """The ladder or the sanction's standing refused the command."""

    slug, title = "sanction-refused", "The ladder does not allow this"


class InputRefused(Invalid):
    """The input breaks one rule of the field or more; nothing of it was stored."""

    slug, title = "input-refused", "The input breaks a rule"


def require(broken: Sequence[Violation]) -> None:
    """Refuse an input that breaks a rule, naming every field and rule; the first one stands in front."""
    if broken:
        first = broken[0]
        errors = [{"in": "body", **asdict(one)} for one in broken]
        raise InputRefused(first.detail, pointer=first.pointer, rule=first.rule, errors=errors)
