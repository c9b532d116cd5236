"""Samples of every event that the providers document, written for these tests."""

from helpers.samples.amazon_ses import SES
from helpers.samples.brevo import BREVO
from helpers.samples.mailgun import MAILGUN
from helpers.samples.mailjet import MAILJET
from helpers.samples.postmark import POSTMARK
from helpers.samples.sendgrid import SENDGRID
from helpers.samples.sparkpost import SPARKPOST

CASES = {
    "ses": SES,
    "sendgrid": SENDGRID,
    "postmark": POSTMARK,
    "mailgun": MAILGUN,
    "sparkpost": SPARKPOST,
    "mailjet": MAILJET,
    "brevo": BREVO,
}
