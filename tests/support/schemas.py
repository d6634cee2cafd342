"""Whether a file is valid by the schema that ISO 20022 publishes for its kind (tests/data/iso20022)."""

from functools import cache
from pathlib import Path

from lxml import etree

FOLDER = Path(__file__).resolve().parents[1] / "data" / "iso20022"
NAMESPACE = "urn:iso:std:iso:20022:tech:xsd:"


@cache
def schema_of(kind: str) -> etree.XMLSchema:
    """The schema of a kind of message."""
    return etree.XMLSchema(etree.parse(FOLDER / f"{kind}.xsd"))


def schema_errors(content: bytes) -> list[str]:
    """What breaks the schema of a file's own kind; empty when it is valid."""
    root = etree.fromstring(content)
    kind = (etree.QName(root).namespace or "").removeprefix(NAMESPACE)
    schema = schema_of(kind)
    return [] if schema.validate(root) else [str(error) for error in schema.error_log]
