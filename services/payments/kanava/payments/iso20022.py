"""ISO 20022 on the way to the bank: pain.001.001.09, valid against its schema. What comes back: `bankfiles`."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import holidays
from lxml import etree
from psycopg.rows import DictRow

from kanava.common.clock import helsinki_date

from .domain.sepa import NAME_CHARACTERS, TEXT_CHARACTERS, sepa_text, structured_reference

PAIN_001 = "urn:iso:std:iso:20022:tech:xsd:pain.001.001.09"
SATURDAY = 5
ID_CHARACTERS = 35


@dataclass(frozen=True)
class Transfer:
    """One credit transfer: to a producer with a structured reference, or back to a sender with a text."""

    statement_id: UUID | None
    end_to_end_id: str
    amount_cents: int
    creditor: str
    iban: str
    reference: str
    text: str = ""


@dataclass(frozen=True)
class Debtor:
    """The area that pays, by its name, and the account that it pays from."""

    name: str
    iban: str


def transfer(row: DictRow, *, attempt: int) -> Transfer:
    """The transfer that pays a statement; another attempt has another end-to-end id of at most 35 characters."""
    statement_id: UUID = row["statement_id"]
    return Transfer(
        statement_id=statement_id,
        end_to_end_id=f"{statement_id.hex}{attempt % 1000:03d}",
        amount_cents=row["amount_cents"],
        creditor=row["name"],
        iban=row["approved_iban"],
        reference=structured_reference(statement_id, row.get("reference_kind") or "rf"),
    )


def next_target_day(day: date) -> date:
    """The first day from `day` on that the TARGET calendar of the ECB opens."""
    while day.weekday() >= SATURDAY or day in holidays.financial_holidays("ECB", years=day.year):
        day += timedelta(days=1)
    return day


def _amount(amount_cents: int) -> str:
    return f"{amount_cents // 100}.{amount_cents % 100:02d}"


def pain001(payout_id: UUID, debtor: Debtor, transfers: Sequence[Transfer], now: datetime) -> bytes:
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
    _add(block, "Dbtr/Nm", sepa_text(debtor.name, NAME_CHARACTERS))
    _add(block, "DbtrAcct/Id/IBAN", debtor.iban)
    _add(block, "DbtrAgt/FinInstnId/Othr/Id", "NOTPROVIDED")
    _add(block, "ChrgBr", "SLEV")
    for one in transfers:
        _add_transfer(block, one)
    return bytes(etree.tostring(root, xml_declaration=True, encoding="UTF-8"))


def _add_transfer(block: etree._Element, one: Transfer) -> None:
    assert one.amount_cents > 0, "a transfer pays something"
    assert len(one.end_to_end_id) <= ID_CHARACTERS, "an id is too long for the bank"
    element = _add(block, "CdtTrfTxInf")
    _add(element, "PmtId/EndToEndId", one.end_to_end_id)
    _add(element, "Amt/InstdAmt", _amount(one.amount_cents)).set("Ccy", "EUR")
    _add(element, "Cdtr/Nm", sepa_text(one.creditor, NAME_CHARACTERS))
    _add(element, "CdtrAcct/Id/IBAN", one.iban)
    if one.reference:
        _add_reference(_add(element, "RmtInf/Strd/CdtrRefInf"), one.reference)
    else:
        _add(element, "RmtInf/Ustrd", sepa_text(one.text, TEXT_CHARACTERS))


def _add_reference(element: etree._Element, reference: str) -> None:
    """RF names ISO as its issuer; a viitenumero has none (Finnish use of the creditor reference)."""
    kind = _add(element, "Tp")
    _add(kind, "CdOrPrtry/Cd", "SCOR")
    if reference.startswith("RF"):
        _add(kind, "Issr", "ISO")
    _add(element, "Ref", reference)


def _add(parent: etree._Element, path: str, text: str | None = None) -> etree._Element:
    for name in path.split("/"):
        parent = etree.SubElement(parent, f"{{{PAIN_001}}}{name}")
    parent.text = text
    return parent
