"""A file's header looked at as a whole: whose export it is, and why no column gives the email."""

from collections.abc import Sequence
from shlex import quote

from contactctl.domain.emails import bare_address, email_key
from contactctl.domain.text import fold, show_safely, trim
from contactctl.operations.importing.presets import shipped_presets

# how files begin that are no tables
_OTHER_FILES = {
    "<!doctype html": "a web page",
    "<html": "a web page",
    "<?xml": "an XML file",
    "begin:vcard": "a vCard file",
    "dn:": "an LDIF file",
    "{\\rtf": "an RTF document",
}


def plain(name: str) -> str:
    """A name as it is compared; one that messages have to escape is known by that form too."""
    return fold(show_safely(trim(name)))


def preset_for(names: Sequence[str]) -> str:
    """The preset whose export has such a header, or an empty string."""
    known = {plain(name) for name in names}
    fitting = [
        preset
        for preset in shipped_presets()
        if preset.known_by and all(plain(name) in known for name in preset.known_by)
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
    if len(names) == 1 and "|" in names[0]:
        return "is | what separates the cells? then say --delimiter '|'"
    likely = [name for name in names if "mail" in plain(name).replace("-", "")]
    if likely:
        return f"name it with --map {as_word(f'{likely[0]}=email')}"
    return (
        "name it with --map 'COLUMN=email'; the first line must name the columns, and --delimiter"
        " is what separates them"
    )


def _is_address(text: str) -> bool:
    try:
        email_key(bare_address(text))
    except ValueError:
        return False
    return True


def as_word(text: str) -> str:
    """Text from a file as one word of a command line."""
    return quote(show_safely(text))
