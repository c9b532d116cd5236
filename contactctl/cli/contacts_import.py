"""The command `contacts import`."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from contactctl.cli import options
from contactctl.cli.assignments import read_assignments
from contactctl.cli.context import StoreInvocation
from contactctl.domain.errors import UsageError
from contactctl.operations.importing.options import FileFormat, ImportOptions
from contactctl.output.presentation import Presentation

InputFile = Annotated[
    Path, typer.Argument(metavar="FILE", help="The file; - reads standard input.")
]
From = Annotated[
    FileFormat | None,
    typer.Option(
        "--from",
        metavar="FORMAT",
        help="csv or jsonl; told from the file's first character otherwise.",
    ),
]
Map = Annotated[
    list[str] | None,
    typer.Option("--map", metavar="COLUMN=FIELD", help="This column gives that field. Repeatable."),
]
Ignore = Annotated[
    list[str] | None,
    typer.Option("--ignore", metavar="COLUMN", help="Leave this column out. Repeatable."),
]
IgnoreUnknown = Annotated[
    bool,
    typer.Option(
        "--ignore-unknown", help="Leave out every column that is no field, without a word."
    ),
]
DateFormat = Annotated[
    list[str] | None,
    typer.Option(
        "--date-format",
        metavar="[COLUMN=]FORMAT",
        help="Dates look like this (strptime codes), of one column or of all. Repeatable.",
    ),
]
EmptyClears = Annotated[
    bool, typer.Option("--empty-clears", help="An empty cell makes the stored value missing.")
]
CreateGroups = Annotated[
    bool,
    typer.Option(
        "--create-groups/--no-create-groups",
        help="Create groups that do not exist yet (as by default), or reject their rows.",
    ),
]
RejectsPath = Annotated[
    Path | None,
    typer.Option("--rejects", metavar="FILE", help="Write rejected rows here, as CSV."),
]
Delimiter = Annotated[
    str | None,
    typer.Option("--delimiter", metavar="CHARACTER", help="What separates cells; tab for TAB."),
]
Encoding = Annotated[str, typer.Option("--encoding", metavar="NAME", help="The file's encoding.")]


def import_(
    invocation: StoreInvocation,
    file: InputFile,
    from_: From = None,
    map_: Map = None,
    ignore: Ignore = None,
    ignore_unknown: IgnoreUnknown = False,
    date_format: DateFormat = None,
    empty_clears: EmptyClears = False,
    create_groups: CreateGroups = True,
    rejects: RejectsPath = None,
    delimiter: Delimiter = None,
    encoding: Encoding = "utf-8",
    reason: options.Reason = None,
    dry_run: options.DryRun = False,
) -> Presentation:
    """Add and update contacts from a CSV or JSON lines file.

    Examples:
        contactctl contacts import people.csv --dry-run
        contactctl contacts import people.csv --rejects rejected.csv
        contactctl contacts import shop.csv --map 'Last Order=last_opportunity'
        contactctl contacts import shop.csv --date-format %d.%m.%Y --ignore-unknown
        zcat people.jsonl.gz | contactctl contacts import -

    The header names fields (`contactctl fields`); contacts are told apart by
    their email. An empty cell keeps what is stored. Status, deactivations and
    overrides are never touched. A rejected row makes the exit code 5.
    """
    from contactctl.cli.standard_input import bytes_of_stdin
    from contactctl.operations.import_contacts import ImportInput, import_contacts
    from contactctl.output.contacts import IMPORT_FIELDS, present_import
    from contactctl.output.rejects import RejectsFile

    invocation.check_fields(*IMPORT_FIELDS)
    given = ImportInput(
        None if str(file) == "-" else file,
        bytes_of_stdin(invocation.console),
        ImportOptions(
            format=from_,
            delimiter=_one_character(delimiter),
            encoding="utf-8-sig" if encoding.lower() in ("utf-8", "utf8") else encoding,
            renames=read_assignments("--map", map_, str.rpartition),
            ignored=frozenset(ignore or ()),
            ignore_unknown=ignore_unknown,
            date_format=_general_format(date_format),
            column_date_formats=_column_formats(date_format),
            empty_clears=empty_clears,
            create_groups=create_groups,
        ),
    )
    with invocation.open_session() as session, RejectsFile(rejects, [file]) as rejected:
        result = import_contacts(session, given, rejected, dry_run=dry_run, reason=reason or "")
        return present_import(result, rejected)


def _general_format(texts: Sequence[str] | None) -> str | None:
    general = [text for text in texts or () if not _names_column(text)]
    if len(general) > 1:
        raise UsageError(
            "more than one --date-format for all columns",
            hint="name the columns: --date-format 'COLUMN=FORMAT'",
        )
    return general[0] if general else None


def _column_formats(texts: Sequence[str] | None) -> dict[str, str]:
    named = (text.partition("=") for text in texts or () if _names_column(text))
    return {column: form for column, _, form in named}


def _names_column(text: str) -> bool:
    """A format begins at its first % at the latest; an = before it ends a column's name."""
    return "=" in text.partition("%")[0]


def _one_character(delimiter: str | None) -> str | None:
    if delimiter is None or (len(delimiter) == 1 and not delimiter.isalnum() and delimiter != '"'):
        return delimiter
    if delimiter.lower() in ("tab", "\\t"):
        return "\t"
    raise UsageError(f"--delimiter '{delimiter}' is not one character", hint="for example ; or tab")
