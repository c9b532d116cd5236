"""The commands below `responses` that read responses and record them."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from contactctl import operations, output
from contactctl.cli import candidates, options
from contactctl.cli.context import ConfiguredInvocation, StoreInvocation
from contactctl.cli.options import argument, option
from contactctl.domain.errors import ContactctlError, ExitCode, UsageError
from contactctl.domain.sources import Mailbox
from contactctl.domain.text import show_safely
from contactctl.domain.waits import FOR_INGEST_S
from contactctl.output.console import Console
from contactctl.output.view import OutputFormat, Presentation

if TYPE_CHECKING:
    from contactctl.domain.responses import Event, Response
    from contactctl.operations.reading import MovedMaildirs
    from contactctl.output.ingest import OtherEvents
    from contactctl.output.rejects import ResponseRejects
    from contactctl.responses.generic import GenericOptions
    from contactctl.responses.read import Input


Paths = Annotated[
    list[Path], argument("PATH", "Files, mboxes, Maildirs or folders; - reads standard input.")
]
FetchedName = Annotated[
    str | None, argument("NAME", "Its name in the config; not needed for only one.")
]
Since = Annotated[
    str | None, option("--since", "DATE", "Read everything from this day or instant on.")
]
TimeLimit = Annotated[
    float,
    option(
        "--time-limit",
        "SECONDS",
        "Stop reading an API after so long; the next fetch goes on; exit 5.",
        min=1,
        max=86_400,
    ),
]
Rejects = Annotated[
    Path | None, option("--rejects", "FILE", "Write rejected input to this file, as JSON lines.")
]


class ReadingInvocation(ConfiguredInvocation):
    """A command that reads responses from files: in which format, and where rejects go."""

    from_: Annotated[
        str,
        option(
            "--from",
            "FORMAT",
            "auto, mail, jsonl, csv, postfix, ses, sendgrid, postmark, mailgun, sparkpost, mailjet,"
            " brevo, another sender's (powermta, postal, ...), or one of the config's formats.",
            autocompletion=candidates.input_formats,
        ),
    ] = "auto"
    map_: Annotated[
        list[str] | None,
        option(
            "--map",
            "KEY=FIELD",
            "This column, or path such as data.email, gives that field. Repeatable.",
        ),
    ] = None
    category: Annotated[
        str | None, option("--category", "NAME", "All rows are responses of this category.")
    ] = None
    date_format: Annotated[
        str | None, option("--date-format", "FORMAT", "Times look like this (strptime codes).")
    ] = None
    rejects: Rejects = None

    def inputs(self, paths: Sequence[Path]) -> "list[Input]":
        """The files, and standard input for `-`."""
        from contactctl.cli.context import bytes_of_stdin

        if sum(str(path) == "-" for path in paths) > 1:
            raise UsageError("standard input (-) can be read only once")
        return [bytes_of_stdin(self.console) if str(path) == "-" else path for path in paths]

    def generic_options(self) -> "GenericOptions":
        """How rows of a file of somebody's own are read."""
        from contactctl.cli.options import read_assignments
        from contactctl.responses.generic import GenericOptions

        renames = read_assignments("--map", self.map_, str.rpartition)
        return GenericOptions(renames, self.category or "", self.date_format or "")


class RecordingInvocation(StoreInvocation):
    """A command that records responses, one at a time."""

    rejects: Rejects = None
    wait: options.WaitForIngest = FOR_INGEST_S


class IngestInvocation(RecordingInvocation, ReadingInvocation):
    """An ingest of files."""

    move_to: Annotated[
        Path | None,
        option(
            "--move-to",
            "MAILDIR",
            "Move a Maildir's mails to this folder once their responses are recorded.",
        ),
    ] = None

    def moved(self, paths: Sequence[Path]) -> "MovedMaildirs | None":
        """The Maildirs whose mails are moved; None without --move-to."""
        if self.move_to is None:
            return None
        if self.from_ not in ("auto", "mail"):
            raise UsageError(f"--move-to moves mails, but --from {self.from_} reads none")
        return operations.reading.MovedMaildirs(paths, self.move_to)


def ingest(invocation: IngestInvocation, paths: Paths) -> Presentation:
    """Examples:
        contactctl responses ingest events.jsonl
        contactctl responses ingest ~/Maildir --move-to ~/Maildir/.processed
        cat bounce.eml | contactctl responses ingest - --from mail
        contactctl responses ingest sendgrid/*.json --rejects rejected.jsonl --json
        contactctl responses ingest old.csv --map At=occurred_at --category transient
        curl ... | contactctl responses ingest -

    The same event is recorded once, however often and in whatever order it is
    read. Over the config's limits nobody is deactivated: the plan waits for
    `contactctl runs apply`, and the exit code is 4. Input that cannot be read is
    rejected, with exit code 5; the rest is recorded.
    """
    from contactctl.domain.run_kinds import IngestRun

    with invocation.open_session() as session:
        from_ = invocation.from_
        reader = operations.reading.ResponseReader(
            session.settings, session.clock(), invocation.generic_options()
        )
        moved = invocation.moved(paths)
        if moved is None:
            batches = reader.read_batches(
                invocation.inputs(paths), from_, operations.ingest.BATCH_EVENTS
            )
        else:
            batches = operations.ingest_rows.batches_of(
                reader.read_mails(moved.mails()), operations.ingest.BATCH_EVENTS
            )
        with output.rejects.ResponseRejects(invocation.rejects, paths) as rejected:
            result = operations.ingest.ingest_batches(
                session,
                batches,
                rejected.add,
                details=IngestRun(tuple(show_safely(str(path)) for path in paths), from_),
                after_commit=moved.move if moved else _do_nothing,
                wait_seconds=invocation.wait,
            )
            return output.ingest.present_ingest(result, rejected)


