"""Tokens of a test issuer for each role."""

import time
from typing import Any

from joserfc import jwt
from joserfc.jwk import ECKey

from kanava.common.auth import TokenVerifier
from tests.monitoring.world import AREA, PRIVATE

ISSUER, AUDIENCE = "https://issuer.test", "kanava"
_KEY = ECKey.generate_key("P-256", {"kid": "test"})
_CLAIMS: dict[str, dict[str, Any]] = {
    "producer": {"producers": [PRIVATE]},
    "organiser": {"area": AREA},
    "municipality": {"area": AREA, "municipality": "049"},
    "operator": {},
    "authority": {},
    "adviser": {"area": AREA},
    "resident": {"resident": "6f9619ff-8b86-4011-b42d-00c04fc964ff"},
}


async def _keys() -> Any:
    return {"keys": [_KEY.as_dict(private=False)]}


def verifier() -> TokenVerifier:
    """A verifier that knows the test issuer's key."""
    return TokenVerifier(ISSUER, "", AUDIENCE, fetch=_keys)


def bearer(role: str, **claims: Any) -> dict[str, str]:
    """The authorization header of a caller in this role."""
    now = int(time.time())
    fixed = {"iss": ISSUER, "aud": AUDIENCE, "sub": f"{role}-1", "iat": now, "nbf": now, "exp": now + 300}
    token = jwt.encode({"alg": "ES256", "kid": "test"}, fixed | {"role": role} | _CLAIMS[role] | claims, _KEY)
    return {"authorization": f"Bearer {token}"}
