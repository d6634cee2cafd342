"""Sessions of browsers: the caller's token, sealed in a cookie that no script reads.

Nothing is stored on the server, so every copy of a service knows every session, and a session ends with its token.
"""

import base64
from collections.abc import Mapping
from uuid import UUID

from fastapi import Response

from .errors import TooLarge
from .seal import Seal, SealBroken

SESSION, SIGN_IN = UUID(int=1), UUID(int=2)
"""What a cookie is for is sealed with it, so that one cannot stand in for the other."""
COOKIE_LIMIT_CHARACTERS = 3_900
"""Browsers keep 4,096 bytes of a cookie, its name and attributes included."""


class Sessions:
    """Writes and reads the sealed cookies of one service.

    Browsers tell cookies apart by host and not by port, so the name of the service is part of theirs. Outside
    development they are `Secure` and bound to the host (`__Host-`).
    """

    def __init__(self, service: str, key: bytes, *, secure: bool) -> None:
        self._seal = Seal(key, "session")
        self._secure = secure
        prefix = "__Host-" if secure else ""
        self._names = {SESSION: f"{prefix}kanava-{service}", SIGN_IN: f"{prefix}kanava-{service}-sign-in"}

    def read(self, purpose: UUID, cookies: Mapping[str, str]) -> bytes | None:
        """What was kept; None where there is no cookie, or one that this service did not seal for the purpose."""
        value = cookies.get(self._names[purpose])
        if not value or len(value) > COOKIE_LIMIT_CHARACTERS:
            return None
        try:
            sealed = base64.b64decode(value + "=" * (-len(value) % 4), altchars=b"-_", validate=True)
            return self._seal.open(purpose, sealed)
        except (ValueError, SealBroken):
            return None

    def keep(self, response: Response, purpose: UUID, content: bytes, *, seconds: int | None = None) -> None:
        """Set the cookie, for so many seconds or as long as the browser runs; `TooLarge` for what it cannot hold."""
        value = base64.urlsafe_b64encode(self._seal.seal(purpose, content)).rstrip(b"=").decode()
        if len(value) > COOKIE_LIMIT_CHARACTERS:
            raise TooLarge("the token is larger than a session can hold", rule="session_limit")
        name, secure = self._names[purpose], self._secure
        response.set_cookie(name, value, max_age=seconds, path="/", secure=secure, httponly=True, samesite="lax")

    def end(self, response: Response, purpose: UUID) -> None:
        """Let the browser forget the cookie."""
        name, secure = self._names[purpose], self._secure
        response.delete_cookie(name, path="/", secure=secure, httponly=True, samesite="lax")
