"""ISO 20022 at the edge to the bank: pain.001 out; pain.002, camt.053 and camt.054 in.

Files from outside are read without entities, DTDs or network; anything with a DOCTYPE is refused.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Literal
from uuid import UUID

import holidays
from lxml import etree
from psycopg.rows import DictRow

from kanava.common.clock import helsinki_date
from kanava.common.ids import rf_reference
from kanava.common.money import cents_of

from .errors import BadBankMessage

PAIN_001 = "urn:iso:std:iso:20022:tech:xsd:pain.001.001.09"
SATURDAY = 5

Outcome = Literal["booked", "rejected", "returned"]


@dataclass(frozen=True)
class Transfer:
    """One credit transfer to a producer."""

    statement_id: UUID
    end_to_end_id: str
    amount_cents: int
    creditor: str
    iban: str
    reference: str


@dataclass(frozen=True)
class BankRecord:
    """What the bank says of one payment; `reference` is the bank's own and names the record for ever."""

    reference: str
    end_to_end_id: str
    outcome: Outcome
    amount_cents: int
    reason: str | None


@dataclass(frozen=True)
class BankMessage:
    """A file of the bank: its id, its kind, and the records of payments in it."""

    message_id: str
    kind: str
    records: tuple[BankRecord, ...]


def transfer(row: DictRow, *, attempt: int) -> Transfer:
    """The transfer that pays a statement; another attempt has another end-to-end id of at most 35 characters."""
    statement_id: UUID = row["statement_id"]
    return Transfer(
        statement_id=statement_id,
        end_to_end_id=f"{statement_id.hex}{attempt % 1000:03d}",
        amount_cents=row["amount_cents"],
        creditor=row["name"],
        iban=row["approved_iban"],
        reference=rf_reference(10**14 + statement_id.int % 10**14),
    )


def next_target_day(day: date) -> date:
    """The first day from `day` on that the TARGET calendar of the ECB opens."""
    while day.weekday() >= SATURDAY or day in holidays.financial_holidays("ECB", years=day.year):
        day += timedelta(days=1)
    return day


def _amount(amount_cents: int) -> str:
    return f"{amount_cents // 100}.{amount_cents % 100:02d}"


