"""What listing hears: one function for each incoming topic."""

from collections.abc import Mapping
from functools import partial

from kanava.common.clock import Clock
from kanava.common.contracts import TOPIC_OF, registry
from kanava.common.inbox import Apply

from .service import registry_facts
from .vault import Vault


def subscriptions(vault: Vault, clock: Clock) -> Mapping[str, Apply]:
    """Topic to function. The vault is needed where residents fall to the own unit of their postal code.

    What these change is recorded by this service's own clock, which is what a run's cut-off looks at.
    """
    return {
        TOPIC_OF[registry.Package].name: registry_facts.hear_packages,
        TOPIC_OF[registry.Document].name: registry_facts.hear_documents,
        TOPIC_OF[registry.Scheme].name: registry_facts.hear_schemes,
        TOPIC_OF[registry.Producer].name: partial(registry_facts.hear_producers, vault=vault, clock=clock),
        TOPIC_OF[registry.Unit].name: partial(registry_facts.hear_units, vault=vault, clock=clock),
    }
