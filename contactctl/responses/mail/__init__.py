"""Reading bounce and complaint mails."""

from contactctl.responses.mail.bounce import NO_NAMING, Naming
from contactctl.responses.mail.reader import MAX_MAIL_BYTES, read_mail
from contactctl.responses.mail.verp import VerpPattern

__all__ = ["MAX_MAIL_BYTES", "NO_NAMING", "Naming", "VerpPattern", "read_mail"]
