"""What monitoring can be told to do: imperative, frozen."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from kanava.common.deadletter import DeadLetter

from .domain.files import Reading
from .domain.snapshots import Frozen


@dataclass(frozen=True)
class ReceiveFile:
    """Take in a producer's production file that came whole and was read.

    `corrects` says that a known report id with other content corrects what was accepted before; with a quantity of 0
    it withdraws that.
    """

    file_id: UUID
    producer_id: str
    sent_by: str
    format: str
    digest: bytes
    reading: Reading
    corrects: bool


@dataclass(frozen=True)
class DriveAgain:
    """Publish the originals of dead letters once more for the readers that buried them.

    Letters that were driven before are refused, unless they are driven by `force` or passed over by `skip_driven`.
    """

    letters: Sequence[DeadLetter]
    reason: str
    driven_by: str
    force: bool
    skip_driven: bool = False


@dataclass(frozen=True)
class FreezeIndicator:
    """Freeze an indicator (jäädyttää mittari) of one subject for a period."""

    frozen: Frozen
    frozen_by: str
