"""A month of an area as a run sees it, and the schemes that pay in it."""

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from kanava.common.clock import add_months


@dataclass(frozen=True)
class Month:
    """A month of an area as a run sees it; `previous_cut_off` is None for the first run of the area."""

    run_id: UUID
    area: str
    first: date
    cut_off: datetime
    previous_cut_off: datetime | None

    @property
    def since(self) -> str:
        """From when on what became known is new to the run."""
        return self.previous_cut_off.isoformat() if self.previous_cut_off else "-infinity"

    @property
    def end(self) -> date:
        """The first day after the month."""
        return add_months(self.first, 1)


SCHEMES = """
SELECT newest.municipality, m.terms, m.document_id, (
    SELECT min(p.entered_on) FROM scheme_phase p
    WHERE p.scheme_id = newest.scheme_id AND p.phase >= 5 AND p.recorded_at < %(cut_off)s) AS pays_from
FROM (SELECT DISTINCT ON (municipality) municipality, scheme_id, phase, compensation_model FROM scheme_phase
      WHERE area = %(area)s AND recorded_at < %(cut_off)s AND entered_on < %(end)s
      ORDER BY municipality, version DESC) newest
JOIN model m ON m.document_id = newest.compensation_model AND m.recorded_at < %(cut_off)s
WHERE newest.phase >= 5
"""
