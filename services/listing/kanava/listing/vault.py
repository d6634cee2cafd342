"""The identity vault: HETU, names and address, sealed before they come near the database.

AES-256-GCM with the resident id as associated data, so that a sealed row cannot be laid under another
resident; found by the HMAC-SHA-256 of the HETU under a key of its own. Nothing here is ever logged.
"""

import base64
import hmac
import os
from dataclasses import dataclass, field
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

NONCE_BYTES = 12
KEY_BYTES = 32
INDEX_BYTES = 32


class VaultSealBroken(Exception):
    """A sealed identity does not open: wrong key, wrong resident, or changed bytes."""


def vault_key(encoded: str) -> bytes:
    """A key of 32 bytes from its base64 form; `ValueError` otherwise."""
    key = base64.b64decode(encoded, validate=True)
    if len(key) != KEY_BYTES:
        raise ValueError(f"a key of the vault has {KEY_BYTES} bytes")
    return key


@dataclass(frozen=True)
class Vault:
    """Seals and opens identities. `key_id` is stored beside each, so that keys can be changed later."""

    key: bytes = field(repr=False)
    index_key: bytes = field(repr=False)
    key_id: str
    _cipher: AESGCM = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_cipher", AESGCM(self.key))

    def index_of(self, hetu: str) -> bytes:
        """Under what a HETU is found: 32 bytes that say nothing without the index key."""
        return hmac.digest(self.index_key, hetu.encode(), "sha256")

    def seal(self, resident_id: UUID, identity: bytes) -> bytes:
        """Nonce and ciphertext of an identity (JSON)."""
        nonce = os.urandom(NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, identity, resident_id.bytes)

    def open(self, resident_id: UUID, sealed: bytes) -> bytes:
        """The identity (JSON) of a sealed row; `VaultSealBroken` when it is not this resident's."""
        try:
            return self._cipher.decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], resident_id.bytes)
        except InvalidTag as error:
            raise VaultSealBroken("a sealed identity does not open") from error
