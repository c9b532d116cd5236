"""Which format an input has, from its first bytes; its name is no evidence."""

import codecs
from collections.abc import Iterator
from io import BytesIO

from contactctl.domain.errors import InputError
from contactctl.responses.generic import DELIMITERS
from contactctl.responses.json_stream import JsonValue, read_json
from contactctl.responses.providers.registry import PROVIDERS

HEAD_BYTES = 1 << 16
FORMATS = ("mail", "jsonl", "csv", *PROVIDERS)
_OTHER_ENCODINGS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def detect(head: bytes, name: str) -> str:
    """One of FORMATS: a provider's name, `jsonl` for other JSON, `csv`, or else `mail`.

    `head` is the start of the input, up to HEAD_BYTES. Raises InputError on UTF-16.
    """
    if head.startswith(_OTHER_ENCODINGS):
        raise InputError(f"{name}: UTF-16 text", hint="save it as UTF-8")
    text = head.removeprefix(codecs.BOM_UTF8).lstrip()
    if text.startswith((b"{", b"[")):
        return _provider_of(text) or "jsonl"
    return "csv" if _is_header(text.split(b"\n", 1)[0]) else "mail"


def _provider_of(text: bytes) -> str | None:
    for event in _whole_events(text):
        for name, provider in PROVIDERS.items():
            if provider.recognises(event):
                return name
    return None


def _whole_events(text: bytes) -> Iterator[dict[str, object]]:
    for item in read_json(BytesIO(text), ""):
        if isinstance(item, JsonValue) and isinstance(item.value, dict):
            yield item.value


def _is_header(line: bytes) -> bool:
    """Column names and delimiters; a mail begins with `Name:` or `From `."""
    text = line.decode(errors="replace").strip()
    if ":" in text or text.startswith("From "):
        return False
    return text.strip('"').lower() == "email" or any(mark in text for mark in DELIMITERS)
