"""Names of mail servers; database URLs, and texts that may hold one, without their passwords."""

import re
from urllib.parse import unquote_plus

# up to the last @: a password may contain an unencoded @ or /
_USER_PASSWORD = re.compile(r"(://[^:/?#@]*):.*@", re.DOTALL)
_PARAMETER = re.compile(r"([?&])([^=&]*)=([^&]*)")
# parameters of libpq that hold nothing secret; any other, such as options, may
_SHOWN_PARAMETERS = (
    *("host", "hostaddr", "port", "dbname", "user", "passfile", "service", "application_name"),
    *("connect_timeout", "client_encoding", "target_session_attrs", "load_balance_hosts"),
    *("sslmode", "sslcert", "sslkey", "sslrootcert", "sslcrl", "channel_binding", "gssencmode"),
    *("keepalives", "keepalives_idle", "keepalives_interval", "keepalives_count"),
    "tcp_user_timeout",
)
_PASSWORD_PARAMETERS = ("password", "sslpassword")
# inside a text: one slash is what a path makes of two, and a text may be cut before the @; digits
# alone are a port
_IN_TEXT = re.compile(
    r"""(:/{1,2}(?!\[)[^\s:/?#@'"]*):
        (?:.*@|(?!\d{1,5}(?:[/?\#\s'",;)]|$))[^\s'"]+)""",
    re.VERBOSE,
)
_ASSIGNED = re.compile(r"(password\s*[=:]\s*)('[^']*'?|\"[^\"]*\"?|[^\s&'\")]+)", re.IGNORECASE)
_LONGEST_TEXT = 10_000


def hide_password(url: str) -> str:
    """The URL with `***` for every password in it, and for parameters that may hold one."""
    return _PARAMETER.sub(_parameter, _USER_PASSWORD.sub(r"\1:***@", url))


def has_password(url: str) -> bool:
    """Whether the URL carries a password, in whatever place."""
    names = (_name(match) for match in _PARAMETER.finditer(url))
    return bool(_USER_PASSWORD.search(url)) or any(name in _PASSWORD_PARAMETERS for name in names)


def hide_passwords_in(text: str) -> str:
    """A message with `***` for what looks like a password in it; a very long one is cut."""
    if len(text) > _LONGEST_TEXT:
        text = f"{text[:_LONGEST_TEXT]}..."
    return _ASSIGNED.sub(r"\1***", _IN_TEXT.sub(r"\1:***@", text))


def _parameter(match: re.Match[str]) -> str:
    return match[0] if _name(match) in _SHOWN_PARAMETERS else f"{match[1]}{match[2]}=***"


def _name(match: re.Match[str]) -> str:
    return unquote_plus(match[2]).lower()


# Names of mail servers, shortened to what the servers of one operator have in common


_TYPE = r"(?:[a-z][\w-]{0,20}\s*;\s*)?"
_NAME = re.compile(rf"{_TYPE}\[?([\w-]{{1,63}}(?:\.[\w-]{{1,63}}){{1,9}})", re.I | re.A)
# below these of a country, names belong to different people
_SECOND_LEVEL = frozenset(
    (
        *("ac", "co", "com", "edu", "go", "gob", "gouv", "gov", "govt", "mil", "ne", "net", "nhs"),
        *("nom", "or", "org", "sch"),
    )
)
_OF_NOBODY = frozenset(("corp", "home", "internal", "invalid", "lan", "local", "localdomain"))
# these send for others and receive for nobody: one that they name is the sender's own side
_SENDING = frozenset(
    (
        *("amazonses.com", "mailgun.net", "mailgun.org", "mailjet.com", "mandrillapp.com"),
        *("mtasv.net", "sendgrid.net", "sendinblue.com", "sparkpostmail.com"),
    )
)


def receiving_host(text: str) -> str:
    """`dns; aspmx.l.google.com. (1.2.3.4)` -> `google.com`; '' for what names no receiving server.

    An address of the network alone, a name inside somebody's network, and the servers of those who
    only send are none. The form is that of the MTA fields of reports (RFC 3464, 2.2.2).
    """
    found = _NAME.match(text.strip())
    labels = found[1].lower().split(".") if found else []
    if len(labels) < 2 or labels[-1].isdigit() or labels[-1] in _OF_NOBODY:
        return ""
    is_shared = len(labels) > 2 and len(labels[-1]) == 2 and labels[-2] in _SECOND_LEVEL
    name = ".".join(labels[-3 if is_shared else -2 :])
    return "" if name in _SENDING else name


# how Postfix and Exim, Sendmail, Outlook and Gmail say who answered; "your host" is the sender's
_MARKS = ("host ", "while talking to ", ".protection.outlook.com", "gsmtp")
_WHO_ANSWERED = re.compile(
    r"\bhost (?<!client host )(?<!sender host )(?<!sending host )(?<!helo host )(?<!your host )"
    r"([\w.-]{4,253}) ?\[[\da-f.:]+\]"
    r"|\bwhile talking to ([\w.-]{4,253}?)\.?:"
    r"|\[([\w.-]{4,200}\.protection\.outlook\.com)\b"
    r"|\b(gsmtp)\b",
)


def host_in_words(words: str) -> str:
    """The receiving host that a refusal's own words name, shortened in the same way, else ''.

    Providers that only send pass these words on, and do not say which server answered.
    """
    words = words.lower()
    if not any(mark in words for mark in _MARKS):
        return ""
    found = _WHO_ANSWERED.search(words)
    if found is None:
        return ""
    return "google.com" if found[4] else receiving_host(found[1] or found[2] or found[3])
