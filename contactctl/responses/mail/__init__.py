"""Reading bounce and complaint mails."""

from contactctl.responses.mail.addresses import VerpPattern
from contactctl.responses.mail.bounce import NO_NAMING, Naming
from contactctl.responses.mail.reader import MAX_MAIL_BYTES, read_mail

__all__ = ["MAX_MAIL_BYTES", "NO_NAMING", "Naming", "VerpPattern", "read_mail"]
