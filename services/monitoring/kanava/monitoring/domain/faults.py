"""Why a reported row is rejected (hylätty rivi), or a whole file: enums that explain themselves."""

from dataclasses import dataclass

from kanava.common.errors import RefusalReason


class RowFault(RefusalReason):
    """Why one reported row was rejected. The other rows of its file are not touched by it."""

    UNREADABLE = "unreadable", "The row is no JSON object or has another number of columns than the header."
    UNKNOWN_FIELD = "unknown_field", "The row has a field that a reported service does not have."
    MISSING = "missing", "The field is missing or empty."
    NOT_AN_ID = "not_an_id", "A report id is 1 to 64 letters, digits and the signs . _ : - without spaces."
    PERSONAL_DATA = "personal_data", "The field holds a personal identity code, which may not be sent here."
    NOT_A_RESIDENT_ID = "not_a_resident_id", "A resident is named by the pseudonymous id, a UUID."
    NOT_A_UNIT_ID = "not_a_unit_id", "A unit is named by its OID in the SOTE organisation register."
    NOT_A_NODE = "not_a_node", "A package node is named by its code, as in SOS.1.1."
    UNKNOWN_UNIT_OF_MEASURE = (
        "unknown_unit_of_measure",
        "The unit of measure is none of those that packages use.",
    )
    NOT_A_DATE = "not_a_date", "A day is written as in 2026-11-23."
    NOT_AN_INTEGER = "not_an_integer", "The field is a whole number; an amount is in cents, never in euros."
    OUT_OF_RANGE = (
        "out_of_range",
        "A quantity is 0 to 100, a client fee 0 to 100,000 cents, a weight 1 to 1,000,000 ten-thousandths.",
    )
    NOT_A_GROUP = "not_a_group", "A DRG or pDRG group is 1 to 12 capital letters and digits."
    NOT_WEIGHTED = "not_weighted", "Only a client grouped by DRG or pDRG has a weight."
    NOTHING_TO_WITHDRAW = (
        "nothing_to_withdraw",
        "A quantity of 0 withdraws an accepted report, in a file that corrects; none is known by this report id.",
    )
    UNKNOWN_UNIT = "unknown_unit", "No unit with this id is known."
    FOREIGN_UNIT = "foreign_unit", "The unit belongs to another producer."
    UNIT_NOT_OPEN = "unit_not_open", "The unit was not open on the day."
    UNKNOWN_RESIDENT = "unknown_resident", "No resident with this id is known."
    RESIDENT_NOT_ALIVE = "resident_not_alive", "The resident was not born yet or no longer there on the day."
    UNKNOWN_NODE = "unknown_node", "No published package that is in force on the day has this node."
    NODE_TAKES_ANOTHER_UNIT = "node_takes_another_unit", "The node is not measured in this unit of measure."
    IN_THE_FUTURE = "in_the_future", "The day has not come yet."
    BEFORE_PRODUCTION = "before_production", "The municipality's scheme had not reached phase 5 on the day."
    REPORT_ID_REUSED = "report_id_reused", "The report id stands for a service with other content already."


FAULT_FIELD: dict[RowFault, str] = {
    RowFault.NOTHING_TO_WITHDRAW: "quantity",
    RowFault.UNKNOWN_UNIT: "unit_id",
    RowFault.FOREIGN_UNIT: "unit_id",
    RowFault.UNIT_NOT_OPEN: "unit_id",
    RowFault.UNKNOWN_RESIDENT: "resident_id",
    RowFault.RESIDENT_NOT_ALIVE: "resident_id",
    RowFault.UNKNOWN_NODE: "node",
    RowFault.NODE_TAKES_ANOTHER_UNIT: "unit_of_measure",
    RowFault.IN_THE_FUTURE: "performed_on",
    RowFault.BEFORE_PRODUCTION: "performed_on",
    RowFault.REPORT_ID_REUSED: "report_id",
}
"""Faults that only the read models can show, in the order in which they are looked for, and their fields."""


class FileFault(RefusalReason):
    """Why a whole file was refused and nothing of it stored."""

    DIGEST_MISSING = (
        "digest_missing",
        "The header Content-Digest with a sha-256 of the body is required (RFC 9530).",
    )
    DIGEST_DIFFERS = (
        "digest_differs",
        "The body is not the one whose sha-256 the header Content-Digest names.",
    )
    CUT = "cut", "The last line does not end with a newline, so the file was cut on its way."
    EMPTY = "empty", "The file has no rows."
    TOO_MANY_ROWS = "too_many_rows", "The file has more than 300,000 lines; send it as several files."
    NOT_UTF8 = "not_utf8", "The file is not text in UTF-8."
    HEADER = "header", "The first line must name every column of a reported service once and no other."
    NOT_CSV = "not_csv", "The file breaks the quoting of CSV (RFC 4180)."
    CONTENT_TYPE = "content_type", "The Content-Type must be text/csv or application/x-ndjson."


@dataclass(frozen=True)
class Flaw:
    """What is wrong with a row: the field, if it is one, and the fault."""

    field: str | None
    fault: RowFault


class FileRefused(Exception):
    """A file that is refused whole, with its fault."""

    def __init__(self, fault: FileFault) -> None:
        super().__init__(fault.sentence)
        self.fault = fault
