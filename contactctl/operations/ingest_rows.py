"""Events as the store takes them: keys, instants in UTC, nothing that a database refuses.

Read in a process of its own (see read_aside), so that nothing here may import SQLAlchemy.
"""

from collections.abc import Callable, Collection, Generator, Iterable
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace
from hashlib import blake2b

from contactctl.domain.emails import email_key
from contactctl.domain.erasure import mentions_others
from contactctl.domain.responses import (
    RESUBSCRIBED,
    UNSUBSCRIBED,
    Activity,
    ActivityKind,
    Category,
    Event,
    NoResponse,
    Rejection,
    Response,
    Unsubscribe,
)
from contactctl.domain.text import fold
from contactctl.responses.rules import SENDER_SIDE, is_sender_side
from contactctl.store.staged import SignKind, Staged, stored_instant

Suppressed = Callable[[Collection[str]], AbstractSet[str]]

_MAX_KEY_CHARACTERS = 320
_MAX_REJECTED_BYTES = 1 << 22
_SUPPRESSED = "the address is suppressed: its contact was erased"
_KINDS = {
    ActivityKind.DELIVERED: int(SignKind.DELIVERED),
    ActivityKind.OPENED: int(SignKind.OPENED),
    ActivityKind.CLICKED: int(SignKind.CLICKED),
}


@dataclass(slots=True)
class ReadBatch:
    """Events ready for store.ingest_batch, in the order in which they were read.

    `events` counts responses and activities, `activity_events` the latter alone; `no_responses`
    what is neither. What people wish is among the responses. `undated` responses have no time of
    their own.
    """

    responses: list[Staged] = field(default_factory=list)
    signs: list[Staged] = field(default_factory=list)
    rejected: list[Rejection] = field(default_factory=list)
    rejected_bytes: int = 0
    events: int = 0
    activity_events: int = 0
    no_responses: int = 0
    undated: int = 0

    @property
    def is_without_responses(self) -> bool:
        """Whether there is nothing in it to record or to reject."""
        return not (self.responses or self.signs or self.rejected)

    def add(self, event: Event) -> None:
        """Take in what was read next."""
        if isinstance(event, Rejection):
            self.rejected.append(event)
            self.rejected_bytes += len(event.raw)
            return
        if isinstance(event, NoResponse):
            self.no_responses += 1
            return
        self.events += 1
        if isinstance(event, Response):
            self.responses.append(response_row(event))
            self.undated += event.occurred_at is None
        elif isinstance(event, Unsubscribe):
            self.responses.append(unsubscribe_row(event))
        else:
            self.activity_events += 1
            self._take_sign(event)

    def _take_sign(self, activity: Activity) -> None:
        """Mail alone says how a mailbox is."""
        key = _key(activity.recipient)
        if key is None or activity.channel != "email":
            return
        kind, hash_ = _KINDS[activity.kind], 0
        if activity.kind is ActivityKind.DELIVERED:
            message = _message(activity.message, key)
            hash_ = message or _hash(activity.source_key)
        elif activity.by_machine:
            kind = int(SignKind.BY_MACHINE)
        at = activity.occurred_at
        self.signs.append((key, None if at is None else stored_instant(at), kind, hash_))


def batches_of(events: Iterable[Event], size: int) -> Generator[ReadBatch]:
    """The events in batches of `size`; smaller ones where what is rejected is large."""
    batch = ReadBatch()
    for number, event in enumerate(events, 1):
        batch.add(event)
        if number % size == 0 or batch.rejected_bytes >= _MAX_REJECTED_BYTES:
            yield batch
            batch = ReadBatch()
    if batch.events or batch.rejected or batch.no_responses:
        yield batch


