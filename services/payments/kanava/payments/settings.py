"""Settings of payments."""

from pydantic import Field

from kanava.common.settings import ServiceSettings


class PaymentsSettings(ServiceSettings):
    """Settings of payments.

    Hears: kanava.registry.{package,document,price,scheme,producer,unit,contract,order,sanction}.v1,
    kanava.listing.{resident,listing,voucher}.v1, kanava.monitoring.{production,snapshot}.v1.
    Says: kanava.payments.{run,statement,account}.v1.
    """

    service: str = "payments"
    debtor_iban: str = Field(
        default="FI2112345600000785",
        title="Account that pays",
        description="IBAN of the areas' account at the operator's bank, the debtor of every pain.001 file.",
    )
    run_workers: int = Field(
        default=2,
        ge=1,
        le=16,
        title="Run workers",
        description="How many areas' months are closed side by side by one copy of the service.",
    )