def pain001(payout_id: UUID, debtor_iban: str, transfers: Sequence[Transfer], now: datetime) -> bytes:
    """A pain.001.001.09 file with one payment block, executed on the next TARGET day."""
    total = _amount(sum(one.amount_cents for one in transfers))
    root = etree.Element(f"{{{PAIN_001}}}Document", nsmap={None: PAIN_001})  # type: ignore[dict-item]  # the stubs forget the default namespace
    body = _add(root, "CstmrCdtTrfInitn")
    header = _add(body, "GrpHdr")
    _add(header, "MsgId", payout_id.hex)
    _add(header, "CreDtTm", now.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"))
    _add(header, "NbOfTxs", str(len(transfers)))
    _add(header, "CtrlSum", total)
    _add(header, "InitgPty/Nm", "Kanava")
    block = _add(body, "PmtInf")
    _add(block, "PmtInfId", payout_id.hex)
    _add(block, "PmtMtd", "TRF")
    _add(block, "NbOfTxs", str(len(transfers)))
    _add(block, "CtrlSum", total)
    _add(block, "PmtTpInf/SvcLvl/Cd", "SEPA")
    _add(block, "ReqdExctnDt/Dt", next_target_day(helsinki_date(now)).isoformat())
    _add(block, "Dbtr/Nm", "Kanava")
    _add(block, "DbtrAcct/Id/IBAN", debtor_iban)
    _add(block, "DbtrAgt/FinInstnId/Othr/Id", "NOTPROVIDED")
    _add(block, "ChrgBr", "SLEV")
    for one in transfers:
        _add_transfer(block, one)
    return bytes(etree.tostring(root, xml_declaration=True, encoding="UTF-8"))


def _add_transfer(block: etree._Element, one: Transfer) -> None:
    assert one.amount_cents > 0, "a transfer pays something"
    element = _add(block, "CdtTrfTxInf")
    _add(element, "PmtId/EndToEndId", one.end_to_end_id)
    _add(element, "Amt/InstdAmt", _amount(one.amount_cents)).set("Ccy", "EUR")
    _add(element, "Cdtr/Nm", one.creditor[:70])
    _add(element, "CdtrAcct/Id/IBAN", one.iban)
    reference = _add(element, "RmtInf/Strd/CdtrRefInf")
    kind = _add(reference, "Tp")
    _add(kind, "CdOrPrtry/Cd", "SCOR")
    _add(kind, "Issr", "ISO")
    _add(reference, "Ref", one.reference)


def _add(parent: etree._Element, path: str, text: str | None = None) -> etree._Element:
    for name in path.split("/"):
        parent = etree.SubElement(parent, f"{{{PAIN_001}}}{name}")
    parent.text = text
    return parent


def read_bank_message(content: bytes) -> BankMessage:
    """Read a file of the bank; `BadBankMessage` when it is cut, has entities, or is of no known kind."""
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    try:
        root = etree.fromstring(content, parser)
    except etree.XMLSyntaxError as error:
        raise BadBankMessage("The file is not well-formed XML; it may have been cut.", rule="well_formed") from error
    if root.getroottree().docinfo.internalDTD is not None:
        raise BadBankMessage("The file declares a document type; entities are not read.", rule="no_doctype")
    for name, read in (
        ("CstmrPmtStsRpt", _status_records),
        ("BkToCstmrDbtCdtNtfctn", _entry_records),
        ("BkToCstmrStmt", _entry_records),
    ):
        if (body := root.find(f"{{*}}{name}")) is not None:
            return BankMessage(_text(body, "GrpHdr/MsgId"), _KINDS[name], tuple(read(body)))
    raise BadBankMessage("The file is no pain.002, camt.053 or camt.054.", rule="known_message")


_KINDS = {"CstmrPmtStsRpt": "pain.002", "BkToCstmrDbtCdtNtfctn": "camt.054", "BkToCstmrStmt": "camt.053"}


def _status_records(body: etree._Element) -> Iterator[BankRecord]:
    """The rejected transactions of a pain.002; acceptance alone moves no money."""
    message_id = _text(body, "GrpHdr/MsgId")
    for one in body.iterfind(".//{*}TxInfAndSts"):
        if _text(one, "TxSts") == "RJCT":
            end_to_end_id = _text(one, "OrgnlEndToEndId")
            cents = _cents(_text(one, "OrgnlTxRef/Amt/InstdAmt"))
            yield BankRecord(f"{message_id}/{end_to_end_id}", end_to_end_id, "rejected", cents, _code(one, "StsRsnInf"))


def _entry_records(body: etree._Element) -> Iterator[BankRecord]:
    """The booked transactions of a camt.053 or camt.054: a debit is a payment, a credit with a reason a return."""
    for entry in body.iterfind(".//{*}Ntry"):
        if _text(entry, "Sts/Cd") != "BOOK":
            continue
        entry_reference = _text(entry, "AcctSvcrRef")
        for number, one in enumerate(entry.iterfind("{*}NtryDtls/{*}TxDtls")):
            returned = one.find("{*}RtrInf") is not None
            yield BankRecord(
                reference=f"{entry_reference}/{number}",
                end_to_end_id=_text(one, "Refs/EndToEndId"),
                outcome="returned" if returned else "booked",
                amount_cents=_cents(_text(one, "Amt")),
                reason=_code(one, "RtrInf") if returned else None,
            )


def _text(element: etree._Element, path: str) -> str:
    found = element.find("/".join(f"{{*}}{name}" for name in path.split("/")))
    if found is None or not (found.text or "").strip():
        raise BadBankMessage(f"The element {path} is missing or empty.", rule="element_present")
    return str(found.text).strip()


def _code(element: etree._Element, name: str) -> str | None:
    found = element.find(f"{{*}}{name}/{{*}}Rsn/{{*}}Cd")
    return None if found is None else found.text


def _cents(text: str) -> int:
    try:
        return cents_of(Decimal(text))
    except (InvalidOperation, ValueError) as error:
        raise BadBankMessage("An amount is not one in euros and cents.", rule="amount") from error
