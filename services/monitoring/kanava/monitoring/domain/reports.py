"""One reported service (suorite): its fields, what each may hold, and what may be kept of a rejected one."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Any, Final, NamedTuple, get_args
from uuid import UUID

from kanava.common.contracts.registry import UnitOfMeasure
from kanava.common.ids import holds_hetu

from .faults import Flaw, RowFault

QUANTITY_RANGE: Final = (0, 100)
WEIGHT_RANGE_TEN_THOUSANDTHS: Final = (1, 1_000_000)
CLIENT_FEE_RANGE_CENTS: Final = (0, 100_000)
KEPT_CHARACTERS: Final = 100

_REPORT_ID = re.compile(r"[A-Za-z0-9._:\-]{1,64}")
_OID = re.compile(r"[0-9.]{5,64}")
_NODE = re.compile(r"[A-Za-z0-9._\-]{1,40}")
_GROUP = re.compile(r"[A-Z0-9]{1,12}")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_INTEGER = re.compile(r"-?[0-9]{1,9}")
_PLAIN = (str, int)
_REMEMBERED: Final = 4_096
"""Values of most fields come again and again within a file, so reading them is remembered."""

_UNITS_OF_MEASURE = frozenset(get_args(UnitOfMeasure))
_WEIGHTED: Final = frozenset({"hoidettu_asiakas_drg", "hoidettu_asiakas_pdrg"})
"""Units of measure that are paid by the weight of the client's group."""


class Report(NamedTuple):
    """A reported service whose fields are well formed. Fees that the producer collected are in cents.

    A quantity of 0 withdraws (peruu) a report that was accepted: the service did not take place.
    A client that a grouper put into a DRG or pDRG group has the group's weight, 10000 for the weight 1.
    """

    report_id: str
    unit_id: str
    resident_id: UUID
    node: str
    unit_of_measure: str
    performed_on: date
    quantity: int
    client_fee_cents: int
    weight_ten_thousandths: int | None = None
    drg_group: str | None = None
    referral_id: str | None = None


OPTIONAL_FIELDS: Final = frozenset(Report._field_defaults)
"""Fields that a row, and the header of a CSV, may leave out."""

FIELDS: Final = tuple(name for name in Report._fields if name not in OPTIONAL_FIELDS)
"""Fields that every row has."""


@dataclass(frozen=True)
class Rejected:
    """A row that is rejected for its form: its number from 1, the flaw, and what may be kept of it."""

    row: int
    flaw: Flaw
    value: str | None
    kept: dict[str, Any] | None


class _Flawed(Exception):
    """A field that cannot be read, and why; it never leaves this module."""

    def __init__(self, fault: RowFault) -> None:
        self.fault = fault


def read_report(fields: Mapping[str, Any]) -> Report | Flaw:
    """The report of a row's fields, or its first flaw in the order of the fields.

    Numbers may come as integers (NDJSON) or as their digits (CSV); an amount in euros is a flaw.
    """
    if fields.keys() - _READERS.keys():
        return Flaw(None, RowFault.UNKNOWN_FIELD)
    values: list[Any] = []
    for name, read in _READERS.items():
        value = fields.get(name)
        if value is None or value == "":
            if name not in OPTIONAL_FIELDS:
                return Flaw(name, RowFault.MISSING)
            values.append(None)
            continue
        try:
            values.append(read(value if type(value) in _PLAIN else None))
        except _Flawed as flawed:
            return Flaw(name, flawed.fault)
    return _with_its_weight(Report(*values))


def _with_its_weight(report: Report) -> Report | Flaw:
    """The report, or the flaw that a grouped client has no weight or another service has one."""
    if report.unit_of_measure in _WEIGHTED and report.weight_ten_thousandths is None:
        return Flaw("weight_ten_thousandths", RowFault.MISSING)
    if report.unit_of_measure not in _WEIGHTED and report.weight_ten_thousandths is not None:
        return Flaw("weight_ten_thousandths", RowFault.NOT_WEIGHTED)
    return report


