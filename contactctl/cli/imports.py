"""The commands `contacts import` and `contacts sync`."""

from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from contactctl import operations, output
from contactctl.cli import options
from contactctl.cli.context import Invocation, ReasonedInvocation
from contactctl.cli.options import argument, flag, option, read_assignments
from contactctl.domain.errors import RefusedError, UsageError
from contactctl.domain.responses import Category
from contactctl.domain.sources import DatabaseSource, Missing
from contactctl.operations.importing.options import (
    NO_PRESET,
    FileFormat,
    ImportOptions,
    InactiveRule,
    is_separator,
    parse_rule,
)
from contactctl.output.view import Presentation, document

if TYPE_CHECKING:
    from contactctl.operations.session import Session
    from contactctl.operations.sync import Gone


InputFile = Annotated[Path, argument("FILE", "The file; - reads standard input.")]
PresetName = Annotated[str | None, argument("[NAME]", "The preset to print.")]
RejectsPath = Annotated[
    Path | None, option("--rejects", "FILE", "Write rejected rows here, as CSV.")
]


class TableInvocation(ReasonedInvocation):
    """A command that reads a file of rows: how it is written, and where rejects go."""

    rejects: RejectsPath = None
    delimiter: Annotated[
        str | None, option("--delimiter", "CHARACTER", "What separates cells; tab for TAB.")
    ] = None
    encoding: Annotated[str, option("--encoding", "NAME", "The file's encoding.")] = "utf-8"
    sheet: Annotated[
        str | None, option("--sheet", "NAME", "The sheet of a workbook with several.")
    ] = None

    @property
    def separator(self) -> str | None:
        """What --delimiter says, as one character; UsageError for more."""
        said = self.delimiter
        return None if said is None else options.one_character("--delimiter", said)

    @property
    def codec(self) -> str:
        """UTF-8 with or without a byte order mark; any other encoding as it is."""
        return "utf-8-sig" if self.encoding.lower() in ("utf-8", "utf8") else self.encoding


class ImportInvocation(TableInvocation):
    """An import: how rows become contacts."""

    from_: Annotated[
        FileFormat | None,
        option("--from", "FORMAT", "csv or jsonl; otherwise the file's first character decides."),
    ] = None
    map_: Annotated[
        list[str] | None,
        option("--map", "COLUMN=FIELD", "This column gives that field. Repeatable."),
    ] = None
    ignore: Annotated[
        list[str] | None, option("--ignore", "COLUMN", "Leave this column out. Repeatable.")
    ] = None
    ignore_unknown: Annotated[
        bool,
        flag("--ignore-unknown", "Leave out every column that is not a field, without a note."),
    ] = False
    preset: Annotated[
        str | None,
        option("--preset", "NAME|FILE", "Read another program's export (`contacts presets`)."),
    ] = None
    inactive_when: Annotated[
        list[str] | None,
        option(
            "--inactive-when",
            "COLUMN=VALUE,VALUE",
            "These values mean inactive; COLUMN!=VALUE: all others; COLUMN: any. Repeatable.",
        ),
    ] = None
    as_inactive: Annotated[
        str | None,
        option(
            "--as-inactive",
            "REASON",
            "All new contacts are inactive; with --inactive-when the reason: a response category,"
            " or any words.",
        ),
    ] = None
    date_format: Annotated[
        list[str] | None,
        option(
            "--date-format",
            "[COLUMN=]FORMAT",
            "The format of dates in one column or in all: iso, epoch, excel or strptime codes."
            " Repeatable: the first that fits counts.",
        ),
    ] = None
    separators: Annotated[
        list[str] | None,
        option(
            "--separator",
            "FIELD=TEXT",
            "What separates names in a cell of tag or group. Repeatable.",
        ),
    ] = None
    null: Annotated[
        list[str] | None, option("--null", "WORD", "A cell that means nothing. Repeatable.")
    ] = None
    update_only: Annotated[
        bool, flag("--update-only", "Create no contact: reject unknown addresses.")
    ] = False
    empty_clears: Annotated[
        bool, flag("--empty-clears", "An empty cell makes the stored value missing.")
    ] = False
    create_groups: Annotated[
        bool,
        flag(
            "--create-groups/--no-create-groups",
            "Create groups that do not exist yet (as by default), or reject their rows.",
        ),
    ] = True
    tag: Annotated[
        list[str] | None, option("--tag", "NAME", "Give all rows this tag, too. Repeatable.")
    ] = None
    group: Annotated[
        list[str] | None, option("--group", "NAME", "Put all rows into this group. Repeatable.")
    ] = None
    dry_run: options.DryRun = False

    @property
    def category(self) -> str:
        """The response category that --as-inactive names; '' where it has other words."""
        said = self.as_inactive
        return said if said is not None and said in list(Category) else ""

    def import_options(self) -> ImportOptions:
        """What the options say; UsageError where that is not clear."""
        from contactctl.operations.importing.presets import find_preset

        formats = self.date_format or ()
        return ImportOptions(
            format=self.from_,
            delimiter=self.separator,
            encoding=self.codec,
            sheet=self.sheet,
            renames=read_assignments("--map", self.map_, str.rpartition),
            ignored=frozenset(self.ignore or ()),
            ignore_unknown=self.ignore_unknown,
            preset=find_preset(self.preset, self.console.cwd) if self.preset else NO_PRESET,
            inactive=_rules(self.inactive_when, self.category),
            all_inactive=self.as_inactive is not None and not self.inactive_when,
            inactive_reason=self.category,
            date_formats=tuple(text for text in formats if not _names_column(text)),
            column_date_formats=_column_formats(formats),
            separators=_separators(self.separators),
            nulls=frozenset(self.null or ()),
            update_only=self.update_only,
            empty_clears=self.empty_clears,
            create_groups=self.create_groups,
            tags=tuple(self.tag or ()),
            groups=tuple(self.group or ()),
        )