def fetch(
    invocation: RecordingInvocation,
    name: FetchedName = None,
    since: Since = None,
    time_limit: TimeLimit = 600.0,
) -> Presentation:
    """Examples:
        contactctl responses fetch
        contactctl responses fetch bounces --json
        contactctl responses fetch sendgrid --since 2026-01-01

    NAME is below `mailboxes` or `sources` in the config. Mails are marked, moved or
    deleted (after_fetch) only after their responses are recorded. An API is read
    from where the last fetch ended, with an overlap: an interruption loses nothing,
    and nothing is recorded twice. A fetch that finds nothing new leaves no run.
    """
    found = operations.fetch.find_fetched(invocation.settings, name)
    environ, wait = invocation.console.environ, invocation.wait
    if isinstance(found, Mailbox):
        if since is not None:
            raise UsageError("--since is for a provider's API, not for a mailbox")
        password = operations.secrets.read_password(found, environ)
        with (
            invocation.open_session() as session,
            output.rejects.ResponseRejects(invocation.rejects) as rejected,
        ):
            done = operations.fetch.fetch_mailbox(
                session, found, password, rejected.add, wait_seconds=wait
            )
            return output.ingest.present_ingest(done, rejected)
    key = operations.secrets.read_key(found, environ)
    with (
        invocation.open_session() as session,
        output.rejects.ResponseRejects(invocation.rejects) as rejected,
    ):
        how = operations.fetch.FetchOptions(
            operations.fetch.moment_of(since, session.time_zone) if since else None, time_limit
        )
        result = operations.fetch.fetch_responses(
            session, found, key, rejected.add, how, wait_seconds=wait
        )
        return output.ingest.present_fetch(result, rejected)


def classify(invocation: ReadingInvocation, paths: Paths) -> Presentation:
    """Examples:
        contactctl responses classify bounce.eml
        contactctl responses classify ~/Maildir --verbose
        cat event.json | contactctl responses classify - --json

    --verbose also says what each mail is that is not a response.
    """
    invocation.check_fields(*output.ingest.CLASSIFIED_FIELDS)
    generic = invocation.generic_options()
    reader = operations.reading.ResponseReader(
        invocation.settings, invocation.now, generic, is_thorough=True
    )
    events = reader.read(invocation.inputs(paths), invocation.from_)
    rejected = output.rejects.ResponseRejects(invocation.rejects, paths)
    others = output.ingest.OtherEvents()
    say = invocation.console.say if invocation.verbose else _do_nothing_with
    responses = _responses(events, rejected, others, say)
    if invocation.output.format in (OutputFormat.JSONL, OutputFormat.CSV):
        streamed = _then_partial(responses, rejected, others, invocation.console)
        return output.ingest.present_classified(streamed, rejected, others)
    with rejected:
        return output.ingest.present_classified(list(responses), rejected, others)


def rules(invocation: ConfiguredInvocation) -> Presentation:
    """Examples:
        contactctl responses rules
        contactctl responses rules --format jsonl

    The config's own rules (response_rules) come before the built-in ones.
    """
    invocation.check_fields(*output.ingest.RULE_FIELDS)
    reader = operations.reading.ResponseReader(invocation.settings)
    return output.ingest.present_rules(
        reader.classifier.rules, operations.reading.own_rules(invocation.settings)
    )


def _do_nothing_with(line: str) -> None:
    """A line that nobody asked for."""


def _do_nothing() -> None:
    """Nothing is to be done after a commit."""


def _responses(
    events: "Iterator[Event]",
    rejected: "ResponseRejects",
    others: "OtherEvents",
    say: Callable[[str], None],
) -> "Iterator[Response]":
    from contactctl.domain.responses import NoResponse, Rejection, Response

    for event in events:
        if isinstance(event, Rejection):
            rejected.add(event)
            continue
        others.count(event)
        if isinstance(event, Response):
            yield event
        elif isinstance(event, NoResponse):
            is_what = event.reason or "an event from which nothing follows"
            say(f"{show_safely(event.source)}: not a response: {is_what}")


class PartlyReadError(ContactctlError):
    """Something could not be read; the rest has been shown."""

    code = "reject"
    exit_code = ExitCode.PARTIAL


def _then_partial(
    responses: "Iterator[Response]",
    rejected: "ResponseRejects",
    others: "OtherEvents",
    console: Console,
) -> "Iterator[Response]":
    """The responses; then what else was read, and an error where anything was rejected."""
    with rejected:
        yield from responses
    for warning in others.warnings():
        console.note(warning)
    if rejected.number:
        raise PartlyReadError(
            f"{rejected.number:,} rejected, the first {rejected.first[0]}",
            hint="" if rejected.path else rejected.HINT,
        )