def kept_value(flaw: Flaw, fields: Mapping[str, Any]) -> str | None:
    """The value of the flawed field as it may be stored: never of the resident, never with a HETU in it."""
    if flaw.field is None or flaw.field == "resident_id" or fields.get(flaw.field) is None:
        return None
    return _without_hetu(str(fields[flaw.field]))


def kept_fields(fields: Mapping[str, Any]) -> dict[str, Any]:
    """A rejected row as it may be stored: the known fields alone, cut short, and no identity."""
    kept: dict[str, Any] = {}
    for name in Report._fields:
        value = fields.get(name)
        if value is None and name in OPTIONAL_FIELDS:
            continue
        if name == "resident_id":
            kept[name] = value if isinstance(value, str) and _UUID.fullmatch(value) else None
        elif value is None or type(value) is int:
            kept[name] = _without_hetu(str(value)) if value is not None and abs(value) > 10**9 else value
        else:
            kept[name] = _without_hetu(str(value))
    return kept


def _without_hetu(text: str) -> str | None:
    """A text cut short, or None where it holds a HETU; NUL, which no database takes, is dropped."""
    return None if holds_hetu(text) else text[:KEPT_CHARACTERS].replace("\x00", "")


def _pattern(pattern: re.Pattern[str], fault: RowFault) -> Callable[[Any], str]:
    @lru_cache(_REMEMBERED, typed=True)
    def read(value: Any) -> str:
        return _of_nobody(value, pattern, fault)

    return read


def _report_id(value: Any) -> str:
    return _of_nobody(value, _REPORT_ID, RowFault.NOT_AN_ID)


def _of_nobody(value: Any, pattern: re.Pattern[str], fault: RowFault) -> str:
    """A text of a pattern that names nobody: a code may have the letters and digits of a HETU."""
    if type(value) is not str or pattern.fullmatch(value) is None:
        raise _Flawed(fault)
    if holds_hetu(value):
        raise _Flawed(RowFault.PERSONAL_DATA)
    return value


def _resident_id(value: Any) -> UUID:
    if type(value) is not str or _UUID.fullmatch(value) is None:
        raise _Flawed(RowFault.NOT_A_RESIDENT_ID)
    return UUID(value)


@lru_cache(_REMEMBERED, typed=True)
def _unit_of_measure(value: Any) -> str:
    if type(value) is not str or value not in _UNITS_OF_MEASURE:
        raise _Flawed(RowFault.UNKNOWN_UNIT_OF_MEASURE)
    return value


@lru_cache(_REMEMBERED, typed=True)
def _day(value: Any) -> date:
    try:
        if type(value) is str and _DATE.fullmatch(value):
            return date.fromisoformat(value)
    except ValueError as error:
        raise _Flawed(RowFault.NOT_A_DATE) from error
    raise _Flawed(RowFault.NOT_A_DATE)


def _integer(lowest: int, highest: int) -> Callable[[Any], int]:
    @lru_cache(_REMEMBERED, typed=True)
    def read(value: Any) -> int:
        if type(value) is str and _INTEGER.fullmatch(value):
            value = int(value)
        if type(value) is not int:
            raise _Flawed(RowFault.NOT_AN_INTEGER)
        if not lowest <= value <= highest:
            raise _Flawed(RowFault.OUT_OF_RANGE)
        return value

    return read


_READERS: Final[dict[str, Callable[[Any], Any]]] = {
    "report_id": _report_id,
    "unit_id": _pattern(_OID, RowFault.NOT_A_UNIT_ID),
    "resident_id": _resident_id,
    "node": _pattern(_NODE, RowFault.NOT_A_NODE),
    "unit_of_measure": _unit_of_measure,
    "performed_on": _day,
    "quantity": _integer(*QUANTITY_RANGE),
    "client_fee_cents": _integer(*CLIENT_FEE_RANGE_CENTS),
    "weight_ten_thousandths": _integer(*WEIGHT_RANGE_TEN_THOUSANDTHS),
    "drg_group": _pattern(_GROUP, RowFault.NOT_A_GROUP),
    "referral_id": _report_id,
}
