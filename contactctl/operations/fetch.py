"""Responses fetched: from a mailbox, from a provider's API or a queue; each one once."""

import time
from collections.abc import Callable, Generator, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from contactctl.config.settings import Settings
from contactctl.domain.criteria.fields import did_you_mean
from contactctl.domain.emails import email_key
from contactctl.domain.errors import ConfigError, UsageError
from contactctl.domain.responses import Event, NoResponse, Rejection, Response, Unsubscribe
from contactctl.domain.run_kinds import IngestRun
from contactctl.domain.runs import RunKind
from contactctl.domain.sources import Mailbox, ProviderSource
from contactctl.domain.text import show_safely
from contactctl.domain.waits import FOR_INGEST_S
from contactctl.operations.ingest import BATCH_EVENTS, IngestResult, OnReject, ingest_batches
from contactctl.operations.ingest_rows import ReadBatch, batches_of
from contactctl.operations.reading import ResponseReader
from contactctl.operations.session import Session
from contactctl.responses.apis.description import Api, api_of
from contactctl.responses.apis.lists import Asked, Page, pages_of
from contactctl.responses.apis.transport import ApiError, Client, OutOfTimeError, Pace, Sleep
from contactctl.responses.mailbox import open_mailbox
from contactctl.responses.mailbox_session import MailboxSession
from contactctl.store.pushing import pushed_among
from contactctl.store.runs import note_done, position_of_source

FIRST = timedelta(days=30)  # of the first fetch
TIME_LIMIT_S = 600.0
FETCH = "fetch"  # begins the names of a fetch's work
_EXPIRED = frozenset({400, 404, 410, 422})  # what an address of a page gives that is too old


def find_fetched(settings: Settings, name: str | None) -> Mailbox | ProviderSource:
    """The mailbox or the provider's API of that name; without one the only one there is."""
    apis = {key: each for key, each in settings.sources.items() if isinstance(each, ProviderSource)}
    known: dict[str, Mailbox | ProviderSource] = {**apis, **settings.mailboxes}
    if not known:
        raise UsageError(
            "the config has no mailbox and no provider",
            hint="name one below `mailboxes:` or `sources:`",
        )
    if name is None:
        if len(known) > 1:
            raise UsageError("which one?", hint=f"one of {', '.join(sorted(known))}")
        return next(iter(known.values()))
    if name not in known:
        hint = did_you_mean(name, list(known)) or f"one of {', '.join(sorted(known))}"
        raise UsageError(f"no mailbox or provider '{show_safely(name)}' in the config", hint=hint)
    if name in apis and name in settings.mailboxes:
        raise UsageError(f"'{name}' is a mailbox and a source", hint="give one another name")
    return known[name]


# Mails of a mailbox, which are marked, moved or deleted once they are recorded


def fetch_mailbox(
    session: Session,
    mailbox: Mailbox,
    password: str,
    on_reject: OnReject,
    *,
    wait_seconds: float = FOR_INGEST_S,
) -> IngestResult:
    """Ingest what the mailbox holds. Raises MailboxError, BusyError."""
    reader = ResponseReader(session.settings)
    with open_mailbox(mailbox, password) as opened:
        mails = _FetchedMails(opened)
        fetched = ingest_batches(
            session,
            batches_of(mails.events(reader), BATCH_EVENTS),
            on_reject,
            details=IngestRun(mailbox=mailbox.name),
            after_commit=mails.commit,
            wait_seconds=wait_seconds,
        )
    with session.store.writing() as connection:
        note_done(connection, f"{FETCH} {mailbox.name}", session.clock())
    return fetched


class _FetchedMails:
    """The mails of an open mailbox; `commit` deals with those that have been read to their end.

    One that cannot be read stays as it is: the mailbox may hold the only copy.
    """

    def __init__(self, opened: MailboxSession) -> None:
        self._opened = opened
        self._finished: list[str] = []

    def events(self, reader: ResponseReader) -> Iterator[Event]:
        """The events of every mail."""
        for mail in self._opened.fetch():
            is_rejected = False
            for event in reader.read_mails([(mail.source, mail.raw)]):
                is_rejected |= isinstance(event, Rejection)
                yield event
            if not is_rejected:
                self._finished.append(mail.receipt)

    def commit(self) -> None:
        """Mark, move or delete them, as the config says."""
        self._opened.commit(self._finished)
        self._finished.clear()


# What a provider's API has to tell, page by page


@dataclass(frozen=True, slots=True)
class FetchResult:
    """What a fetch found, and what became of it; without a run, nothing was new.

    `is_out_of_time`: the next fetch goes on with the rest.
    """

    source: str
    ingested: IngestResult
    is_out_of_time: bool = False


