"""Settings of payments."""

from pydantic import Field

from kanava.common.seal import EncodedKey, Seal, sealing_key
from kanava.common.settings import PageSettings

_DEVELOPMENT_KEY = "ZGV2ZWxvcG1lbnQtb25seS1wYXllZS1rZXktMDAwMDE="


class PaymentsSettings(PageSettings):
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
    payee_key: EncodedKey = Field(
        default=_DEVELOPMENT_KEY,
        repr=False,
        title="Payee key",
        description="AES-256 key that seals whom residents' payments and returns go to: 32 bytes in base64.",
        json_schema_extra={"secret": True},
    )
    payee_key_id: str = Field(
        default="1",
        min_length=1,
        max_length=64,
        title="Payee key id",
        description="Stored beside what is sealed.",
    )

    def payee_seal(self) -> Seal:
        """What seals the accounts of residents and the recipients of returns."""
        return Seal(sealing_key(self.payee_key), self.payee_key_id)
