"""Settings of the registry."""

from pydantic import Field

from kanava.common.settings import ServiceSettings


class RegistrySettings(ServiceSettings):
    """What the registry is told by its environment.

    Says: kanava.registry.package.v1, document.v1, price.v1, scheme.v1, producer.v1, unit.v1, contract.v1,
    order.v1, sanction.v1.
    Hears: nothing.
    """

    service: str = Field(default="registry", title="Service", description="Name of this service.")
