"""One recipient that a mail reports on, the evidence about it, and what decides its category.

Pieces of evidence count in a fixed order.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from functools import cached_property

from contactctl.domain.responses import Category
from contactctl.responses.classify import Classification, Classifier, by_status
from contactctl.responses.mail.prose import Entry, Prose, without_name
from contactctl.responses.mail.replies import (
    Reply,
    Stage,
    may_name_a_command,
    quoted_replies,
    without_frame,
)
from contactctl.responses.status import (
    find_codes,
    is_specific,
    reply_category,
    status_category,
)


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
        self._diagnostic = without_frame(failure.diagnostic)
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

    def names_sender_alone(self, reply: Reply) -> bool:
        """Whether a reply names the sender's address, and not the recipient's."""
        text = reply.text.lower()
        return self.recipient.lower() not in text and any(own in text for own in self._prose.own)

    @property
    def first_reply(self) -> Reply:
        """The reply that counts most; an empty one where no server is quoted."""
        return next(self.replies(), Reply(""))

    @cached_property
    def sentences(self) -> list[str]:
        """The words of the reporting server about the recipient, the nearest first."""
        entry = self._entry
        said = (entry.opening, entry.section) if entry else ()
        return list(dict.fromkeys(without_name(each, self.recipient) for each in said))

    @property
    def text(self) -> str:
        """All that the mail says; empty where it speaks of several recipients."""
        return without_name(self._prose.text, self.recipient) if self._prose.is_about_one else ""

    @property
    def reasons(self) -> list[str]:
        """The paragraphs of the text that it announces as the reason, the last first."""
        return self._prose.reasons if self._prose.is_about_one else []

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


# What decides a failure's category: pieces of evidence, and the fixed order in which they count.
#
# The refusing server knows best why it refused, so its words come first, then a status that says
# one thing; what it refused (the SMTP command) says whose affair a bare refusal is. Then the words
# of the server that writes the mail, the nearest first. Codes that may mean anything come last. A
# piece that says nothing is passed over; the first that says something decides, and those below it
# are outranked


class Kind(StrEnum):
    """The kinds of evidence; the first outranks all others."""

    REPLY = "reply"  # the words of the refusing server
    STATUS = "status"  # an enhanced status that says one thing (5.1.1, 4.2.2)
    STAGE = "stage"  # the SMTP command that was refused
    SENTENCE = "sentence"  # the words nearest to the address
    TEXT = "text"  # the whole text for people, without notices
    CODE = "code"  # a status or reply code that may mean many things (5.0.0, 5.7.1, 550)
    CONCEPTS = "concepts"  # what a reply speaks of whose words no rule knows
    DELAY = "delay"  # the server still tries


RuleOfEvidence = Callable[[Evidence, Classifier], Iterator[Classification]]


@dataclass(frozen=True, slots=True)
class Piece:
    """One piece of evidence, and what it says."""

    kind: Kind
    says: Classification

    def __str__(self) -> str:
        return f"{self.kind}: {self.says.rule} ({self.says.category})"


@dataclass(frozen=True, slots=True)
class Judgement:
    """What was decided, by which piece (None where nothing says anything), over which others."""

    says: Classification
    decided_by: Piece | None = None
    outranked: tuple[Piece, ...] = ()


def judge(evidence: Evidence, classifier: Classifier) -> Judgement:
    """The category of one failure: the strongest piece that says something decides.

    A code for "some error" (550, 5.0.0) says something only where nothing else does. The weaker
    pieces that say otherwise are outranked: of those, the report's status is always looked at, and
    all others by a thorough classifier alone, which takes twice as long.
    """
    pieces = _pieces(evidence, classifier)
    decided: Piece | None = None
    while not _is_told(decided) and (piece := next(pieces, None)):
        decided = _stronger(decided, piece)
    if decided is None:
        return Judgement(Classification(None, "", evidence.status))
    weaker = pieces if classifier.is_thorough else _statuses_in_report(evidence)
    others = (each for each in weaker if each.says.category not in (decided.says.category, _ANY))
    return Judgement(decided.says, decided, tuple(dict.fromkeys(others)))


def _pieces(evidence: Evidence, classifier: Classifier) -> Iterator[Piece]:
    """What each piece says, the strongest first."""
    for kind, rule_of_evidence in RULES_OF_EVIDENCE.items():
        for says in rule_of_evidence(evidence, classifier):
            yield Piece(kind, says)


def _statuses_in_report(evidence: Evidence) -> Iterator[Piece]:
    if status_category(evidence.status) is not None:
        kind = Kind.STATUS if is_specific(evidence.status) else Kind.CODE
        yield Piece(kind, by_status(evidence.status))


def _is_told(decided: Piece | None) -> bool:
    """Whether a piece has said something: a rule's own "unknown" counts, an unknown code not."""
    return decided is not None and (
        decided.says.by_text or decided.says.category is not Category.UNKNOWN
    )


def _stronger(decided: Piece | None, next_one: Piece) -> Piece:
    return next_one if decided is None or _is_told(next_one) else decided


def _replies(evidence: Evidence, classifier: Classifier) -> Iterator[Classification]:
    for reply in evidence.replies():
        status = reply.status if is_specific(reply.status) else evidence.status or reply.status
        if said := classifier.by_words(reply.text, status=status, reply_code=reply.code):
            yield _as_the_stage_allows(said, reply, evidence)


def _statuses(evidence: Evidence, _: Classifier) -> Iterator[Classification]:
    for reply in evidence.replies():
        if is_specific(reply.status):
            yield _as_the_stage_allows(by_status(reply.status), reply, evidence)
    if is_specific(evidence.status):
        yield _as_the_stage_allows(by_status(evidence.status), evidence.first_reply, evidence)


