"""ISO 20022 on the way back from the bank: pain.002, camt.053 and camt.054, read as files from outside.

Entities, document types and the network are off; a file is refused whole, with the rule that it broke and a
pointer to the element. Versions of a message differ in what is not read here, so the namespace is free.
"""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from io import BytesIO
from typing import Any

from lxml import etree

from kanava.common.ids import valid_iban
from kanava.common.money import cents_of

from .domain.banking import Direction, Outcome
from .errors import BadBankMessage


@dataclass(frozen=True)
class FileLimits:
    """How much of a bank's file is read: bytes, entries, details of entries, and reports or blocks of payments."""

    size_bytes: int
    entries: int
    details: int
    reports: int


LIMITS = FileLimits(size_bytes=16_000_000, entries=20_000, details=50_000, reports=2_000)

_AMOUNT = re.compile(r"\d{1,13}(\.\d{1,5})?")
_DIRECTIONS: dict[str, Direction] = {"CRDT": "credit", "DBIT": "debit"}


@dataclass(frozen=True)
class Detail:
    """One transaction of an entry; `part` names it within the entry, whichever report tells of it."""

    part: str
    end_to_end_id: str | None
    outcome: Outcome
    amount_cents: int
    reason: str | None = None
    sender_iban: str | None = None
    remittance: str = ""


@dataclass(frozen=True)
class Booking:
    """An entry that the bank booked on the account; its reference is the bank's own, the same in every report.

    `batch` is the id of our file where the bank booked it as one sum; `details` may be empty or told in part.
    """

    reference: str
    direction: Direction
    amount_cents: int
    booked_on: date
    batch: str | None
    details: tuple[Detail, ...]
    pointer: str


@dataclass(frozen=True)
class Report:
    """A numbered statement (camt.053) or notification (camt.054) of one account."""

    kind: str
    iban: str
    year: int
    number: int | None
    page: int
    is_last_page: bool
    opening_cents: int | None
    closing_cents: int | None
    closes_on: date
    bookings: tuple[Booking, ...]
    pointer: str


@dataclass(frozen=True)
class Status:
    """What a pain.002 says of one payment, or of a whole file of ours where it names none."""

    original_message_id: str
    end_to_end_id: str | None
    status: str
    amount_cents: int | None
    reason: str | None


@dataclass(frozen=True)
class BankMessage:
    """A file of the bank: its id, its kind, and what it says."""

    message_id: str
    kind: str
    reports: tuple[Report, ...] = ()
    statuses: tuple[Status, ...] = ()


def read_bank_message(content: bytes) -> BankMessage:
    """Read a file of the bank; `BadBankMessage` with rule and pointer when it is not what it should be."""
    root = _parsed(content)
    for name, kind in _KINDS.items():
        if (body := root.find(f"{{*}}{name}")) is not None and root.tag.endswith("}Document"):
            message_id = _text(body, "GrpHdr/MsgId")
            if kind == "pain.002":
                return BankMessage(message_id, kind, statuses=tuple(_statuses(body)))
            return BankMessage(message_id, kind, reports=_reports(body, kind))
    raise BadBankMessage("The file is no pain.002, camt.053 or camt.054.", rule="known_message", pointer="/")


_KINDS = {"CstmrPmtStsRpt": "pain.002", "BkToCstmrDbtCdtNtfctn": "camt.054", "BkToCstmrStmt": "camt.053"}
_PARTS = {"camt.053": "Stmt", "camt.054": "Ntfctn"}


_SAFELY: dict[str, Any] = {
    "resolve_entities": False,
    "no_network": True,
    "load_dtd": False,
    "huge_tree": False,
    "remove_comments": True,
    "remove_pis": True,
}


def _parsed(content: bytes) -> etree._Element:
    if len(content) > LIMITS.size_bytes:
        raise BadBankMessage(f"The file is larger than {LIMITS.size_bytes} bytes.", rule="file_size", pointer="/")
    try:
        _check_counts(content)
        root = etree.fromstring(content, etree.XMLParser(**_SAFELY))
    except (etree.XMLSyntaxError, ValueError) as error:
        # Entities that grow without end are no XML for the parser; what is wrong with them is that they are declared.
        if b"<!DOCTYPE" in content:
            raise _doctype() from error
        raise BadBankMessage(
            "The file is not well-formed XML; it may have been cut.", rule="well_formed", pointer="/"
        ) from error
    if root.getroottree().docinfo.internalDTD is not None:
        raise _doctype()
    return root


