"""A bank that plays its part: takes a pain.001, books all payments but those it is told to reject.

It answers as ISO 20022 banks do: camt.054 with an entry for each booked payment, pain.002 for the rejected.
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
class Answers:
    """What the bank sends back: camt.054 of what it booked, pain.002 of what it rejected; None for nothing."""

    camt054: bytes | None
    pain002: bytes | None
    booked: int
    rejected: int


def orders_of(pain001: bytes) -> tuple[str, list[Order]]:
    """The message id of a pain.001 and its payments; ValueError for anything else or with wrong control sums."""
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
    root = etree.fromstring(pain001, parser)
    message_id = root.findtext(".//{*}GrpHdr/{*}MsgId")
    count = root.findtext(".//{*}GrpHdr/{*}NbOfTxs")
    orders = [_order(element) for element in root.iterfind(".//{*}CdtTrfTxInf")]
    if message_id is None or count is None or int(count) != len(orders):
        raise ValueError("this is no whole pain.001 file")
    return message_id, orders


def _order(element: etree._Element) -> Order:
    found = (
        element.findtext("{*}PmtId/{*}EndToEndId"),
        element.findtext("{*}Amt/{*}InstdAmt"),
        element.findtext("{*}CdtrAcct/{*}Id/{*}IBAN"),
    )
    if not all(found):
        raise ValueError("a payment of the pain.001 file is not whole")
    return Order(*(text or "" for text in found))


def answer(pain001: bytes, *, closed: Collection[str] = ()) -> Answers:
    """Play the bank for one file; accounts in `closed` take no payment."""
    message_id, orders = orders_of(pain001)
    good = [order for order in orders if order.iban not in closed]
    bad = [order for order in orders if order.iban in closed]
    return Answers(
        camt054=_camt054(message_id, good) if good else None,
        pain002=_pain002(message_id, bad) if bad else None,
        booked=len(good),
        rejected=len(bad),
    )


def _camt054(message_id: str, orders: Sequence[Order]) -> bytes:
    root = _document(CAMT_054)
    body = _add(root, "BkToCstmrDbtCdtNtfctn")
    _add(body, "GrpHdr/MsgId", f"C{message_id[:30]}")
    note = _add(body, "Ntfctn")
    _add(note, "Id", message_id[:30])
    for number, order in enumerate(orders, start=1):
        entry = _add(note, "Ntry")
        _add(entry, "Amt", order.amount).set("Ccy", "EUR")
        _add(entry, "CdtDbtInd", "DBIT")
        _add(entry, "Sts/Cd", "BOOK")
        _add(entry, "AcctSvcrRef", f"{message_id[:24]}{number:06d}")
        details = _add(entry, "NtryDtls/TxDtls")
        _add(details, "Refs/EndToEndId", order.end_to_end_id)
        _add(details, "Amt", order.amount).set("Ccy", "EUR")
    return bytes(etree.tostring(root, xml_declaration=True, encoding="UTF-8"))


def _pain002(message_id: str, orders: Sequence[Order]) -> bytes:
    root = _document(PAIN_002)
    body = _add(root, "CstmrPmtStsRpt")
    _add(body, "GrpHdr/MsgId", f"R{message_id[:30]}")
    _add(body, "OrgnlGrpInfAndSts/OrgnlMsgId", message_id)
    block = _add(body, "OrgnlPmtInfAndSts")
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
