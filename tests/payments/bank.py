"""Files as a bank would write them, valid against their schemas."""

from collections.abc import Sequence
from dataclasses import dataclass

IBAN = "FI2112345600000785"
CREATED = "2026-12-04T06:00:00Z"
BOOKED_ON = "2026-12-03"
CAMT_053 = "urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"
CAMT_054 = "urn:iso:std:iso:20022:tech:xsd:camt.054.001.08"
PAIN_002 = "urn:iso:std:iso:20022:tech:xsd:pain.002.001.10"


def _document(namespace: str, body: str) -> bytes:
    return f'<?xml version="1.0" encoding="UTF-8"?><Document xmlns="{namespace}">{body}</Document>'.encode()


def amount(cents: int) -> str:
    """Cents as a bank writes them."""
    return f"{cents // 100}.{cents % 100:02d}"


@dataclass(frozen=True)
class Part:
    """A transaction of an entry; without an end-to-end id the bank told none."""

    end_to_end_id: str | None
    cents: int
    returned: str | None = None
    sender: str | None = None
    text: str = ""

    def xml(self) -> str:
        """Its `TxDtls`, in the order of the schema."""
        name = self.end_to_end_id or "NOTPROVIDED"
        sender = f"<DbtrAcct><Id><IBAN>{self.sender}</IBAN></Id></DbtrAcct>" if self.sender else ""
        return (
            f'<TxDtls><Refs><EndToEndId>{name}</EndToEndId></Refs><Amt Ccy="EUR">{amount(self.cents)}</Amt>'
            + (f"<RltdPties>{sender}</RltdPties>" if sender else "")
            + (f"<RmtInf><Ustrd>{self.text}</Ustrd></RmtInf>" if self.text else "")
            + (f"<RtrInf><Rsn><Cd>{self.returned}</Cd></Rsn></RtrInf>" if self.returned else "")
            + "</TxDtls>"
        )


@dataclass(frozen=True)
class Entry:
    """A booked entry; `cents` is its sum, by default that of its parts."""

    reference: str
    sign: str
    parts: Sequence[Part] = ()
    cents: int | None = None
    batch: str | None = None

    @property
    def total(self) -> int:
        """The sum of the entry."""
        return sum(part.cents for part in self.parts) if self.cents is None else self.cents

    def xml(self) -> str:
        """Its `Ntry`, in the order of the schema."""
        batch = f"<Btch><PmtInfId>{self.batch}</PmtInfId></Btch>" if self.batch else ""
        inner = batch + "".join(part.xml() for part in self.parts)
        return (
            f'<Ntry><Amt Ccy="EUR">{amount(self.total)}</Amt><CdtDbtInd>{self.sign}</CdtDbtInd>'
            f"<Sts><Cd>BOOK</Cd></Sts><BookgDt><Dt>{BOOKED_ON}</Dt></BookgDt><AcctSvcrRef>{self.reference}</AcctSvcrRef>"
            "<BkTxCd><Domn><Cd>PMNT</Cd><Fmly><Cd>ICDT</Cd><SubFmlyCd>ESCT</SubFmlyCd></Fmly></Domn></BkTxCd>"
            + (f"<NtryDtls>{inner}</NtryDtls>" if inner else "")
            + "</Ntry>"
        )


def debit(reference: str, *parts: tuple[str, int], cents: int | None = None, batch: str | None = None) -> Entry:
    """Payments that left."""
    return Entry(reference, "DBIT", [Part(*part) for part in parts], cents, batch)


def credit(reference: str, *parts: Part) -> Entry:
    """Money that came."""
    return Entry(reference, "CRDT", list(parts))


def back(reference: str, end_to_end_id: str, cents: int, reason: str = "AC04") -> Entry:
    """A payment that came back."""
    return credit(reference, Part(end_to_end_id, cents, returned=reason))


@dataclass(frozen=True)
class Numbered:
    """How a report is numbered, of which account it is, and when it was made."""

    number: int | None = None
    iban: str = IBAN
    created: str = CREATED
    currency: str = "EUR"
    opening: int = 0
    page: tuple[int, bool] | None = None


def notification(message_id: str, *entries: Entry, how: Numbered | None = None) -> bytes:
    """A camt.054."""
    return _document(CAMT_054, _report("BkToCstmrDbtCdtNtfctn", "Ntfctn", message_id, entries, how or Numbered(), ""))