def _doctype() -> BadBankMessage:
    detail = "The file declares a document type; entities are not read."
    return BadBankMessage(detail, rule="no_doctype", pointer="/")


def _check_counts(content: bytes) -> None:
    """Refuse a file of too many elements before it is held as a tree, which takes ten times its size."""
    most = {"Ntry": LIMITS.entries, "TxDtls": LIMITS.details, "TxInfAndSts": LIMITS.details}
    most |= dict.fromkeys(("Stmt", "Ntfctn", "OrgnlPmtInfAndSts"), LIMITS.reports)
    seen: Counter[str] = Counter()
    tags = [f"{{*}}{name}" for name in most]
    for _, element in etree.iterparse(BytesIO(content), events=("end",), tag=tags, **_SAFELY):
        name = etree.QName(element).localname
        seen[name] += 1
        if seen[name] > most[name]:
            detail = f"The file has more than {most[name]} elements {name}."
            raise BadBankMessage(detail, rule="file_size", pointer="/")
        element.clear()


# pain.002


def _statuses(body: etree._Element) -> Iterator[Status]:
    """What is said of payments; a rejected file or block without transactions stands for all of its payments."""
    group = _one(body, "OrgnlGrpInfAndSts")
    original = _text(group, "OrgnlMsgId")
    told = False
    for block in body.iterfind("{*}OrgnlPmtInfAndSts"):
        transactions = block.findall("{*}TxInfAndSts")
        if not transactions and (status := _optional(block, "PmtInfSts")):
            told = True
            yield Status(original, None, status, None, _code(block, "StsRsnInf"))
        for one in transactions:
            told = True
            yield _status(original, one)
    if not told and (status := _optional(group, "GrpSts")):
        yield Status(original, None, status, None, _code(group, "StsRsnInf"))


def _status(original: str, one: etree._Element) -> Status:
    amount = _find(one, "OrgnlTxRef/Amt/InstdAmt")
    return Status(
        original_message_id=original,
        end_to_end_id=_text(one, "OrgnlEndToEndId"),
        status=_text(one, "TxSts"),
        amount_cents=None if amount is None else _cents(amount),
        reason=_code(one, "StsRsnInf"),
    )


# camt.053 and camt.054


def _reports(body: etree._Element, kind: str) -> tuple[Report, ...]:
    created = _date(_one(body, "GrpHdr/CreDtTm"))
    found = tuple(_report(one, kind, created) for one in body.iterfind(f"{{*}}{_PARTS[kind]}"))
    if not found:
        raise _broken(body, "element_present", f"The element {_PARTS[kind]} is missing.")
    return found


def _report(element: etree._Element, kind: str, created: date) -> Report:
    account = _one(element, "Acct/Id/IBAN")
    currency = _find(element, "Acct/Ccy")
    if currency is not None and (currency.text or "").strip() != "EUR":
        raise _broken(currency, "currency", "The account is not in euros.")
    place = _pointer(element)
    bookings = tuple(
        _booking(entry, f"{place}/Ntry[{number}]")
        for number, entry in enumerate(element.iterfind("{*}Ntry"), start=1)
        if _is_booked(entry)
    )
    opening, closing = _balance(element, ("OPBD", "PRCD", "ITBD")), _balance(element, ("CLBD", "ITBD"), last=True)
    made_on = _find(element, "CreDtTm")
    closes_on = closing[1] if closing else created if made_on is None else _date(made_on)
    report = Report(
        kind=kind,
        iban=_iban(account),
        year=closes_on.year,
        number=_number(element, required=kind == "camt.053"),
        page=_page(element),
        is_last_page=_is_last_page(element),
        opening_cents=opening[0] if opening else None,
        closing_cents=closing[0] if closing else None,
        closes_on=closes_on,
        bookings=bookings,
        pointer=place,
    )
    if kind == "camt.053":
        _check_balances(report, element)
    return report


