"""The identity vault: HETU, names and address, sealed before they come near the database.

Sealed as `kanava.common.seal` does it, with the resident as owner; found by the HMAC-SHA-256 of the HETU under a
key of its own. Nothing here is ever logged.
"""

import hmac
from dataclasses import dataclass, field
from uuid import UUID

from kanava.common.seal import Seal, SealBroken, sealing_key

INDEX_BYTES = 32

VaultSealBroken = SealBroken
"""A sealed identity does not open: wrong key, wrong resident, or changed bytes."""


def vault_key(encoded: str) -> bytes:
    """A key of 32 bytes from its base64 form; `ValueError` otherwise."""
    return sealing_key(encoded)


@dataclass(frozen=True)
class Vault:
    """Seals and opens identities. `key_id` is stored beside each, so that keys can be changed later."""

    key: bytes = field(repr=False)
    index_key: bytes = field(repr=False)
    key_id: str
    _seal: Seal = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_seal", Seal(self.key, self.key_id))

    def index_of(self, hetu: str) -> bytes:
        """Under what a HETU is found: 32 bytes that say nothing without the index key."""
        return hmac.digest(self.index_key, hetu.encode(), "sha256")

    def seal(self, resident_id: UUID, identity: bytes) -> bytes:
        """Nonce and ciphertext of an identity (JSON)."""
        return self._seal.seal(resident_id, identity)

    def open(self, resident_id: UUID, sealed: bytes) -> bytes:
        """The identity (JSON) of a sealed row; `VaultSealBroken` when it is not this resident's."""
        return self._seal.open(resident_id, sealed)
