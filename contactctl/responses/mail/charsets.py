"""The text of bytes whose label may be wrong: what the bytes are outranks what is said of them.

Servers label their text by habit: UTF-8 as GB2312, Shift_JIS as UTF-8, anything as US-ASCII.
Valid UTF-8 is no accident, so it is believed before any label; a label that a text of that
language cannot contradict (Latin-1 takes every byte) is believed last.
"""

import codecs
import re

from contactctl.domain.text import text_codec

_SAMPLE_CHARACTERS = 400
_SAMPLE_BYTES = 4_000
# Encodings that write other scripts in ASCII bytes, and those that are no superset of ASCII.
_BY_LABEL_ALONE = ("utf-7", "utf7", "hz", "hz-gb-2312", "iso-2022", "utf-16", "utf-32")
_SAYS_NOTHING = ("iso-8859-1", "iso8859-1", "latin1", "latin-1", "windows-1252", "cp1252")
_KANA_OR_MARK = re.compile("[\u3001-\u3015\u3041-\u30ff\uff01-\uff5e]")
_FIRST_LEVEL = {  # lead bytes of the everyday characters
    "gb18030": ("gb2312", range(0xB0, 0xD8)),
    "big5": ("big5", range(0xA4, 0xC7)),
}
_HANGUL_LEADS = range(0xB0, 0xC9)  # of EUC-KR; Chinese text has as many beyond them
_MARK_LEADS = (0xA1, 0xA3)
_CHINESE_LABELS = ("gb", "big5", "cp936")
_EVERYDAY_LETTERS = {  # by codec, of scripts that have one byte for each letter
    **dict.fromkeys(("koi8_r", "cp1251", "iso8859_5"), frozenset("оеаинтсрвлкмд")),
    **dict.fromkeys(("cp1253", "iso8859_7"), frozenset("αοιετσνηυρπκμλωςόίάέήύ")),
    **dict.fromkeys(("cp1255", "iso8859_8"), frozenset("יוהלאתמרבשנדם")),
    **dict.fromkeys(("cp1256", "iso8859_6"), frozenset("اليمونرتبةعدسفهكقحجأ")),
    "cp874": frozenset("านรอกเงมยลวดทสตบคขปหพจุิีืั่้์ไ"),
}
_CYRILLIC_LABELS = ("koi8", "windows-1251", "cp1251", "iso-8859-5", "iso8859-5")
_WHOLE_WORD = re.compile(rb"[\x80-\xff]{3,}")
_LEAST_LETTERS = 8
_LEAST_SHARE_OF_WHOLE_WORDS = 0.7
_LEAST_SHARE_OF_HANGUL = 0.95
_LEAST_SHARE_OF_KANA = 0.2
_LEAST_SHARE_OF_EVERYDAY_CHARACTERS = 0.8


def decode_text(data: bytes, label: str) -> str:
    """`data` as text; `label` is the character set that the mail names, empty where it names none.

    Nothing raises: bytes that fit no encoding become U+FFFD or Latin-1.
    """
    label = label.lower()
    if data.isascii():
        return _decode_ascii(data, label)
    if not label.startswith(_BY_LABEL_ALONE[-2:]) and (text := _strictly(data, "utf-8")):
        return text
    codec = text_codec(label) if label and label not in _SAYS_NOTHING else None
    if codec is not None and not label.endswith("ascii"):
        text = _of_its_neighbour(data, label) or _strictly(data, codec)
        if text is not None:
            return text
    return _east_asian(data) or _of_one_byte_letters(data) or _last_resort(data, label)


def _of_its_neighbour(data: bytes, label: str) -> str | None:
    """Text in a character set that is often labelled so, and that the label cannot contradict."""
    if label.startswith(_CYRILLIC_LABELS):
        return _of_one_byte_letters(data)
    return _korean(data) if label.startswith(_CHINESE_LABELS) else None


def _decode_ascii(data: bytes, label: str) -> str:
    if b"\x1b$" in data:
        return data.decode("iso2022_jp_ext", "replace")
    if label.startswith(_BY_LABEL_ALONE) and (codec := text_codec(label)):
        return _strictly(data, codec) or data.decode("ascii")
    return data.decode("ascii")


def _strictly(data: bytes, codec: str) -> str | None:
    """The text; None where a byte does not fit. An unfinished last character is left out."""
    try:
        return codecs.getincrementaldecoder(codec)("strict").decode(data)
    except (UnicodeError, LookupError):
        return None


def _east_asian(data: bytes) -> str | None:
    """Japanese, Korean or Chinese text that reads like one; None for all else."""
    for codec in ("euc_jp", "shift_jis"):
        text = _strictly(data, codec)
        if text and _share(_KANA_OR_MARK.findall(text), text) >= _LEAST_SHARE_OF_KANA:
            return text
    if text := _korean(data):
        return text
    for codec, (table, leads) in _FIRST_LEVEL.items():
        text = _strictly(data, codec)
        if text and _reads_well(text, table, leads):
            return text
    return None


def _korean(data: bytes) -> str | None:
    text = _strictly(data, "cp949")
    sample = _beyond_ascii(text or "")
    leads = [(character.encode("euc_kr", "ignore") or b"\0")[0] for character in sample]
    hangul = sum(lead in _HANGUL_LEADS or lead in _MARK_LEADS for lead in leads)
    return text if sample and hangul >= _LEAST_SHARE_OF_HANGUL * len(sample) else None


def _of_one_byte_letters(data: bytes) -> str | None:
    """Text of whole words in Cyrillic, Greek, Hebrew, Arabic or Thai letters, in the codec that
    gives the most everyday ones; None for all else, such as a Latin text with accents."""
    sample = data[:_SAMPLE_BYTES]
    letters = sum(byte > 0x7F for byte in sample)
    in_words = sum(map(len, _WHOLE_WORD.findall(sample)))
    if letters < _LEAST_LETTERS or in_words < _LEAST_SHARE_OF_WHOLE_WORDS * letters:
        return None
    count, best = max(
        (sum(each in everyday for each in sample.decode(codec, "replace").lower()), codec)
        for codec, everyday in _EVERYDAY_LETTERS.items()
    )
    return data.decode(best, "replace") if count >= letters / 2 else None


def _reads_well(text: str, table: str, leads: range) -> bool:
    sample = _beyond_ascii(text)
    everyday = [
        character
        for character in sample
        if _KANA_OR_MARK.match(character)
        or (character.encode(table, "ignore") or b"\0")[0] in leads
    ]
    return len(everyday) >= _LEAST_SHARE_OF_EVERYDAY_CHARACTERS * len(sample)


def _share(found: list[str], text: str) -> float:
    return len(found[:_SAMPLE_CHARACTERS]) / max(1, len(_beyond_ascii(text)))


def _beyond_ascii(text: str) -> list[str]:
    return [character for character in text if not character.isascii()][:_SAMPLE_CHARACTERS]


def _last_resort(data: bytes, label: str) -> str:
    """Latin-1, or damaged UTF-8 where most of it is sound."""
    if label in ("utf-8", "utf8"):
        text = data.decode("utf-8", "replace")
        damaged = text.count("\ufffd")
        if damaged < (len(text) - len(text.encode("ascii", "ignore"))) / 2:
            return text
    return data.decode("latin-1")
