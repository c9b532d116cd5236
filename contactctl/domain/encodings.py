"""Names of encodings, which come from outside."""

import codecs

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