def events_not_suppressed(batch: ReadBatch, suppressed: Suppressed) -> ReadBatch:
    """The batch without suppressed addresses, whose responses are rejected."""
    keys = {key for row in batch.responses for key in row[:2] if key}
    forbidden = suppressed(keys.union([row[0] for row in batch.signs]))
    if not forbidden:
        return batch
    responses, rejected = [], list(batch.rejected)
    for row in batch.responses:
        if row[0] in forbidden or row[1] in forbidden:
            rejected.append(Rejection(row[-1], _SUPPRESSED))
        else:
            responses.append(row)
    signs = [row for row in batch.signs if row[0] not in forbidden]
    return replace(batch, responses=responses, signs=signs, rejected=rejected)


def _message(message: str, key: str) -> int:
    """What a mail's delivery to an address and its coming back have in common; 0 if not known."""
    return _hash(f"{message} {key}") if message else 0


def _hash(source_key: str) -> int:
    """63 bits by which two deliveries of one instant are told apart."""
    return int.from_bytes(blake2b(source_key.encode(), digest_size=8).digest()) >> 1


def response_row(response: Response) -> Staged:
    """The columns of store.ingest_batch, in order."""
    given = response.original_recipient or response.recipient
    key = first = _key(given)
    second = first if given == response.recipient else _key(response.recipient)
    if key is None:
        key = second or fold(given)[:_MAX_KEY_CHARACTERS]
    counts, not_counted = response.counts, response.not_counted
    if counts and is_sender_side(response):
        counts, not_counted = False, SENDER_SIDE
    at = response.occurred_at
    group = fold(response.group) if response.group else ""
    evidence = _evidence(response)
    text = (
        f"{given} {response.recipient} {response.source_key} {response.status}"
        f" {response.diagnostic} {response.rule} {evidence} {response.channel} {group}"
        f" {response.host} {response.source}"
    )
    row = (
        key,
        second if second != key else None,
        response.source_key,
        response.category.value,
        counts,
        not_counted,
        response.status,
        response.diagnostic,
        response.rule,
        evidence,
        bool(response.through),
        mentions_others(text, key),
        given,
        response.channel,
        group,
        response.host,
        _message(response.message, key) if _came_back(response, not_counted) else 0,
        None if at is None else stored_instant(at),
        response.source,
    )
    return row if _is_plain(text) else tuple(map(_storable, row))


def _came_back(response: Response, not_counted: str) -> bool:
    """Whether it says that the mail has not arrived in the end."""
    is_final = not not_counted or not_counted == SENDER_SIDE
    return is_final and response.category is not Category.SPAM_COMPLAINT


def unsubscribe_row(wish: Unsubscribe) -> Staged:
    """The same columns for what a person wishes: it counts towards no threshold. The group stays
    as it was named, since it may be none of ours."""
    at, given = wish.occurred_at, wish.recipient
    key = _key(given) or fold(given)[:_MAX_KEY_CHARACTERS]
    text = f"{given} {wish.source_key} {wish.group} {wish.rule} {wish.source}"
    row = (
        key,
        None,
        wish.source_key,
        RESUBSCRIBED if wish.resubscribed else UNSUBSCRIBED,
        False,
        "echo" if wish.echo else "unsubscribe",
        "",
        wish.group or "",
        wish.rule,
        "",
        False,
        mentions_others(text, key),
        given,
        "email",
        fold(wish.group) if wish.group else "",
        "",
        0,
        None if at is None else stored_instant(at),
        wish.source,
    )
    return tuple(map(_storable, row))


def _evidence(response: Response) -> str:
    """What decided, and what it outranks: `reply, over code: status-5.7.1 (blocked)`."""
    if not response.outranked:
        return response.evidence
    return f"{response.evidence}, over {response.outranked}"


def _key(address: str) -> str | None:
    """The key of an address; None where it is none that a contact could have."""
    try:
        return email_key(address)
    except ValueError:
        return None


def _is_plain(text: str) -> bool:
    return text.isascii() and "\0" not in text


def _storable(value: object) -> object:
    """A text with NUL and lone surrogates, which no database takes, as U+FFFD."""
    if not isinstance(value, str):
        return value
    without_nul = value.replace("\0", "\ufffd")
    return without_nul.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
