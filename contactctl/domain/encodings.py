"""Names of encodings, which are anybody's text."""

import codecs

# slow or surprising on hostile input, and no encoding of a file or a mail
_REFUSED = {"idna", "punycode", "undefined", "unicode_escape", "raw_unicode_escape"}


def text_codec(name: str) -> str | None:
    """Python's name of an encoding of text; None where it knows none that is fit for input."""
    try:
        "".encode(name)  # LookupError also for codecs that are not of text, such as hex
        codec = codecs.lookup(name).name
    except (LookupError, ValueError):
        return None
    return None if codec.replace("-", "_") in _REFUSED else codec
