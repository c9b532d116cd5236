"""One recipient that a mail reports on, before classification."""

from dataclasses import dataclass
from datetime import datetime

from contactctl.responses.mail.prose import Prose


@dataclass(frozen=True, slots=True)
class Failure:
    """A failed (or complaining) recipient.

    `diagnostic` is what a server said, `prose` the text for people, `occurred_at` the time that
    the report names, aware UTC.
    """

    recipient: str
    original_recipient: str | None = None
    status: str = ""
    diagnostic: str = ""
    prose: Prose | None = None
    is_delayed: bool = False
    occurred_at: datetime | None = None

    @property
    def explanations(self) -> list[str]:
        """What the text for people says about the recipient, the closest words first."""
        return self.prose.about(self.recipient) if self.prose else []