def statement(message_id: str, *entries: Entry, how: Numbered, closing: int | None = None) -> bytes:
    """A camt.053; its closing balance is that of its entries unless another is given."""
    moved = sum(entry.total if entry.sign == "CRDT" else -entry.total for entry in entries)
    end = how.opening + moved if closing is None else closing
    balances = _balance("OPBD", how.opening) + _balance("CLBD", end)
    return _document(CAMT_053, _report("BkToCstmrStmt", "Stmt", message_id, entries, how, balances))


def _report(root: str, name: str, message_id: str, entries: Sequence[Entry], how: Numbered, balances: str) -> str:
    number = "" if how.number is None else f"<ElctrncSeqNb>{how.number}</ElctrncSeqNb>"
    if how.page is not None:
        place, is_last = how.page
        pages = f"<PgNb>{place}</PgNb><LastPgInd>{str(is_last).lower()}</LastPgInd>"
        number = f"<{name}Pgntn>{pages}</{name}Pgntn>{number}"
    return (
        f"<{root}><GrpHdr><MsgId>{message_id}</MsgId><CreDtTm>{how.created}</CreDtTm></GrpHdr>"
        f"<{name}><Id>{message_id}</Id>{number}<CreDtTm>{how.created}</CreDtTm>"
        f"<Acct><Id><IBAN>{how.iban}</IBAN></Id><Ccy>{how.currency}</Ccy></Acct>"
        f"{balances}{''.join(entry.xml() for entry in entries)}</{name}></{root}>"
    )


def _balance(code: str, cents: int) -> str:
    sign = "CRDT" if cents >= 0 else "DBIT"
    return (
        f'<Bal><Tp><CdOrPrtry><Cd>{code}</Cd></CdOrPrtry></Tp><Amt Ccy="EUR">{amount(abs(cents))}</Amt>'
        f"<CdtDbtInd>{sign}</CdtDbtInd><Dt><Dt>{BOOKED_ON}</Dt></Dt></Bal>"
    )


def camt054(message_id: str, records: Sequence[tuple[str, str, int]], returned: str | None = None) -> bytes:
    """A camt.054 with a booked entry for each (bank reference, end-to-end id, cents); or their return."""
    made = [
        back(reference, name, cents, returned) if returned else debit(reference, (name, cents))
        for reference, name, cents in records
    ]
    return notification(message_id, *made)


def pain002(
    message_id: str,
    records: Sequence[tuple[str, int]],
    *,
    accepted: Sequence[str] = (),
    original: str = "ORIGINAL",
    group: str | None = None,
) -> bytes:
    """A pain.002 that rejects each (end-to-end id, cents) because the account is closed, and accepts others."""
    rejected = "".join(
        f"<TxInfAndSts><OrgnlEndToEndId>{end_to_end_id}</OrgnlEndToEndId><TxSts>RJCT</TxSts>"
        "<StsRsnInf><Rsn><Cd>AC04</Cd></Rsn></StsRsnInf>"
        f'<OrgnlTxRef><Amt><InstdAmt Ccy="EUR">{amount(cents)}</InstdAmt></Amt></OrgnlTxRef></TxInfAndSts>'
        for end_to_end_id, cents in records
    )
    good = "".join(
        f"<TxInfAndSts><OrgnlEndToEndId>{one}</OrgnlEndToEndId><TxSts>ACSC</TxSts></TxInfAndSts>" for one in accepted
    )
    status = group or ("PART" if rejected and good else "")
    told = (
        f"<OrgnlGrpInfAndSts><OrgnlMsgId>{original}</OrgnlMsgId><OrgnlMsgNmId>pain.001.001.09</OrgnlMsgNmId>"
        + (f"<GrpSts>{status}</GrpSts>" if status else "")
        + "</OrgnlGrpInfAndSts>"
    )
    header = f"<GrpHdr><MsgId>{message_id}</MsgId><CreDtTm>{CREATED}</CreDtTm></GrpHdr>"
    inner = f"<OrgnlPmtInfId>{original}</OrgnlPmtInfId>{rejected}{good}"
    block = f"<OrgnlPmtInfAndSts>{inner}</OrgnlPmtInfAndSts>" if rejected or good else ""
    return _document(PAIN_002, f"<CstmrPmtStsRpt>{header}{told}{block}</CstmrPmtStsRpt>")