def _check_balances(report: Report, element: etree._Element) -> None:
    """Opening balance and booked entries give the closing balance, or the file is not whole."""
    if report.opening_cents is None or report.closing_cents is None:
        raise _broken(element, "element_present", "The opening or the closing balance (OPBD, CLBD) is missing.")
    moved = sum(one.amount_cents if one.direction == "credit" else -one.amount_cents for one in report.bookings)
    if report.opening_cents + moved != report.closing_cents:
        raise _broken(element, "balances", "The opening balance and the entries do not give the closing balance.")


def _is_booked(entry: etree._Element) -> bool:
    """Whether an entry moved money: booked, and not of zero. Version 2 has the status as text."""
    status = _find(entry, "Sts/Cd")
    text = _text(entry, "Sts") if status is None else (status.text or "").strip()
    return text == "BOOK" and _cents(_one(entry, "Amt")) > 0


def _booking(entry: etree._Element, pointer: str) -> Booking:
    direction, total_cents = _direction(_one(entry, "CdtDbtInd")), _cents(_one(entry, "Amt"))
    reversal = (_optional(entry, "RvslInd") or "").lower() in ("true", "1")
    transactions = entry.findall("{*}NtryDtls/{*}TxDtls")
    details: list[Detail] = []
    named: Counter[str] = Counter()
    for number, one in enumerate(transactions, start=1):
        detail = _detail(one, direction, alone_cents=total_cents if len(transactions) == 1 else None, reversal=reversal)
        name = detail.end_to_end_id or _optional(one, "Refs/AcctSvcrRef") or f"#{number}"
        again = named[name]
        named[name] += 1
        details.append(Detail(**{**vars(detail), "part": f"{name}#+{again}" if again else name}))
    if sum(one.amount_cents for one in details) > total_cents:
        raise _broken(entry, "entry_sum", "The details of an entry are more than its sum.")
    batch = _optional(entry, "NtryDtls/Btch/PmtInfId") or _optional(entry, "NtryDtls/Btch/MsgId")
    return Booking(
        reference=_text(entry, "AcctSvcrRef"),
        direction=direction,
        amount_cents=total_cents,
        booked_on=_day_of(entry, "BookgDt"),
        batch=batch,
        details=tuple(details),
        pointer=pointer,
    )


def _detail(one: etree._Element, direction: Direction, *, alone_cents: int | None, reversal: bool) -> Detail:
    own = _find(one, "CdtDbtInd")
    if own is not None and _direction(own) != direction:
        raise _broken(own, "direction", "A transaction goes the other way than its entry.")
    amount = _find(one, "Amt")
    if amount is None:
        amount = _find(one, "AmtDtls/TxAmt/Amt")
    if amount is None and alone_cents is None:
        raise _broken(one, "element_present", "A transaction among others has no amount.")
    cents = alone_cents if amount is None else _cents(amount)
    if not cents:
        raise _broken(one, "amount", "A transaction of nothing has no place in an entry.")
    back = reversal or _find(one, "RtrInf") is not None
    outcomes: dict[tuple[str, bool], Outcome] = {
        ("debit", False): "booked", ("debit", True): "withdrawn",
        ("credit", True): "returned", ("credit", False): "received",
    }  # fmt: skip
    end_to_end_id = _optional(one, "Refs/EndToEndId")
    return Detail(
        part="",
        end_to_end_id=None if end_to_end_id == "NOTPROVIDED" else end_to_end_id,
        outcome=outcomes[direction, back],
        amount_cents=cents,
        reason=_code(one, "RtrInf"),
        sender_iban=_optional(one, "RltdPties/DbtrAcct/Id/IBAN") if direction == "credit" else None,
        remittance=_optional(one, "RmtInf/Strd/CdtrRefInf/Ref") or _optional(one, "RmtInf/Ustrd") or "",
    )


# Elements


def _find(element: etree._Element, path: str) -> etree._Element | None:
    return element.find("/".join(f"{{*}}{name}" for name in path.split("/")))


def _one(element: etree._Element, path: str) -> etree._Element:
    found = _find(element, path)
    if found is None:
        raise _broken(element, "element_present", f"The element {path} is missing.")
    return found


