"""Settings of monitoring."""

from pydantic import Field

from kanava.common.settings import ServiceSettings


class MonitoringSettings(ServiceSettings):
    """What monitoring is told by `KANAVA_…` variables.

    Says: kanava.monitoring.production.v1, .snapshot.v1.
    Hears: kanava.registry.package.v1, .document.v1, .price.v1, .scheme.v1, .producer.v1, .unit.v1,
    .contract.v1, .order.v1, .sanction.v1; kanava.listing.resident.v1, .listing.v1, .voucher.v1;
    kanava.payments.run.v1, .statement.v1, .account.v1.
    """

    service: str = Field(
        default="monitoring", title="Service", description="Name of the service in logs and traces."
    )
    bus_deadline_seconds: float = Field(
        default=8.0,
        gt=0,
        title="Bus deadline",
        description="Longest time that a look at the bus may take, seconds.",
    )
    letters_per_topic: int = Field(
        default=500,
        ge=1,
        le=10_000,
        title="Letters",
        description="Most dead letters of a topic on one page, letters.",
    )