@dataclass(frozen=True, slots=True)
class FetchOptions:
    """Everything `since` a moment (None: what is new), for at most `time_limit_s` seconds; `sleep`
    waits where the API asks for patience. `is_pull`: everybody whom the provider suppresses; what
    is new is for the next fetch to find."""

    since: datetime | None = None
    time_limit_s: float = TIME_LIMIT_S
    sleep: Sleep = time.sleep
    is_pull: bool = False


def fetch_responses(
    session: Session,
    source: ProviderSource,
    key: str,
    on_reject: OnReject,
    options: FetchOptions | None = None,
    *,
    wait_seconds: float = FOR_INGEST_S,
) -> FetchResult:
    """Record what is new since the last fetch, or everything since a moment.

    Ended early, what is recorded stays, and the next fetch goes on. Raises ApiError, BusyError.
    """
    reading = _reading(session, source, key, options or FetchOptions())
    result = ingest_batches(
        session,
        reading.batches(),
        on_reject,
        details=IngestRun(source=source.name),
        after_commit=reading.after_commit,
        wait_seconds=wait_seconds,
        position=lambda: reading.position,
    )
    if not reading.is_out_of_time:
        with session.store.writing() as connection:
            note_done(connection, f"{FETCH} {source.name}", session.clock())
    return FetchResult(source.name, result, reading.is_out_of_time)


def moment_of(text: str, time_zone: ZoneInfo) -> datetime:
    """A day, or an instant, as ISO 8601 writes them; without an offset in this time zone."""
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        raise UsageError(
            f"--since '{show_safely(text)}' is not a date", hint="write it as 2026-01-31"
        ) from None
    return moment if moment.tzinfo else moment.replace(tzinfo=time_zone)


def _reading(
    session: Session, source: ProviderSource, key: str, options: FetchOptions
) -> "_ListsReading | _QueueReading":
    """A source being read; its `position` is what of it is in the batches yielded so far."""
    deadline = time.monotonic() + options.time_limit_s
    reader = ResponseReader(session.settings, session.clock())
    if source.provider == "sqs":
        return _QueueReading(source, reader, deadline)
    with session.store.reading() as connection:
        kept = position_of_source(connection, RunKind.INGEST, source.name)
    now = session.clock()
    since = _BEGINNING if options.is_pull else options.since
    lists = _lists(source, key, options, deadline, now)
    kind = _PullReading if options.is_pull else _ListsReading
    return kind(session, source, reader, lists, dict(kept), now, since, deadline)


_BEGINNING = datetime(1970, 1, 2, tzinfo=UTC)
PagesOf = Callable[[datetime, Any], Iterator[Page]]


def _lists(
    source: ProviderSource, key: str, options: FetchOptions, deadline: float, now: datetime
) -> dict[str, PagesOf]:
    """What gives the pages of each list, from a moment on, the first one that at a place."""
    if source.provider == "ses":
        from contactctl.responses.apis.aws import SesList  # noqa: PLC0415

        return {"suppressed": SesList(source).pages}
    api = api_of(source.provider)
    names, pace = names_of(source, api), Pace(source.rate)
    client = Client(
        api, source.name, key, url=source.url, deadline=deadline, sleep=options.sleep, pace=pace
    )
    known = api.pull if options.is_pull else api.lists
    if not known:
        raise UsageError(
            f"{source.provider} does not give a list that says why it suppresses somebody",
            hint=f"`contactctl responses fetch {source.name}` records its events",
        )
    wanted = known if options.is_pull else source.lists or known
    if unknown := [name for name in wanted if name not in known]:
        raise ConfigError(
            f"sources.{source.name}: {source.provider} has no list '{unknown[0]}'",
            hint=did_you_mean(unknown[0], list(known)) or f"lists: {', '.join(known)}",
        )

    def pages(name: str) -> PagesOf:
        return lambda since, start: pages_of(client, known[name], Asked(names, now, since), start)

    return {name: pages(name) for name in wanted}


def names_of(source: ProviderSource, api: Api) -> Mapping[str, str]:
    """The names that fill the API's paths. ConfigError where one is missing."""
    for name, what in api.needs.items():
        if name not in source.names:
            raise ConfigError(
                f"sources.{source.name}: {source.provider} needs '{name}'", hint=f"{name}: {what}"
            )
    return {**api.defaults, **source.names}


