"""Variable envelope return paths: the recipient's address within that of the bounce's receiver.

The template is written as `bounce+{local}={domain}@returns.example.com`; `*` is any text.
"""

import re

EXAMPLE = "bounce+{local}={domain}@returns.example.com"
_TEMPLATE = re.compile(r"[^{}@\s]*\{local\}[^{}@\s]+\{domain\}[^{}@\s]*@[^{}@\s]+")
_PIECES = {
    "{local}": r"(?P<local>[^\s@<>]{1,128})",
    "{domain}": r"(?P<domain>[\w.-]{1,255})",
    "*": r"[^\s@]{0,128}",
}


def is_template(text: str) -> bool:
    """Whether the text has `{local}` and then `{domain}` once each before its @, kept apart."""
    return _TEMPLATE.fullmatch(text) is not None


def recipient_pattern(template: str) -> re.Pattern[str]:
    """What finds `local` and `domain` in an address of the template; ValueError for no template."""
    if not is_template(template):
        raise ValueError(f"{template!r} is not an address pattern such as {EXAMPLE}")
    pieces = re.split(r"(\{local\}|\{domain\}|\*)", template)
    expression = "".join(_PIECES.get(piece) or re.escape(piece) for piece in pieces)
    return re.compile(expression, re.IGNORECASE)
