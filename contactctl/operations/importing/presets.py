"""Whose export a file is: presets, which say how another program's export is read, and headers."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path
from shlex import quote
from typing import TypeVar

from contactctl.config.strict_yaml import Node, load_strict_file
from contactctl.domain.contact_values import mistake_in_format, with_codes
from contactctl.domain.criteria.fields import did_you_mean
from contactctl.domain.emails import bare_address, email_key
from contactctl.domain.errors import UsageError
from contactctl.domain.responses import Category
from contactctl.domain.text import fold, show_safely, trim
from contactctl.operations.importing.options import InactiveRule, Preset, is_separator, parse_rule

Read = TypeVar("Read")

_FOLDER = Path(__file__).with_name("presets")
_KEYS = (
    *("about", "known_by", "columns", "ignore", "separators", "date_formats", "null"),
    *("inactive", "note"),
)


@cache
def preset_names() -> tuple[str, ...]:
    """The names of the presets that come with the program."""
    return tuple(sorted(path.stem for path in _FOLDER.glob("*.yaml")))


def find_preset(name_or_file: str, folder: Path) -> Preset:
    """The preset of that name, or that a file holds; UsageError otherwise.

    `folder` is where a relative path starts. What looks like a path is one.
    """
    if name_or_file.lower() in preset_names():
        return _shipped(name_or_file.lower())
    path = folder / name_or_file
    if path.is_file() or "/" in name_or_file or path.suffix in (".yaml", ".yml"):
        return _read(path, show_safely(name_or_file))
    raise _no_preset(name_or_file, ", and no file of that name")


def preset_text(name: str) -> str:
    """The data file of a preset that comes with the program, to be copied; UsageError: no such."""
    if name.lower() not in preset_names():
        raise _no_preset(name)
    return (_FOLDER / f"{name.lower()}.yaml").read_text(encoding="utf-8")


def _no_preset(name: str, besides: str = "") -> UsageError:
    known = list(preset_names())
    hint = did_you_mean(name, known) or f"presets: {', '.join(known)}"
    return UsageError(f"there is no preset '{show_safely(name)}'{besides}", hint=hint)


def shipped_presets() -> list[Preset]:
    """All presets that come with the program."""
    return [_shipped(name) for name in preset_names()]


@cache
def _shipped(name: str) -> Preset:
    return _read(_FOLDER / f"{name}.yaml", name)


def _read(path: Path, name: str) -> Preset:
    root = load_strict_file(path, name, UsageError)
    if root.is_null:
        raise root.error("an empty preset", hint="`contactctl contacts presets NAME` prints one")
    entries = root.as_mapping(_KEYS)

    def listed(key: str) -> list[Node]:
        return entries[key].as_list() if key in entries else []

    def mapped(key: str) -> Mapping[str, Node]:
        return entries[key].as_mapping() if key in entries else {}

    def text(key: str) -> str:
        return " ".join(entries[key].as_text().split()) if key in entries else ""

    return Preset(
        name=name,
        about=text("about"),
        known_by=frozenset(item.as_text() for item in listed("known_by")),
        columns={column: node.as_text() for column, node in mapped("columns").items()},
        ignored=frozenset(item.as_text() for item in listed("ignore")),
        separators={field: _separator(field, node) for field, node in mapped("separators").items()},
        date_formats=tuple(_checked(item, _date_format) for item in listed("date_formats")),
        nulls=frozenset(item.text for item in listed("null")),
        inactive=tuple(map(_rule, listed("inactive"))),
        note=text("note"),
    )


def _rule(node: Node) -> InactiveRule:
    if not isinstance(node.value, dict):
        return _checked(node, parse_rule)
    entries = node.as_mapping(("when", "reason"))
    if "when" not in entries:
        raise node.error("no 'when'", hint="write it as {when: 'COLUMN=VALUE', reason: CATEGORY}")
    reason = entries["reason"].as_text() if "reason" in entries else ""
    if reason and reason not in list(Category):
        raise entries["reason"].error(
            f"'{show_safely(reason)}' is not a response category",
            hint=did_you_mean(reason, list(Category)) or f"one of {', '.join(Category)}",
        )
    return _checked(entries["when"], lambda text: parse_rule(text, reason))


def _separator(field: str, node: Node) -> str:
    separator = node.as_text()
    if field not in ("tag", "group") or not is_separator(separator):
        raise node.error("separators are written as in 'tag: \",\"' or 'group: \",\"'")
    return separator


def _date_format(text: str) -> str:
    if (mistake := mistake_in_format(text)) is not None:
        raise ValueError(f"the date format '{text}': {mistake} (as in {with_codes('dd.mm.yyyy')})")
    return text


def _checked(node: Node, parse: Callable[[str], Read]) -> Read:
    try:
        return parse(node.as_text())
    except ValueError as error:
        raise node.error(show_safely(str(error))) from None


# A file's header looked at as a whole: whose export it is, and why no column gives the email


# how files begin that are no tables
_OTHER_FILES = {
    "<!doctype html": "a web page",
    "<html": "a web page",
    "<?xml": "an XML file",
    "begin:vcard": "a vCard file",
    "sqlite format 3": "an SQLite database",
    "dn:": "an LDIF file",
    "{\\rtf": "an RTF document",
}
# between two words, and in no name of one column
_UNUSUAL_SEPARATOR = re.compile(r"(?<=\w)[^\w\s.,;/()@'-](?=\w)")


def plain(name: str) -> str:
    """A name as it is compared; one that messages have to escape is known by that form too."""
    return fold(show_safely(trim(name)))


def preset_for(names: Sequence[str], saying: Iterable[str] = ()) -> str:
    """The preset whose export has such a header, or an empty string. With `saying`, only one that
    says what at least one of these columns means for who gets mail."""
    known, asked = set(map(plain, names)), set(map(plain, saying))
    fitting = [
        preset
        for preset in shipped_presets()
        if preset.known_by
        and known.issuperset(map(plain, preset.known_by))
        and (not asked or not asked.isdisjoint(plain(rule.column) for rule in preset.inactive))
    ]
    return max(fitting, key=lambda preset: len(preset.known_by)).name if fitting else ""


def hint_for_email(names: Sequence[str]) -> str:
    start = "".join(names[:1]).lower()
    if other := next((kind for kind in _OTHER_FILES if start.startswith(kind)), None):
        return f"this is {_OTHER_FILES[other]}; export the contacts as CSV or JSON lines"
    if any(map(_is_address, names)):
        return (
            "the first line is a contact: put a line above it that names the columns,"
            " such as `email,first_name`"
        )
    if preset := preset_for(names):
        return f"it looks like an export of another program: --preset {preset} reads it"
    if len(names) == 1 and (separator := _UNUSUAL_SEPARATOR.search(names[0])):
        return f"--delimiter {as_word(separator[0])}, if that is what separates the columns"
    if likely := likely_emails(names):
        return f"name it with --map {as_word(f'{likely[0]}=email')}"
    return (
        "name it with --map 'COLUMN=email'; the first line must name the columns, and --delimiter"
        " is what separates them"
    )


# what other programs call the column of addresses, without blanks, - and _
_ADDRESS_NAMES = frozenset(
    (
        *(
            "email",
            "mail",
            "emailaddress",
            "mailaddress",
            "emailid",
            "emailaddr",
            "useremail",
            "youremail",
        ),
        *("primaryemail", "customeremail", "contactemail", "subscriberemail", "email1"),
        *("emailadresse", "mailadresse", "epost", "epostadress", "epostadresse", "emailadres"),
        *("sähköposti", "sähköpostiosoite", "courriel", "adresseemail", "adressemail"),
        *("adressecourriel", "adresseélectronique", "correo", "correoelectrónico"),
        *("correoelectronico", "indirizzoemail", "indirizzomail", "endereçodeemail"),
        *("enderecodeemail", "adresemail", "адресэлектроннойпочты"),
        *("электроннаяпочта", "почта", "メールアドレス", "邮箱", "电子邮件", "電子郵件", "이메일"),
    )
)
_JOINS = str.maketrans("", "", " -_")


def is_address_column(name: str) -> bool:
    """Whether a column of this name, in one of many languages, holds the contacts' addresses."""
    return plain(name).translate(_JOINS) in _ADDRESS_NAMES


def likely_emails(names: Sequence[str]) -> list[str]:
    """Those of the names that may head a column of addresses."""
    return [name for name in names if "mail" in plain(name).replace("-", "")]


def _is_address(text: str) -> bool:
    try:
        email_key(bare_address(text))
    except ValueError:
        return False
    return True


def as_word(text: str) -> str:
    """Text from a file as one word of a command line."""
    return quote(show_safely(text))