@dataclass
class _ListsReading:
    """Lists one after the other, all `since` a moment, or what is new. The position has of each
    until when it has been read, or where its reading was interrupted: the next page, and since
    when, and when that began."""

    session: Session
    source: ProviderSource
    reader: ResponseReader
    lists: Mapping[str, PagesOf]
    position: dict[str, Any]
    now: datetime
    since: datetime | None
    deadline: float
    is_out_of_time: bool = False

    def after_commit(self) -> None:
        """Nothing is to be told to whom the lists came from."""

    def batches(self) -> Generator[ReadBatch]:
        try:
            for name in self.lists:
                yield from self._batches_of(name)
        except OutOfTimeError:
            self.is_out_of_time = True

    def _batches_of(self, name: str) -> Iterator[ReadBatch]:
        state = self._state(name)
        try:
            yield from self._pages(name, state)
        except ApiError as error:
            if error.status not in _EXPIRED or "next" not in state:
                raise
            # where the last fetch stopped is no longer known there: from the beginning
            yield from self._pages(name, {k: v for k, v in state.items() if k != "next"})

    def _pages(self, name: str, state: dict[str, Any]) -> Iterator[ReadBatch]:
        since, number = datetime.fromisoformat(state["since"]), 0
        for page in self.lists[name](since, state.get("next")):
            documents = (
                (f"{self.source.name} {name}[{number + at}]", item)
                for at, item in enumerate(page.items)
            )
            number += len(page.items)
            events = self.reader.read_documents(documents, self.source.provider)
            batches = list(batches_of(self._without_our_own(list(events)), BATCH_EVENTS))
            yield from batches[:-1]
            self._note(name, state, page)
            yield from batches[-1:]
            if page.next is not None and time.monotonic() >= self.deadline:
                raise OutOfTimeError(f"source {self.source.name}: the time is over")

    def _without_our_own(self, events: list[Event]) -> list[Event]:
        """What is on a list because we have put it there tells nothing of the person."""
        keys = {_key(event) for event in events if self._may_be_ours(event)}
        if not keys:
            return events
        with self.session.store.reading() as connection:
            ours = pushed_among(connection, self.source.name, keys)
        return [
            NoResponse(event.source, "put there by us")
            if self._may_be_ours(event) and _key(event) in ours
            else event
            for event in events
        ]

    def _may_be_ours(self, event: Event) -> bool:
        """An unsubscribe, or a suppression without a word of its reason; at SES, which asks for
        one of two reasons, any."""
        if isinstance(event, Unsubscribe):
            return True
        is_echo = isinstance(event, Response) and event.not_counted == "echo"
        return is_echo or (self.source.provider == "ses" and isinstance(event, Response))

    def _state(self, name: str) -> dict[str, Any]:
        kept = self.position.get(name, {})
        if self.since is not None:
            return {"since": self.since.isoformat(), "began": self.now.isoformat()}
        if "next" in kept:
            return dict(kept)
        since = self.now - FIRST
        if "until" in kept:
            since = datetime.fromisoformat(kept["until"]) - self.source.overlap
        return {"since": since.isoformat(), "began": self.now.isoformat()}

    def _note(self, name: str, state: dict[str, Any], page: Page) -> None:
        """A list that has been read to its end is read until when that began."""
        if page.next is None:
            self.position = {**self.position, name: {"until": state["began"]}}
        else:
            self.position = {**self.position, name: {**state, "next": page.next}}


class _PullReading(_ListsReading):
    """Whole lists, whatever was read before, which a fetch goes on from as if nothing had been."""

    def _note(self, name: str, state: dict[str, Any], page: Page) -> None:
        pass


class _QueueReading:
    """Messages, which are deleted from the queue once they are recorded; those rejected stay."""

    def __init__(self, source: ProviderSource, reader: ResponseReader, deadline: float) -> None:
        from contactctl.responses.apis.aws import Queue  # noqa: PLC0415

        self.position: dict[str, Any] = {}
        self.is_out_of_time = False
        self._queue = Queue(source)
        self._source = source
        self._reader = reader
        self._deadline = deadline
        self._finished: list[str] = []

    def batches(self) -> Generator[ReadBatch]:
        for messages in self._queue.messages():
            events: list[Event] = []
            finished = []
            for message in messages:
                place = f"{self._source.name} {message.get('MessageId', '')}"
                found = list(self._reader.read_documents([(place, message)], "ses"))
                events += found
                if not any(isinstance(event, Rejection) for event in found):
                    finished.append(message["ReceiptHandle"])
            self._finished += finished
            yield from batches_of(events, max(len(events), 1))
            if time.monotonic() >= self._deadline:
                self.is_out_of_time = True
                return

    def after_commit(self) -> None:
        self._queue.delete(self._finished)
        self._finished = []


def _key(event: Event) -> str:
    recipient = event.recipient if isinstance(event, Unsubscribe | Response) else ""
    try:
        return email_key(recipient)
    except ValueError:
        return ""