def _text(element: etree._Element, path: str) -> str:
    found = _one(element, path)
    text = (found.text or "").strip()
    if not text:
        raise _broken(found, "element_present", f"The element {path} is empty.")
    return text


def _optional(element: etree._Element, path: str) -> str | None:
    found = _find(element, path)
    return None if found is None else (found.text or "").strip() or None


def _code(element: etree._Element, name: str) -> str | None:
    return _optional(element, f"{name}/Rsn/Cd") or _optional(element, f"{name}/Rsn/Prtry")


def _direction(element: etree._Element) -> Direction:
    direction = _DIRECTIONS.get((element.text or "").strip())
    if direction is None:
        raise _broken(element, "direction", "A movement is CRDT or DBIT.")
    return direction


def _cents(element: etree._Element) -> int:
    if element.get("Ccy", "EUR") != "EUR":
        raise _broken(element, "currency", "An amount is not in euros.")
    text = (element.text or "").strip()
    try:
        if not _AMOUNT.fullmatch(text):
            raise ValueError("not digits with a point")
        return cents_of(text)
    except ValueError as error:
        raise _broken(element, "amount", "An amount is not one in euros and cents.") from error


def _balance(element: etree._Element, codes: tuple[str, ...], *, last: bool = False) -> tuple[int, date] | None:
    """The first balance of the codes, or the last, with its day; negative where the account is overdrawn."""
    for code in codes:
        found = [one for one in element.iterfind("{*}Bal") if _optional(one, "Tp/CdOrPrtry/Cd") == code]
        if found:
            one = found[-1 if last else 0]
            cents = _cents(_one(one, "Amt"))
            return cents if _direction(_one(one, "CdtDbtInd")) == "credit" else -cents, _day_of(one, "Dt")
    return None


def _day_of(element: etree._Element, name: str) -> date:
    """A choice of `Dt` and `DtTm`."""
    found = _find(element, f"{name}/Dt")
    return _date(found if found is not None else _one(element, f"{name}/DtTm"))


def _date(element: etree._Element) -> date:
    try:
        return date.fromisoformat((element.text or "").strip()[:10])
    except ValueError as error:
        raise _broken(element, "date", "A date is not one.") from error


def _number(element: etree._Element, *, required: bool) -> int | None:
    """The electronic sequence number, else the legal one; a notification may have none."""
    text = _optional(element, "ElctrncSeqNb") or _optional(element, "LglSeqNb")
    if text is None and not required:
        return None
    if text is None:
        raise _broken(element, "element_present", "The element ElctrncSeqNb is missing.")
    if not re.fullmatch(r"\d{1,9}", text) or int(text) == 0:
        raise _broken(element, "sequence_number", "A sequence number is a whole number from 1.")
    return int(text)


def _page(element: etree._Element) -> int:
    text = _optional(element, "StmtPgntn/PgNb") or _optional(element, "NtfctnPgntn/PgNb") or "1"
    if not re.fullmatch(r"\d{1,5}", text):
        raise _broken(element, "sequence_number", "A page number is a whole number.")
    return int(text)


def _is_last_page(element: etree._Element) -> bool:
    """A report that is not divided into pages is its own last page."""
    text = _optional(element, "StmtPgntn/LastPgInd") or _optional(element, "NtfctnPgntn/LastPgInd") or "true"
    return text.lower() in ("true", "1")


def _iban(element: etree._Element) -> str:
    try:
        return valid_iban((element.text or "").strip())
    except ValueError as error:
        raise _broken(element, "iban", "The account is no valid IBAN.") from error


def _broken(element: etree._Element, rule: str, detail: str) -> BadBankMessage:
    return BadBankMessage(detail, rule=rule, pointer=_pointer(element))


def _pointer(element: etree._Element) -> str:
    """Where an element stands, as `/Document/BkToCstmrStmt/Stmt[1]/Ntry[3]/Amt`; numbered where it has siblings."""
    steps: list[str] = []
    here: etree._Element | None = element
    while here is not None:
        name, parent = etree.QName(here).localname, here.getparent()
        same = [] if parent is None else parent.findall(f"{{*}}{name}")
        steps.append(f"{name}[{same.index(here) + 1}]" if len(same) > 1 else name)
        here = parent
    return "/" + "/".join(reversed(steps))
