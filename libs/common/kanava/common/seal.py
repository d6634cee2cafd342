"""Sealing what the database must not be able to read: identities, and the accounts of residents.

AES-256-GCM with the id of the owner as associated data, so that sealed bytes cannot be laid under another owner.
A service seals with a key of its own, which no other service knows. Nothing here is ever logged.
"""

import base64
import os
from dataclasses import dataclass, field
from typing import Annotated
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from pydantic import AfterValidator

NONCE_BYTES = 12
KEY_BYTES = 32


class SealBroken(Exception):
    """Sealed bytes do not open: wrong key, wrong owner, or changed bytes."""


def sealing_key(encoded: str) -> bytes:
    """A key of 32 bytes from its base64 form; `ValueError` otherwise."""
    key = base64.b64decode(encoded, validate=True)
    if len(key) != KEY_BYTES:
        raise ValueError(f"a key that seals has {KEY_BYTES} bytes")
    return key


def _checked(encoded: str) -> str:
    sealing_key(encoded)
    return encoded


EncodedKey = Annotated[str, AfterValidator(_checked)]
"""A setting that is a key in its base64 form."""


@dataclass(frozen=True)
class Seal:
    """Seals and opens what belongs to an owner. `key_id` is stored beside each, so that keys can be changed later."""

    key: bytes = field(repr=False)
    key_id: str
    _cipher: AESGCM = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_cipher", AESGCM(self.key))

    def seal(self, owner: UUID, content: bytes) -> bytes:
        """Nonce and ciphertext of a content."""
        nonce = os.urandom(NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, content, owner.bytes)

    def open(self, owner: UUID, sealed: bytes) -> bytes:
        """The content of sealed bytes; `SealBroken` when they are not this owner's."""
        try:
            return self._cipher.decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], owner.bytes)
        except InvalidTag as error:
            raise SealBroken("sealed bytes do not open") from error