def import_(invocation: ImportInvocation, file: InputFile) -> Presentation:
    """Examples:
        contactctl contacts import people.csv --dry-run
        contactctl contacts import people.csv --rejects rejected.csv
        contactctl contacts import shop.csv --map 'Last Order=last_opportunity'
        contactctl contacts import shop.csv --date-format %d.%m.%Y --ignore-unknown
        contactctl contacts import members.csv --preset mailchimp --group newsletter
        contactctl contacts import crm.csv --inactive-when 'Status=cleaned'
        zcat people.jsonl.gz | contactctl contacts import -

    The header names fields (`contactctl fields`); contacts are told apart by
    their email. An empty cell keeps what is stored. Contacts that the import
    creates can be inactive; the status of others is never touched. A rejected
    row makes the exit code 5. CSV and JSON lines may be compressed, a CSV file
    may be an .xlsx workbook.
    """
    from contactctl.cli.context import bytes_of_stdin
    from contactctl.operations.importing.load import ImportInput, import_contacts

    invocation.check_fields(*output.contacts.IMPORT_FIELDS)
    given = ImportInput(
        None if str(file) == "-" else file,
        bytes_of_stdin(invocation.console),
        invocation.import_options(),
    )
    words = "" if invocation.category else invocation.as_inactive or ""
    reason, dry_run = invocation.reason or words, invocation.dry_run
    with (
        invocation.open_session() as session,
        output.rejects.RejectsFile(invocation.rejects, [file]) as rejected,
    ):
        result = import_contacts(session, given, rejected, dry_run=dry_run, reason=reason)
        return output.contacts.present_import(result, rejected)


def presets(invocation: Invocation, name: PresetName = None) -> Presentation:
    """Examples:
        contactctl contacts presets
        contactctl contacts presets mailchimp > ours.yaml

    `contacts import --preset ours.yaml` reads a file by your own copy.
    """
    from contactctl.operations.importing.presets import preset_text, shipped_presets

    invocation.check_fields(*output.contacts.PRESET_FIELDS)
    if not name:
        return output.contacts.present_presets(shipped_presets())
    text = preset_text(name)
    return document(text, yaml=text)


def _rules(texts: Sequence[str] | None, reason: str) -> tuple[InactiveRule, ...]:
    rules = []
    for text in texts or ():
        try:
            rules.append(parse_rule(text, reason))
        except ValueError as error:
            raise UsageError(
                f"--inactive-when '{text}': {error}",
                hint="write it as 'Status=unsubscribed,cleaned'",
            ) from None
    return tuple(rules)


def _separators(texts: Sequence[str] | None) -> dict[str, str]:
    found = {}
    for name, text in read_assignments("--separator", texts).items():
        if name not in ("tag", "group"):
            raise UsageError(
                f"--separator '{name}={text}': only tag and group can contain several names",
                hint="--map 'COLUMN=tag' says which column is one",
            )
        separator = "\t" if text.lower() in ("tab", "\\t") else text.strip() or text
        if not is_separator(separator):
            raise UsageError(
                f"--separator '{name}={text}': '{text}' cannot separate names",
                hint=f"for example '{name}=,'",
            )
        found[name] = separator
    return found


