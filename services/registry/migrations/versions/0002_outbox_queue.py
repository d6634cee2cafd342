"""What is unsent stands in a queue of its own, so that the outbox is only ever added to."""

from kanava.common.migrate import queue_the_outbox

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the database forward; there is no way back but a backup."""
    queue_the_outbox()
