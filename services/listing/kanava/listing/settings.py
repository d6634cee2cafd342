"""Settings of listing."""

from pydantic import Field

from kanava.common.seal import EncodedKey
from kanava.common.settings import ServiceSettings

from .vault import Vault, vault_key

_DEVELOPMENT_KEY = "ZGV2ZWxvcG1lbnQtb25seS12YXVsdC1rZXktMDAwMDE="
_DEVELOPMENT_INDEX_KEY = "ZGV2ZWxvcG1lbnQtb25seS1pbmRleC1rZXktMDAwMDE="


class ListingSettings(ServiceSettings):
    """Settings of listing.

    Says: kanava.listing.resident.v1, kanava.listing.listing.v1, kanava.listing.voucher.v1.
    Hears: kanava.registry.{package,document,scheme,producer,unit}.v1.
    """

    service: str = Field(default="listing", title="Service", description="Name of the service.")
    vault_key: EncodedKey = Field(
        default=_DEVELOPMENT_KEY,
        repr=False,
        title="Vault key",
        description="AES-256 key of the identity vault: 32 bytes in base64.",
        json_schema_extra={"secret": True},
    )
    vault_index_key: EncodedKey = Field(
        default=_DEVELOPMENT_INDEX_KEY,
        repr=False,
        title="Vault index key",
        description="HMAC key under which a HETU is found: 32 bytes in base64.",
        json_schema_extra={"secret": True},
    )
    vault_key_id: str = Field(
        default="1",
        min_length=1,
        max_length=64,
        title="Vault key id",
        description="Stored beside what is sealed.",
    )

    def vault(self) -> Vault:
        """The identity vault with these keys."""
        return Vault(vault_key(self.vault_key), vault_key(self.vault_index_key), self.vault_key_id)
