"""Text compared without regard to case, and text made safe to show."""

import codecs
import re
import unicodedata

# C0 and C1 controls, DEL, and the Unicode characters that reorder or hide text:
# bidi embeddings, overrides and isolates (UAX #9), zero-width and line separators, BOM, tags.
UNSAFE_CHARACTERS = re.compile(
    "[\x00-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb"
    "\ud800-\udfff\U000e0000-\U000e007f]"
)

# Unicode's property Default_Ignorable_Code_Point (DerivedCoreProperties.txt), as a regex class:
# what a reader never sees, wherever it stands
IGNORABLE = (
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e"
    "\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufff8\U0001bca0-\U0001bca3"
    "\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
)
_ENDS = re.compile(rf"\A[\s{IGNORABLE}]+|[\s{IGNORABLE}]+\Z")


def trim(text: str) -> str:
    """The text without blanks and default-ignorable characters at its ends."""
    return text.strip() if text.isascii() else _ENDS.sub("", text)


def named_character(character: str) -> str:
    """`U+00AD SOFT HYPHEN`."""
    return f"U+{ord(character):04X} {unicodedata.name(character, '')}".rstrip()


def fold(text: str) -> str:
    """The form in which text is compared: canonical caseless (Unicode D145), NFC at the end."""
    if text.isascii():
        return text.lower()
    decomposed = unicodedata.normalize("NFD", text).casefold()
    return unicodedata.normalize("NFC", decomposed)


def show_safely(text: str) -> str:
    """Text from outside with every control, escape or bidi character shown as \\xNN or \\uNNNN."""
    return UNSAFE_CHARACTERS.sub(_escape, text)


def counted(number: int, noun: str) -> str:
    """`1 contact`, `1,284 contacts`."""
    return f"{number:,} {noun}" + ("" if number == 1 else "s")


def _escape(match: re.Match[str]) -> str:
    code = ord(match.group())
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


# Names of encodings, which come from outside


# slow or surprising on hostile input, and never the encoding of a file or a mail
_REFUSED = {"idna", "punycode", "undefined", "unicode_escape", "raw_unicode_escape"}


def text_codec(name: str) -> str | None:
    """Python's name of an encoding of text; None if there is none that is safe for input."""
    try:
        "".encode(name)  # LookupError also for codecs that are not for text, such as hex
        codec = codecs.lookup(name).name
    except (LookupError, ValueError):
        return None
    return None if codec.replace("-", "_") in _REFUSED else codec


# CSV text that a spreadsheet would run as a formula: make it harmless, and undo that


# OWASP, CSV injection: these start a formula, the full-width forms in East Asian locales
_TEXT_FORMULA = re.compile(r'="((?:[^"]|"")*)"')
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def defuse(text: str) -> str:
    """The text with an apostrophe before it, if a spreadsheet would take it for a formula.

    Blanks before it are ignored, as some programs trim them first. Text that already looks defused
    gets one more, so that `undo_defuse` always returns the original text.
    """
    return f"'{text}" if _needs_defusing(text) else text


def undo_defuse(text: str) -> str:
    """What `defuse` was given."""
    return text[1:] if text.startswith("'") and _needs_defusing(text[1:]) else text


def text_of_formula(text: str) -> str:
    """The text in `="0047"`, by which exports keep a spreadsheet from reading a number; any other
    text as it is."""
    found = _TEXT_FORMULA.fullmatch(text)
    return found[1].replace('""', '"') if found else text


def _needs_defusing(text: str) -> bool:
    inner = text.lstrip("'")
    return inner.startswith(_FORMULA_STARTS) or inner.lstrip().startswith(_FORMULA_STARTS)
