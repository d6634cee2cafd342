"""What the registry hears from the bus: nothing yet."""

from kanava.common.inbox import Apply

SUBSCRIPTIONS: dict[str, Apply] = {}
"""The apply function of each topic that is consumed."""
