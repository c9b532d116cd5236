"""The providers, one line each."""

from collections.abc import Callable, Iterable
from typing import NamedTuple

from contactctl.domain.responses import Event
from contactctl.responses.providers import (
    amazon_ses,
    brevo,
    mailgun,
    mailjet,
    postmark,
    sendgrid,
    sparkpost,
)
from contactctl.responses.providers.verdict import Classify


class Provider(NamedTuple):
    """`recognises` tells its events from the others'; `read` takes (event, source, classify).

    Neither raises, whatever the types of the event's values are.
    """

    recognises: Callable[[dict[str, object]], bool]
    read: Callable[[dict[str, object], str, Classify], Iterable[Event]]


PROVIDERS = {
    "ses": Provider(amazon_ses.recognises, amazon_ses.read),
    "sendgrid": Provider(sendgrid.recognises, sendgrid.read),
    "postmark": Provider(postmark.recognises, postmark.read),
    "mailgun": Provider(mailgun.recognises, mailgun.read),
    "sparkpost": Provider(sparkpost.recognises, sparkpost.read),
    "mailjet": Provider(mailjet.recognises, mailjet.read),
    "brevo": Provider(brevo.recognises, brevo.read),
}
