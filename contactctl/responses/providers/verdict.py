"""What a provider's event says about its recipient, and the response that follows from it."""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache
from typing import NamedTuple

from contactctl.domain.responses import (
    Activity,
    ActivityKind,
    Category,
    Rejection,
    Response,
)
from contactctl.responses.classify import Classification, Classifier
from contactctl.responses.fields import address_of

CACHED_CLASSIFICATIONS = 4_096

# a long word of letters and digits, or a long number: no word of any language, no reply code
_QUEUE_ID = re.compile(r"\b(?=[a-z]{0,40}\d)[a-z\d]{8,}\b", re.ASCII | re.IGNORECASE)

Classify = Callable[[str, str, str], Classification]
"""(diagnostic, enhanced status, reply code) -> classification."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """The category of a kind of event. With `text_first` it holds only if the text says nothing.

    `not_counted` is empty, or why such a response never counts towards a threshold.
    """

    category: Category
    not_counted: str = ""
    text_first: bool = False


class _Decision(NamedTuple):
    category: Category
    rule: str
    status: str
    not_counted: str


NOT_A_RESPONSE = None
OWN_REFUSAL = Verdict(Category.BLOCKED, "own-refusal")
UNRECOGNISED = Verdict(Category.UNKNOWN, "unrecognised-event")


def certain(category: Category) -> Verdict:
    """The event alone decides."""
    return Verdict(category)


def unless_text_says(category: Category) -> Verdict:
    """The text or the status decides; the category is for when they say nothing."""
    return Verdict(category, text_first=True)


def echo(category: Category) -> Verdict:
    """The provider did not try, because of an earlier response."""
    return Verdict(category, "echo")


def delayed(category: Category) -> Verdict:
    """The provider goes on trying."""
    return Verdict(category, "delayed")


@dataclass(slots=True)
class Report:
    """The facts of one event about one recipient, in the provider's words.

    `event` names the kind of event for the rule (`permanent-general`), `key` identifies the event.
    """

    provider: str
    event: str
    source: str
    key: str
    recipient: object
    occurred_at: datetime | None = None
    diagnostic: str = ""
    status: str = ""
    reply_code: str = ""


def respond(
    report: Report, verdict: Verdict | None, classify: Classify
) -> list[Response | Rejection]:
    """The response to a report: none for NOT_A_RESPONSE, a rejection where no address is given."""
    if verdict is NOT_A_RESPONSE:
        return []
    recipient = address_of(report.recipient)
    if not recipient:
        return [no_address(report.source, report.provider, report.event)]
    decision = _decide(report, verdict, recipient, classify)
    return [
        Response(
            source=report.source,
            source_key=report.key,
            recipient=recipient,
            category=decision.category,
            counts=not decision.not_counted,
            not_counted=decision.not_counted,
            status=decision.status,
            diagnostic=report.diagnostic,
            rule=decision.rule,
            occurred_at=report.occurred_at,
        )
    ]


def unrecognised(report: Report, classify: Classify) -> list[Response | Rejection]:
    """An event of a type that is not in the provider's documentation: kept, never counted."""
    named = f"unrecognised {report.provider} event {report.event or 'without a type'}"
    diagnostic = f"{named}: {report.diagnostic}" if report.diagnostic else named
    if not address_of(report.recipient):
        return [no_address(report.source, report.provider, report.event)]
    kept = replace(report, event="unrecognised-event", diagnostic=diagnostic)
    return respond(kept, UNRECOGNISED, classify)


def activity(report: Report, kind: ActivityKind) -> Activity | Rejection:
    """A delivery, open or click; a rejection where no address is given."""
    recipient = address_of(report.recipient)
    if not recipient:
        return no_address(report.source, report.provider, report.event)
    return Activity(report.source, report.key, recipient, kind, report.occurred_at)


def no_address(source: str, provider: str, event: str) -> Rejection:
    """An event that names no recipient."""
    return Rejection(source, f"{provider} event {event or 'without a type'}: no email address")


def cached(classifier: Classifier) -> Classify:
    """The classifier's judgement, remembered for the texts seen lately.

    Queue ids make texts unlike that mean the same, so that a text not seen is asked for without.
    """

    @lru_cache(maxsize=CACHED_CLASSIFICATIONS)
    def classify_without_ids(diagnostic: str, status: str, reply_code: str) -> Classification:
        return classifier.classify(diagnostic=diagnostic, status=status, reply_code=reply_code)

    @lru_cache(maxsize=CACHED_CLASSIFICATIONS)
    def classify(diagnostic: str, status: str, reply_code: str) -> Classification:
        return classify_without_ids(_QUEUE_ID.sub("#", diagnostic), status, reply_code)

    return classify


def _decide(report: Report, verdict: Verdict, recipient: str, classify: Classify) -> _Decision:
    status = report.status
    if verdict.text_first:
        # the address is no evidence, and leaving it out lets equal refusals share one cache entry
        diagnostic = report.diagnostic.replace(recipient, "<>")
        said = classify(diagnostic, report.status, report.reply_code)
        status = said.status or status
        if said.category is not None and said.category is not Category.UNKNOWN:
            not_counted = verdict.not_counted or said.not_counted
            return _Decision(said.category, said.rule, status, not_counted)
    rule = f"{report.provider}.{report.event}"
    return _Decision(verdict.category, rule, status, verdict.not_counted)
