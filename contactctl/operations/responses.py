"""Recorded responses: listed, reported on, held ones decided about; and those in a mailbox."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from contactctl.config.settings import Settings
from contactctl.domain.bursts import Incident
from contactctl.domain.criteria.fields import did_you_mean
from contactctl.domain.errors import ConfigError, RefusedError, UsageError
from contactctl.domain.response_report import (
    Figures,
    RateLimit,
    ReportBy,
    over_limit,
    total_of,
    worst_first,
)
from contactctl.domain.responses import Event, HeldFilter, Rejection, ResponseFilter
from contactctl.domain.run_kinds import DiscardRun, IngestRun, ReleaseRun
from contactctl.domain.runs import RunState
from contactctl.domain.sources import Mailbox, ProviderSource, Secret
from contactctl.domain.text import show_safely
from contactctl.domain.waits import FOR_INGEST_S, FOR_LOCKS_S
from contactctl.operations.ingest import (
    BATCH_EVENTS,
    INGESTING,
    IngestResult,
    OnReject,
    ingest_batches,
    look_at_thresholds,
)
from contactctl.operations.ingest_rows import batches_of
from contactctl.operations.plans import RulesApplied
from contactctl.operations.reading import ResponseReader
from contactctl.operations.secrets import read_secret
from contactctl.operations.session import Session
from contactctl.responses.mailbox import open_mailbox
from contactctl.responses.mailbox_session import MailboxSession
from contactctl.store.bursts import list_incidents, note_decided
from contactctl.store.database.locks import exclusive, serialise
from contactctl.store.response_report import count_unmatched_since, report_rows
from contactctl.store.responses import discard_held, incidents_of, list_responses, release_held
from contactctl.store.runs import change_state, insert_run, note_done


@dataclass(frozen=True, slots=True)
class HeldResult:
    """What was decided for `responses` held ones; `thresholds` is None for discarded ones."""

    run: int
    responses: int
    thresholds: RulesApplied | None = None


def latest_responses(session: Session, wanted: ResponseFilter) -> Sequence[dict[str, Any]]:
    """The responses that are wanted, newest first."""
    with session.store.reading() as connection:
        return list_responses(connection, wanted)


def open_incidents(session: Session) -> list[Incident]:
    """The incidents that hold responses, oldest first."""
    with session.store.reading() as connection:
        return list_incidents(connection)


def release(session: Session, chosen: HeldFilter, *, reason: str = "") -> HeldResult:
    """Let held responses count, and look at the thresholds of their contacts."""
    with exclusive(session.store, INGESTING, wait_seconds=FOR_LOCKS_S):
        done = _decide(session, ReleaseRun, chosen, reason)
        thresholds = look_at_thresholds(session, [done.run], FOR_LOCKS_S)
    return HeldResult(done.run, done.responses, thresholds)


def discard(session: Session, chosen: HeldFilter, *, reason: str = "") -> HeldResult:
    """Keep held responses on record, not counted for ever."""
    with exclusive(session.store, INGESTING, wait_seconds=FOR_LOCKS_S):
        return _decide(session, DiscardRun, chosen, reason)


def _decide(
    session: Session,
    deciding: type[ReleaseRun | DiscardRun],
    chosen: HeldFilter,
    reason: str,
) -> HeldResult:
    now = session.clock()
    with session.store.writing() as connection:
        details = deciding(chosen.run_id, chosen.domain, chosen.incident)
        request = session.request(details, reason=reason)
        run_id = insert_run(connection, request, state=RunState.RUNNING, now=now)
        serialise(connection)
        incidents = incidents_of(connection, chosen)
        if deciding is ReleaseRun:
            number = release_held(connection, run_id, chosen)
        else:
            number = discard_held(connection, chosen)
        if number == 0:
            raise RefusedError(
                "no matching response is held",
                hint="`contactctl responses list --held` lists them",
                code="nothing-held",
            )
        note_decided(connection, incidents)
        values = {"finished_at": now, "planned": number, "changed": number}
        change_state(connection, run_id, expected=RunState.RUNNING, to=RunState.DONE, values=values)
    return HeldResult(run_id, number)


# Responses from a mailbox: its mails are marked, moved or deleted once they are recorded


FETCH = "fetch"  # begins the names of a fetch's work


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


def read_key(source: ProviderSource, environ: Mapping[str, str]) -> str:
    """The key of a provider's API; empty for Amazon. Raises ConfigError."""
    if source.secret is None:
        return ""
    key = read_secret(source.secret, f"source {source.name}", environ).strip()
    if not key.isascii() or not key.isprintable():
        raise ConfigError(f"source {source.name}: the key has a character that no key has")
    return key


def read_password(mailbox: Mailbox, environ: Mapping[str, str]) -> str:
    """The password, or the token of an access by OAuth 2.0. Raises ConfigError."""
    secret = Secret(mailbox.password_file, mailbox.password_env, mailbox.token_command)
    return read_secret(secret, f"mailbox {mailbox.name}", environ)


def fetch(
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


# Reporting how mails fare: delivered, bounced, complained of


@dataclass(frozen=True, slots=True)
class ResponseReport:
    """The rows, the worst first, what they are together, and which limits are exceeded by what.

    `unmatched` responses, to addresses of no contact, are in no row.
    """

    by: ReportBy
    since: datetime
    rows: Sequence[Figures]
    total: Figures
    unmatched: int
    exceeded: Sequence[tuple[RateLimit, Figures]]


def report_responses(
    session: Session, by: ReportBy, since: datetime, limits: Sequence[RateLimit]
) -> ResponseReport:
    """How the mails since then have fared, in one state of the store."""
    with session.store.reading() as connection:
        rows = worst_first(report_rows(connection, by, since))
        # deliveries are in several rows where domains answer in several ways
        total = total_of(report_rows(connection, ReportBy.DOMAIN, since))
        unmatched = count_unmatched_since(connection, since)
    exceeded = [(limit, each) for limit in limits for each in over_limit(rows, total, limit)]
    return ResponseReport(by, since, rows, total, unmatched, exceeded)
