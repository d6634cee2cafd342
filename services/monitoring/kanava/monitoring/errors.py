"""What monitoring answers when a command cannot be done. The tree:

Problem
├── Malformed 400 ── FileNotWhole 400 (send the file again)
├── UnsupportedMedia 415 ── FileFormatUnknown 415
├── Invalid 422 ── FileUnreadable 422, SnapshotInvalid 422
├── NotFound 404 ── FileUnknown 404, LetterUnknown 404
├── Refused 409 ── RedriveRefused 409 (names the letters), SnapshotRefused 409
└── Unavailable 503 ── BusUnavailable 503 (retry)
"""

from collections.abc import Iterable
from uuid import UUID

from kanava.common.errors import Invalid, Malformed, NotFound, Problem, Refused, Unavailable, UnsupportedMedia

from .domain.faults import FileFault
from .domain.letters import RedriveRefusal


class FileNotWhole(Malformed):
    """The file did not come whole: its digest is missing or differs, or it was cut. Nothing was stored."""

    slug, title = "file-not-whole", "The file did not come whole"


class FileUnreadable(Invalid):
    """The file came whole and is no file of reported services: its header, text or quoting is wrong."""

    slug, title = "file-unreadable", "The file cannot be read"


class FileFormatUnknown(UnsupportedMedia):
    """Reported services are sent as text/csv with a header or as application/x-ndjson."""

    slug, title = "file-format-unknown", "The format of the file is not known"


class FileUnknown(NotFound):
    """No production file has this id."""

    slug, title = "file-unknown", "There is no such production file"


class LetterUnknown(NotFound):
    """No dead letter that is kept has this id; `letter_ids` names those that were not found."""

    slug, title = "letter-unknown", "There is no such dead letter"


class RedriveRefused(Refused):
    """A letter may not be driven again; `reason` says why and `letter_ids` names the letters."""

    slug, title = "redrive-refused", "The letters may not be driven again"

    def __init__(self, reason: RedriveRefusal, letter_ids: Iterable[UUID]) -> None:
        super().__init__(reason, pointer="/letter_ids", letter_ids=sorted(map(str, letter_ids)))


class SnapshotInvalid(Invalid):
    """The snapshot breaks rules; `errors` names each by pointer and rule. Nothing was stored."""

    slug, title = "snapshot-invalid", "The snapshot breaks a rule"


class SnapshotRefused(Refused):
    """The indicator may not be frozen like this; `reason` says why."""

    slug, title = "snapshot-refused", "The indicator is not frozen"


class BusUnavailable(Unavailable):
    """The brokers did not answer in time."""

    slug, title = "bus-unavailable", "The bus did not answer in time"


_NOT_WHOLE = frozenset({FileFault.DIGEST_MISSING, FileFault.DIGEST_DIFFERS, FileFault.CUT, FileFault.EMPTY})


def file_problem(fault: FileFault) -> Problem:
    """The problem of a file that is refused whole, naming the field and the rule."""
    if fault is FileFault.CONTENT_TYPE:
        return FileFormatUnknown(fault.sentence, rule=fault.value)
    kind = FileNotWhole if fault in _NOT_WHOLE else FileUnreadable
    pointer = "/0" if fault is FileFault.HEADER else None
    return kind(fault.sentence, rule=fault.value, pointer=pointer)
