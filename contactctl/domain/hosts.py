"""Names of mail servers, shortened to what the servers of one operator have in common."""

import re

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
