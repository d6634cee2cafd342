"""A bank that plays its part: takes a pain.001, books all payments but those it is told to reject.

It answers as ISO 20022 banks do: a numbered camt.054 of the account with an entry for each booked payment,
pain.002 for the rejected.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from lxml import etree

CAMT_054 = "urn:iso:std:iso:20022:tech:xsd:camt.054.001.08"
PAIN_002 = "urn:iso:std:iso:20022:tech:xsd:pain.002.001.10"
ACCOUNT_CLOSED = "AC04"


@dataclass(frozen=True)
class Order:
    """A payment that the bank was told to make; the amount as written, in euros with two decimals."""

    end_to_end_id: str
    amount: str
    iban: str


@dataclass(frozen=True)
class Batch:
    """A pain.001 file: its id, when it was made, the account it pays from, the day it pays on, its payments."""

    message_id: str
    created: str
    iban: str
    executed_on: str
    orders: Sequence[Order]


@dataclass(frozen=True)
class Answers:
    """What the bank sends back: camt.054 of what it booked, pain.002 of what it rejected; None for nothing."""

    camt054: bytes | None
    pain002: bytes | None
    booked: int
    rejected: int


def batch_of(pain001: bytes) -> Batch:
    """What a pain.001 orders; ValueError for anything else or with wrong control sums."""
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
    root = etree.fromstring(pain001, parser)
    count = root.findtext(".//{*}GrpHdr/{*}NbOfTxs")
    orders = [_order(element) for element in root.iterfind(".//{*}CdtTrfTxInf")]
    found = (
        root.findtext(".//{*}GrpHdr/{*}MsgId"),
        root.findtext(".//{*}GrpHdr/{*}CreDtTm"),
        root.findtext(".//{*}DbtrAcct/{*}Id/{*}IBAN"),
        root.findtext(".//{*}ReqdExctnDt/{*}Dt"),
    )
    if not all(found) or count is None or int(count) != len(orders):
        raise ValueError("this is no whole pain.001 file")
    message_id, created, iban, executed_on = (text or "" for text in found)
    return Batch(message_id, created, iban, executed_on, orders)


def _order(element: etree._Element) -> Order:
    found = (
        element.findtext("{*}PmtId/{*}EndToEndId"),
        element.findtext("{*}Amt/{*}InstdAmt"),
        element.findtext("{*}CdtrAcct/{*}Id/{*}IBAN"),
    )
    if not all(found):
        raise ValueError("a payment of the pain.001 file is not whole")
    return Order(*(text or "" for text in found))


def answer(pain001: bytes, *, closed: Collection[str] = (), number: int = 1) -> Answers:
    """Play the bank for one file; accounts in `closed` take no payment. `number` is that of the notification."""
    batch = batch_of(pain001)
    good = [order for order in batch.orders if order.iban not in closed]
    bad = [order for order in batch.orders if order.iban in closed]
    return Answers(
        camt054=_camt054(batch, good, number) if good else None,
        pain002=_pain002(batch, bad) if bad else None,
        booked=len(good),
        rejected=len(bad),
    )


def _camt054(batch: Batch, orders: Sequence[Order], number: int) -> bytes:
    root = _document(CAMT_054)
    body = _add(root, "BkToCstmrDbtCdtNtfctn")
    header = _add(body, "GrpHdr")
    _add(header, "MsgId", f"C{batch.message_id[:30]}")
    _add(header, "CreDtTm", batch.created)
    note = _add(body, "Ntfctn")
    _add(note, "Id", batch.message_id[:30])
    _add(note, "ElctrncSeqNb", str(number))
    _add(note, "CreDtTm", batch.created)
    account = _add(note, "Acct")
    _add(account, "Id/IBAN", batch.iban)
    _add(account, "Ccy", "EUR")
    for place, order in enumerate(orders, start=1):
        _add_entry(note, order, reference=f"{batch.message_id[:24]}{place:06d}", booked_on=batch.executed_on)
    return bytes(etree.tostring(root, xml_declaration=True, encoding="UTF-8"))


def _add_entry(note: etree._Element, order: Order, *, reference: str, booked_on: str) -> None:
    entry = _add(note, "Ntry")
    _add(entry, "Amt", order.amount).set("Ccy", "EUR")
    _add(entry, "CdtDbtInd", "DBIT")
    _add(entry, "Sts/Cd", "BOOK")
    _add(entry, "BookgDt/Dt", booked_on)
    _add(entry, "AcctSvcrRef", reference)
    domain = _add(entry, "BkTxCd/Domn")
    _add(domain, "Cd", "PMNT")
    family = _add(domain, "Fmly")
    _add(family, "Cd", "ICDT")
    _add(family, "SubFmlyCd", "ESCT")
    details = _add(entry, "NtryDtls/TxDtls")
    _add(details, "Refs/EndToEndId", order.end_to_end_id)
    _add(details, "Amt", order.amount).set("Ccy", "EUR")


def _pain002(batch: Batch, orders: Sequence[Order]) -> bytes:
    root = _document(PAIN_002)
    body = _add(root, "CstmrPmtStsRpt")
    header = _add(body, "GrpHdr")
    _add(header, "MsgId", f"R{batch.message_id[:30]}")
    _add(header, "CreDtTm", batch.created)
    group = _add(body, "OrgnlGrpInfAndSts")
    _add(group, "OrgnlMsgId", batch.message_id)
    _add(group, "OrgnlMsgNmId", "pain.001.001.09")
    _add(group, "GrpSts", "PART" if len(orders) < len(batch.orders) else "RJCT")
    block = _add(body, "OrgnlPmtInfAndSts")
    _add(block, "OrgnlPmtInfId", batch.message_id)
    for order in orders:
        one = _add(block, "TxInfAndSts")
        _add(one, "OrgnlEndToEndId", order.end_to_end_id)
        _add(one, "TxSts", "RJCT")
        _add(one, "StsRsnInf/Rsn/Cd", ACCOUNT_CLOSED)
        _add(one, "OrgnlTxRef/Amt/InstdAmt", order.amount).set("Ccy", "EUR")
    return bytes(etree.tostring(root, xml_declaration=True, encoding="UTF-8"))


def _document(namespace: str) -> etree._Element:
    return etree.fromstring(f'<Document xmlns="{namespace}"/>'.encode())


def _add(parent: etree._Element, path: str, text: str | None = None) -> etree._Element:
    """Add the elements of a path below a parent, in its namespace; gives the last one."""
    namespace = etree.QName(parent).namespace
    for name in path.split("/"):
        parent = etree.SubElement(parent, f"{{{namespace}}}{name}")
    parent.text = text
    return parent