def _column_formats(texts: Sequence[str]) -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for text in filter(_names_column, texts):
        head, percent, codes = text.partition("%")
        column, _, form = head.rpartition("=")
        found[column] = (*found.get(column, ()), form + percent + codes)
    return found


def _names_column(text: str) -> bool:
    """A format begins at its first % at the latest; an = before it ends a column's name."""
    return "=" in text.partition("%")[0]


# The command `contacts sync`


class BackWay(StrEnum):
    """How the source is told who is active."""

    PRINT = "print"
    EXECUTE = "execute"


SourceName = Annotated[str, argument("NAME", "The source's name in the config.")]


class SyncInvocation(ReasonedInvocation):
    """A sync with another database."""

    full: Annotated[
        bool, flag("--full", "Read all rows, not only those changed since the last run.")
    ] = False
    yes: options.Yes = False
    write_back: Annotated[
        str | None,
        option(
            "--write-back",
            "HOW",
            "Tell the source who is active: print the UPDATEs, or execute them.",
        ),
    ] = None
    rejects: RejectsPath = None
    dry_run: options.DryRun = False

    @property
    def way_back(self) -> BackWay | None:
        """How the source is told; UsageError for an unknown way."""
        said = self.write_back
        way = options.chosen(BackWay, said, "--write-back") if said else None
        if way and self.dry_run:
            raise UsageError("--write-back and --dry-run cannot be combined")
        return way


def sync(invocation: SyncInvocation, name: SourceName) -> Presentation:
    """Examples:
        contactctl contacts sync crm --dry-run
        contactctl contacts sync crm --yes
        contactctl contacts sync crm --full
        contactctl contacts sync crm --write-back print > statuses.sql

    Below `sources` the config names a query on a SQLite or Postgres database.
    With a cursor only changed rows are read. A contact whose address has changed
    there is the same contact still. With `missing: deactivate`, contacts that the
    source no longer has are deactivated, after their count is typed; with --yes,
    for cron, only within the limits: over them the plan waits (exit code 4).
    """
    from contactctl.cli.confirmation import nobody_to_ask

    invocation.check_fields(*output.contacts.SYNC_FIELDS)
    way, dry_run = invocation.way_back, invocation.dry_run
    source = operations.sync.find_source(invocation.settings.sources, name)
    asks = source.missing is Missing.DEACTIVATE and not dry_run and not invocation.yes
    if asks and not invocation.console.can_prompt:
        raise nobody_to_ask("give --yes to do what is within the limits")
    with (
        invocation.open_session() as session,
        output.rejects.RejectsFile(invocation.rejects) as rejected,
    ):
        reason, full = invocation.reason, invocation.full
        imported = operations.sync.sync_contacts(
            session, source, rejected, full=full, dry_run=dry_run, reason=reason
        )
        gone: Gone | None = None
        refusal: RefusedError | None = None
        if source.missing is Missing.DEACTIVATE:
            try:
                gone = _deactivate(invocation, session, source, asks=asks)
                refusal = gone.refusal
            except RefusedError as error:
                refusal = error
        written = (
            operations.sync.write_statuses_back(session, source) if way is BackWay.EXECUTE else None
        )
        script = (
            list(operations.sync.back_script(session, source)) if way is BackWay.PRINT else None
        )
    shown = output.contacts.present_sync(source.name, imported, rejected, gone, written, script)
    return shown.failed(refusal) if refusal else shown


def _deactivate(
    invocation: SyncInvocation, session: "Session", source: DatabaseSource, *, asks: bool
) -> "Gone":
    """Deactivate who is gone: within the limits, or once a person has typed the count."""
    from contactctl.cli.confirmation import ask_and_apply

    if invocation.dry_run:
        return operations.sync.look_for_gone(session, source)
    if not asks:
        return operations.sync.deactivate_missing(session, source)
    operations.runs.require_same_operator_policy(session)
    run = operations.sync.plan_missing(session, source, asks_first=True)
    if run is None:
        return operations.sync.Gone()
    return operations.sync.Gone(run.planned, run=ask_and_apply(invocation, session, run.id))
