"""One recipient that a mail reports on, and the evidence about it, before classification."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from contactctl.responses.classify import find_codes
from contactctl.responses.mail.prose import Entry, Prose
from contactctl.responses.mail.replies import Reply, Stage, may_name_a_command, quoted_replies


@dataclass(frozen=True, slots=True)
class Failure:
    """A failed (or complaining) recipient.

    `diagnostic` is what a server said, `prose` the text for people, `occurred_at` the time that
    the report names, aware UTC, `host` the receiving server, shortened (domain.hosts).
    """

    recipient: str
    original_recipient: str | None = None
    status: str = ""
    diagnostic: str = ""
    prose: Prose | None = None
    is_delayed: bool = False
    occurred_at: datetime | None = None
    host: str = ""

    def words(self) -> str:
        """What was said about this recipient: the report's words, else those of the text."""
        if self.diagnostic or self.prose is None:
            return self.diagnostic
        entry = self.prose.about(self.recipient)
        return entry.opening if entry else self.prose.text


class Evidence:
    """All that a mail holds about one failed recipient; each piece is looked for when asked for."""

    def __init__(self, failure: Failure) -> None:
        self.recipient = failure.recipient
        self.status = failure.status
        self.is_delayed = failure.is_delayed
        self._diagnostic = failure.diagnostic
        self._prose = failure.prose or Prose("")

    def replies(self) -> Iterator[Reply]:
        """The reply in the report, then those that the text quotes."""
        if self._diagnostic:
            yield self._reported
        yield from self._quoted

    def stage_of(self, reply: Reply) -> Stage | None:
        """The command that a reply answers. Of the one in the report, the text may tell."""
        if reply.stage or reply is not self._reported:
            return reply.stage
        if not self._prose.has(may_name_a_command):
            return None
        return next((quoted.stage for quoted in self._quoted if quoted.stage), None)

    @property
    def first_reply(self) -> Reply:
        """The reply that counts most; an empty one where no server is quoted."""
        return next(self.replies(), Reply(""))

    @cached_property
    def sentences(self) -> list[str]:
        """The words of the reporting server about the recipient, the nearest first."""
        entry = self._entry
        return list(dict.fromkeys((entry.opening, entry.section))) if entry else []

    @property
    def text(self) -> str:
        """All that the mail says; empty where it speaks of several recipients."""
        return self._prose.text if self._prose.is_about_one else ""

    @cached_property
    def _entry(self) -> Entry | None:
        return self._prose.about(self.recipient)

    @cached_property
    def _reported(self) -> Reply:
        code, status = find_codes(self._diagnostic)
        own = quoted_replies(self._diagnostic) if may_name_a_command(self._diagnostic) else []
        stage = next((reply.stage for reply in own if reply.stage), None)
        return Reply(self._diagnostic, code, status, stage)

    @cached_property
    def _quoted(self) -> list[Reply]:
        entry = self._entry
        quoted = quoted_replies(entry.section) if entry else []
        if entry and entry.reason_comes_first:
            quoted.reverse()  # the nearest stands last
        return quoted or quoted_replies(self.text)