def _stages(evidence: Evidence, _: Classifier) -> Iterator[Classification]:
    """What a reply means whose words and status say nothing: the command tells."""
    for reply in evidence.replies():
        stage = evidence.stage_of(reply)
        if stage is None or not reply.code or reply.code.endswith("52"):
            continue  # 452, 552: something is full or too large, at any stage
        category = _CATEGORY_OF_BARE_REPLY.get((stage, reply.code[0]))
        if stage is Stage.RCPT and _refuses_recipient(reply, evidence):
            category = Category.INVALID_ADDRESS
        if category:
            yield Classification(category, f"stage-{stage}", reply.status or evidence.status)


def _sentences(evidence: Evidence, classifier: Classifier) -> Iterator[Classification]:
    for sentence in evidence.sentences:
        if said := classifier.by_words(sentence, status=evidence.status):
            yield _as_the_stage_allows(said, evidence.first_reply, evidence)
            return


def _text(evidence: Evidence, classifier: Classifier) -> Iterator[Classification]:
    for text in (*evidence.reasons, evidence.text):
        if said := classifier.by_words(text, status=evidence.status):
            yield _as_the_stage_allows(said, evidence.first_reply, evidence)
            return


def _codes(evidence: Evidence, _: Classifier) -> Iterator[Classification]:
    in_text = find_codes(evidence.sentences[0])[1] if evidence.sentences else ""
    for status in (evidence.first_reply.status, evidence.status, in_text):
        if status_category(status) is not None:
            yield _as_the_stage_allows(by_status(status), evidence.first_reply, evidence)
    for reply in evidence.replies():
        if (category := reply_category(reply.code)) is not None:
            yield Classification(category, f"reply-{reply.code}", evidence.status or reply.status)


def _concepts(evidence: Evidence, classifier: Classifier) -> Iterator[Classification]:
    for reply in evidence.replies():
        said = classifier.by_concepts(
            reply.text, status=reply.status or evidence.status, reply_code=reply.code
        )
        if said:
            yield _as_the_stage_allows(said, reply, evidence)


def _delay(evidence: Evidence, _: Classifier) -> Iterator[Classification]:
    if evidence.is_delayed:
        yield Classification(Category.COMMUNICATION_FAILURE, "delay", evidence.status)


_ANY = Category.UNKNOWN  # of codes that may mean anything
RULES_OF_EVIDENCE: dict[Kind, RuleOfEvidence] = {
    Kind.REPLY: _replies,
    Kind.STATUS: _statuses,
    Kind.STAGE: _stages,
    Kind.SENTENCE: _sentences,
    Kind.TEXT: _text,
    Kind.CODE: _codes,
    Kind.CONCEPTS: _concepts,
    Kind.DELAY: _delay,
}
_CATEGORY_OF_BARE_REPLY = {
    (Stage.CONNECT, "4"): Category.COMMUNICATION_FAILURE,
    (Stage.CONNECT, "5"): Category.BLOCKED,
    (Stage.MAIL, "4"): Category.COMMUNICATION_FAILURE,
    (Stage.MAIL, "5"): Category.BLOCKED,
    (Stage.DATA, "4"): Category.COMMUNICATION_FAILURE,
    (Stage.DATA, "5"): Category.BLOCKED,
}
_BEFORE_THE_RECIPIENT = (Stage.CONNECT, Stage.MAIL)
# What may be wrong with a message, or with a sender, before any recipient is named.
_NOT_ABOUT_THE_RECIPIENT = ("message-too-large",)
_REFUSED_RECIPIENT = re.compile(
    r"[\d.\s-]*+(?:<[^<>]*+>[:.\s]*+)?(?:sorry,? |the |this |that )*+"
    r"(?:(?:recipient|user|mailbox|addressee|account|address)s?(?: <[^<>]*>)?(?: address)? "
    r"(?:(?:is|was|has been) )?(?:refused|rejected|denied|not accepted|not ok)"
    r"|(?:refused|rejected|bad|not ok) (?:the )?(?:recipient|user|mailbox|address))"
    r"(?: here| by \S{1,80})?[\s.!]*\Z",
    re.IGNORECASE,
)


def _as_the_stage_allows(says: Classification, reply: Reply, evidence: Evidence) -> Classification:
    """Before RCPT no server has heard of the recipient: a refusal then is about our host or our
    sender, whatever its words are; at any time one that names our sender alone. Unless it names
    the recipient: some servers report late."""
    if says.category not in (Category.INVALID_ADDRESS, Category.TRANSIENT):
        return says
    stage = evidence.stage_of(reply)
    is_early = (
        stage in _BEFORE_THE_RECIPIENT and evidence.recipient.lower() not in reply.text.lower()
    )
    is_about_sender = is_early or evidence.names_sender_alone(reply)
    if not is_about_sender or says.rule in _NOT_ABOUT_THE_RECIPIENT:
        return says
    is_temporary = (reply.code or says.status).startswith("4")
    category = Category.COMMUNICATION_FAILURE if is_temporary else Category.BLOCKED
    return replace(says, category=category, rule=f"stage-{stage if is_early else Stage.MAIL}")


def _refuses_recipient(reply: Reply, evidence: Evidence) -> bool:
    """Whether a final refusal says that it refuses the recipient, and nothing else."""
    status = reply.status or evidence.status
    is_final = reply.code.startswith("5") and status[2:3] != "7"
    return is_final and bool(_REFUSED_RECIPIENT.match(reply.text))
