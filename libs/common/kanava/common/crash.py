"""Named points at which a fault test lets this process die as by `kill -9`.

`KANAVA_CRASH_AT=relay_before_mark` kills the process the first time it comes there; outside tests the variable
is not set and a point costs one comparison.
"""

import os
import signal

_CRASH_AT = "KANAVA_CRASH_AT"


def crash_point(name: str) -> None:
    """Die here if this is the named point of the environment."""
    if os.environ.get(_CRASH_AT) == name:
        os.kill(os.getpid(), signal.SIGKILL)
