"""Email addresses: what is accepted, and the key by which two of them are the same contact."""

import re

from contactctl.domain.lazy import dataclass
from contactctl.domain.text import IGNORABLE, UNSAFE_CHARACTERS, fold, named_character, trim

# RFC 5321 sections 4.5.3.1.1 and 4.5.3.1.3; the path's 256 octets include its angle brackets
_MAX_LOCAL_OCTETS = 64
_MAX_ADDRESS_OCTETS = 254
_MAX_LABEL = 63

_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_DOT_ATOM = re.compile(rf"{_ATOM}(?:\.{_ATOM})*\Z")  # RFC 5321 section 4.1.2, quoted form left out
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?"
_DOMAIN = re.compile(rf"(?:{_LABEL}\.)+(?![0-9]+\Z){_LABEL}\Z")
_PLAIN = re.compile(
    rf"{_ATOM}(?:\.{_ATOM})*@(?:[A-Za-z0-9]+(?:-[A-Za-z0-9]+)*\.)+[A-Za-z]{{2,63}}\Z"
)
_NAMED_ADDRESS = re.compile(r"""([^<>@"]*|\s*"[^<>@"]*"\s*)<([^<>\s]+)>\Z""")
_MAILTO = "mailto:"
_SEVERAL = re.compile(r"@[^@]*[\s,;|/][^@]*@")
# U+FFFD stands where a character was lost before
_NOT_TO_BE_SEEN = re.compile(rf"[\s\ufffd{IGNORABLE}]|{UNSAFE_CHARACTERS.pattern}")


@dataclass(frozen=True)
class EmailAddress:
    """An accepted address: as it was given (trimmed), its key, and the key's domain."""

    email: str
    key: str
    domain: str


def parse_email(text: str) -> EmailAddress:
    """The address in `text`; ValueError says what is wrong with it.

    Blanks and invisible characters at the ends are dropped, and refused inside. The key is the
    address in lower case with an IDNA 2008 domain (A-labels). Quoted local
    parts, address literals, comments and display names are refused.
    """
    email = trim(text)
    key = _plain_key(email) or _checked_key(email)
    return EmailAddress(email, key, key.rpartition("@")[2])


def bare_address(text: str) -> str:
    """The address without the name before it (RFC 5322 section 3.4) or `mailto:`; else the text."""
    if text.endswith(">") and (named := _NAMED_ADDRESS.match(text)):
        text = named[2]
    return text[len(_MAILTO) :] if text[: len(_MAILTO)].lower() == _MAILTO else text


def email_key(text: str) -> str:
    """The key of an address; ValueError if it is not an address."""
    email = trim(text)
    return _plain_key(email) or _checked_key(email)


def key_or_folded(text: str) -> str:
    """The key of an address; any other text folded, which is no contact's key."""
    try:
        return email_key(text)
    except ValueError:
        return fold(text)


def _plain_key(email: str) -> str | None:
    """The key of an address of the most ordinary kind, None for one that needs the full check."""
    # the shortest of the limits: below it no part of the address can be too long
    if len(email) > _MAX_LABEL or not email.isascii() or _PLAIN.match(email) is None:
        return None
    return email.lower()


def _checked_key(email: str) -> str:
    local, at, domain = email.rpartition("@")
    if not email:
        raise ValueError("the address is empty")
    if _SEVERAL.search(email):
        raise ValueError("more than one address")
    if found := _NOT_TO_BE_SEEN.search(email):
        raise ValueError(
            f"an address cannot contain {named_character(found[0])} (character {found.start() + 1})"
        )
    if not at or not local or not domain:
        raise ValueError("an address has the form name@domain")
    key = f"{_local_key(local)}@{_domain_key(domain)}"
    if len(key.encode()) > _MAX_ADDRESS_OCTETS:
        raise ValueError(f"the address is longer than {_MAX_ADDRESS_OCTETS} octets")
    return key


def _local_key(local: str) -> str:
    """Lower case; other letters than ASCII are allowed (RFC 6531) and folded."""
    if len(local.encode()) > _MAX_LOCAL_OCTETS:
        raise ValueError(f"the part before @ is longer than {_MAX_LOCAL_OCTETS} octets")
    ascii_only = "".join(character if character.isascii() else "x" for character in local)
    if _DOT_ATOM.match(ascii_only) is None:
        raise ValueError("the part before @ has a character or a dot that is not allowed there")
    return fold(local)


def _domain_key(domain: str) -> str:
    if not domain.isascii() or "xn--" in domain.lower():
        domain = _to_a_labels(domain)
    if _DOMAIN.match(domain) is None:
        raise ValueError("the domain does not have the form example.com")
    if any(len(label) > _MAX_LABEL for label in domain.split(".")):
        raise ValueError(f"a part of the domain is longer than {_MAX_LABEL} characters")
    return domain.lower()


def _to_a_labels(domain: str) -> str:
    """The domain as in the DNS: UTS #46 mapping, then IDNA 2008 (RFC 5891)."""
    import idna  # noqa: PLC0415  (35 ms, and few addresses need it)

    try:
        return idna.encode(domain, uts46=True).decode()
    except UnicodeError as error:  # IDNAError is one
        raise ValueError("the domain is not a valid international domain name") from error
