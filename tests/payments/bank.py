"""Files as a bank would write them."""

from collections.abc import Sequence


def _document(body: str) -> bytes:
    return f'<?xml version="1.0" encoding="UTF-8"?><Document xmlns="urn:test">{body}</Document>'.encode()


def _amount(cents: int) -> str:
    return f"{cents // 100}.{cents % 100:02d}"


def camt054(message_id: str, records: Sequence[tuple[str, str, int]], returned: str | None = None) -> bytes:
    """A camt.054 with a booked entry for each (bank reference, end-to-end id, cents); or their return."""
    reason = f"<RtrInf><Rsn><Cd>{returned}</Cd></Rsn></RtrInf>" if returned else ""
    sign = "CRDT" if returned else "DBIT"
    entries = "".join(
        f'<Ntry><Amt Ccy="EUR">{_amount(cents)}</Amt><CdtDbtInd>{sign}</CdtDbtInd><Sts><Cd>BOOK</Cd></Sts>'
        f"<AcctSvcrRef>{reference}</AcctSvcrRef><NtryDtls><TxDtls><Refs><EndToEndId>{end_to_end_id}</EndToEndId></Refs>"
        f'<Amt Ccy="EUR">{_amount(cents)}</Amt>{reason}</TxDtls></NtryDtls></Ntry>'
        for reference, end_to_end_id, cents in records
    )
    header = f"<GrpHdr><MsgId>{message_id}</MsgId></GrpHdr>"
    return _document(f"<BkToCstmrDbtCdtNtfctn>{header}<Ntfctn><Id>1</Id>{entries}</Ntfctn></BkToCstmrDbtCdtNtfctn>")


def pain002(message_id: str, records: Sequence[tuple[str, int]]) -> bytes:
    """A pain.002 that rejects each (end-to-end id, cents) because the account is closed."""
    rejected = "".join(
        f"<TxInfAndSts><OrgnlEndToEndId>{end_to_end_id}</OrgnlEndToEndId><TxSts>RJCT</TxSts>"
        "<StsRsnInf><Rsn><Cd>AC04</Cd></Rsn></StsRsnInf>"
        f'<OrgnlTxRef><Amt><InstdAmt Ccy="EUR">{_amount(cents)}</InstdAmt></Amt></OrgnlTxRef></TxInfAndSts>'
        for end_to_end_id, cents in records
    )
    header = f"<GrpHdr><MsgId>{message_id}</MsgId></GrpHdr>"
    block = f"<OrgnlPmtInfAndSts>{rejected}</OrgnlPmtInfAndSts>"
    return _document(f"<CstmrPmtStsRpt>{header}{block}</CstmrPmtStsRpt>")
