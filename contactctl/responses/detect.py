"""What an input is made of, from its first bytes; its name is no evidence.

Which provider's a document is, is told document by document (see formats/reader.py).
"""

import codecs

from contactctl.domain.errors import InputError
from contactctl.responses.csv_rows import DELIMITERS
from contactctl.responses.postfix import is_log, is_postfix_log

HEAD_BYTES = 1 << 16
_OTHER_ENCODINGS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def detect(head: bytes, name: str) -> str:
    """`json`, `csv`, `postfix` (a log), or else `mail`.

    `head` is the start of the input, up to HEAD_BYTES. Raises InputError on UTF-16, and on a log of
    another program.
    """
    if head.startswith(_OTHER_ENCODINGS):
        raise InputError(f"{name}: UTF-16 text", hint="save it as UTF-8")
    text = head.removeprefix(codecs.BOM_UTF8).lstrip()
    if text.startswith((b"{", b"[")):
        return "json"
    if is_postfix_log(text):
        return "postfix"
    if is_log(text):
        raise InputError(
            f"{name}: a log, and none of its first lines is Postfix's",
            hint="give only Postfix's lines, or --from postfix",
        )
    return "csv" if _is_header(text.split(b"\n", 1)[0]) else "mail"


def detect_documents(head: bytes, format_: str) -> str:
    """`json`, `csv` or `postfix` for an input whose format is known to be `format_`."""
    if head.removeprefix(codecs.BOM_UTF8).lstrip().startswith((b"{", b"[")):
        return "json"
    return "postfix" if format_ == "postfix" else "csv"


def _is_header(line: bytes) -> bool:
    """Column names and delimiters; a mail begins with `Name:` or `From `."""
    text = line.decode(errors="replace").strip()
    if ":" in text or text.startswith("From "):
        return False
    return text.strip('"').lower() == "email" or any(mark in text for mark in DELIMITERS)
