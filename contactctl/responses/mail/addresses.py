"""Email addresses inside header fields and prose."""

import re

MAX_RECIPIENTS = 1_000

ADDRESS = r"[^\s<>()\[\],;:\"'|@\\]{1,128}@[\w-]{1,63}(?:\.[\w-]{1,63}){0,10}"
_ADDRESS = re.compile(ADDRESS)
# Chinese, Japanese and Korean set no spaces around an address.
_SCRIPT = "\u3000-\u9fff\uac00-\ud7af\uff00-\uffef"
_TEXT_AROUND = re.compile(rf"^[{_SCRIPT}]+(?=[!-~]+@)|(?<=[a-z])[{_SCRIPT}]+$", re.IGNORECASE)


def find_address(text: str) -> str | None:
    """The first address in `text`, as written."""
    if "@" not in text:
        return None
    match = _ADDRESS.search(text[:1_000])
    return without_text_around(match[0]) if match else None


def find_addresses(text: str) -> list[str]:
    """The addresses in `text`, each once, in order; at most MAX_RECIPIENTS."""
    if "@" not in text:
        return []
    found = map(without_text_around, _ADDRESS.findall(text[:100_000]))
    return list(dict.fromkeys(found))[:MAX_RECIPIENTS]


def without_text_around(address: str) -> str:
    """`address` without the words that a language without spaces joins to it."""
    return address if address.isascii() else _TEXT_AROUND.sub("", address)


def typed_address(value: str) -> str | None:
    """The address of a DSN field such as `rfc822; kari@example.org` (RFC 3464, 2.3.2)."""
    address_type, semicolon, rest = value.partition(";")
    if not semicolon:
        return find_address(address_type)
    return find_address(rest)
