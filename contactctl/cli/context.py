"""What a command function gets in addition to its own options: an Invocation.

A command names one of these classes as the type of its first parameter and so gets its options:
Invocation the output options, ConfiguredInvocation also --config, StoreInvocation also --database,
SelectingInvocation also the criteria, before the command's own options.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import datetime
from functools import cached_property
from inspect import get_annotations
from io import BytesIO
from typing import TYPE_CHECKING, Any, BinaryIO, ClassVar, TypeVar

from contactctl.cli import options
from contactctl.domain.errors import ExitCode, UsageError
from contactctl.domain.waits import FOR_ANSWERS_S, FOR_LOCKS_S, waits_of
from contactctl.output.console import Console
from contactctl.output.view import OutputChoice, OutputFormat

if TYPE_CHECKING:
    from contactctl.config.settings import LoadedSettings, Settings
    from contactctl.domain.criteria.fields import FieldCatalogue
    from contactctl.domain.waits import Waits
    from contactctl.operations.address_lists import EmailsFile
    from contactctl.operations.criteria import CriteriaSource
    from contactctl.operations.session import Session
    from contactctl.output.rejects import EmailsRejects
    from contactctl.output.view import Block, Presentation

T = TypeVar("T")


class Invocation:
    """One call of a command: the console, how to show the result, and the options of its class.

    Every attribute that is annotated as an option is one. `--help` lists those of every command
    last, and the others behind the command's own, before them where the class `leads`.
    """

    leads: ClassVar[bool] = False

    format: options.Format = None
    json: options.Json = False
    fields: options.Fields = None
    quiet: options.Quiet = False
    verbose: options.Verbose = False
    no_color: options.NoColour = False

    def __init__(self, console: Console, command: str, given: Mapping[str, Any]) -> None:
        """`given` are values of the options; the others have their defaults."""
        vars(self).update(given)
        self.console = console
        self.command = command
        self.output = self._output_choice()
        self._shown: Sequence[Block] = ()

    @classmethod
    def options(cls) -> dict[str, tuple[Any, object]]:
        """Type and default of each option, by the name of its parameter."""
        return {
            name: (annotation, getattr(cls, name))
            for each in reversed(cls.__mro__)
            for name, annotation in get_annotations(each).items()
            if hasattr(annotation, "__metadata__")  # an Annotated one
        }

    @property
    def now(self) -> datetime:
        """The present instant, aware, UTC."""
        return self.console.now()

    @property
    def operator(self) -> str:
        """Who runs this: user@host."""
        return self.console.operator

    def tell(self, text: str) -> None:
        """A note for who asked with --verbose."""
        if self.verbose:
            self.console.note(text)

    def check_fields(self, *known: str) -> None:
        """Refuse an unknown --fields name; call it before changing anything."""
        self.output.check_fields(known)

    def show_before_prompt(self, presentation: "Presentation") -> None:
        """Show on stderr what a person must see before answering; nothing if nobody can answer."""
        if not self.console.can_prompt:
            return
        self._shown = presentation.blocks
        from contactctl.output.table import write_above_question

        write_above_question(presentation, self.console)

    def completed(self, presentation: "Presentation") -> "Presentation":
        """The result as it is shown: without the blocks that were shown before the prompt."""
        seen = presentation.blocks and presentation.blocks == self._shown
        return replace(presentation, blocks=()) if seen else presentation

    def _output_choice(self) -> OutputChoice:
        """The output options as one value. Raises UsageError when they cannot be combined."""
        if self.json and self.format not in (None, OutputFormat.JSON):
            raise UsageError(f"--json and --format {self.format} cannot be combined")
        chosen = OutputFormat.JSON if self.json else self.format
        return OutputChoice(chosen or OutputFormat.TABLE, _field_names(self.fields))


class ConfiguredInvocation(Invocation):
    """A command that reads the configuration."""

    config: options.ConfigFile = None
    database: str | None = None  # an option where the store is used

    @cached_property
    def loaded_settings(self) -> "LoadedSettings":
        """The settings with each value's origin; warnings are noted on stderr once."""
        from contactctl.config.load import load_settings

        loaded = load_settings(
            config_path=self.config,
            database=self.database,
            environ=self.console.environ,
            cwd=self.console.cwd,
        )
        for warning in loaded.warnings:
            self.console.note(warning)
        self.tell(f"config: {', '.join(map(str, loaded.files)) or 'no file, the defaults'}")
        return loaded

    @property
    def settings(self) -> "Settings":
        return self.loaded_settings.settings

    @property
    def catalogue(self) -> "FieldCatalogue":
        """Every field, declared attributes included."""
        from contactctl.domain.criteria.fields import FieldCatalogue

        return FieldCatalogue(self.settings.attributes)


class StoreInvocation(ConfiguredInvocation):
    """A command that reads or changes the store."""

    database: options.Database = None
    timeout: options.Timeout = FOR_ANSWERS_S
    wait: float | None = None  # an option where another process may be at work

    _told_of_waiting = False

    @property
    def waits(self) -> "Waits":
        """How long the store may wait for others, and for its server."""
        return waits_of(self.wait, self.timeout, self._tell_of_waiting)

    def _tell_of_waiting(self) -> None:
        """Once, with who it is where that can be found out."""
        if self._told_of_waiting or self.console.quiet:
            return
        self._told_of_waiting = True
        from contactctl.operations.session import who_works_on

        found = who_works_on(self.settings.database)
        what = found or "another process that works on this store"
        self.console.note(f"waiting for {what}; `contactctl runs list` shows what runs")

    @contextmanager
    def open_session(self, loaded: "LoadedSettings | None" = None) -> Iterator["Session"]:
        """What operations work with, on the store that the configuration (or `loaded`) names."""
        from contactctl.cli.progress import progress_on
        from contactctl.operations.session import open_session
        from contactctl.output.policy import policy_notes

        own = loaded or self.loaded_settings
        with open_session(
            own,
            self.waits,
            now=self.now,
            clock=self.console.now,
            operator=self.operator,
            clock_replaced=self.console.now_is_replaced,
            progress=progress_on(self.console),
        ) as session:
            for note in policy_notes(session.bound, own.warnings):
                self.console.note(note)
            self.tell(f"store: {session.store.identity}")
            yield session


_LONGEST_REASON = 1_000
CONDITION_OPTIONS = ("where", "where_any", "where_not")


class SelectingInvocation(StoreInvocation):
    """A command that selects contacts by criteria."""

    leads = True

    where: options.Where = None
    where_any: options.WhereAny = None
    where_not: options.WhereNot = None
    criteria: options.CriteriaFile = None
    prebuilt: options.Prebuilt = None
    emails: options.Emails = None
    rejects: options.ListRejects = None

    _rejects: "EmailsRejects | None" = None

    @property
    def has_criteria(self) -> bool:
        """Whether any were given, on flags or as a file."""
        conditions = (self.where, self.where_any, self.where_not)
        files = (self.criteria, self.prebuilt, self.emails, self.rejects)
        return any(conditions) or any(each is not None for each in files)

    def criteria_source(self) -> "CriteriaSource":
        """The criteria as given on the command line; `-` as a file reads standard input."""
        from contactctl.operations.criteria import CriteriaSource

        file = self.criteria
        if str(file) == str(self.emails) == "-":
            raise UsageError("--criteria and --emails cannot both read standard input")
        return CriteriaSource(
            where=tuple(self.where or ()),
            where_any=tuple(self.where_any or ()),
            where_not=tuple(self.where_not or ()),
            file=file,
            prebuilt=self.prebuilt,
            folder=self.console.cwd,
            stdin=bytes_of_stdin(self.console) if str(file) == "-" else None,
            emails=self._emails_file(),
        )

    def _emails_file(self) -> "EmailsFile | None":
        from contactctl.operations.address_lists import EmailsFile
        from contactctl.output.rejects import EmailsRejects

        if self.emails is None:
            if self.rejects is not None:
                raise UsageError("--rejects needs --emails FILE, whose rejects it writes")
            return None
        path = None if str(self.emails) == "-" else self.console.cwd / self.emails
        written = self.rejects and self.console.cwd / self.rejects
        self._rejects = EmailsRejects(written, [path] if path else [])
        return EmailsFile(str(self.emails), path, bytes_of_stdin(self.console), self._rejects)

    def completed(self, presentation: "Presentation") -> "Presentation":
        """With what the list of addresses has that selects nobody: then the exit code is 5."""
        completed = super().completed(presentation)
        if self._rejects is None or not self._rejects.number:
            return completed
        done = completed.exit_code == ExitCode.DONE
        return replace(
            completed,
            problems=[*completed.problems, *self._rejects.problems()],
            exit_code=ExitCode.PARTIAL if done else completed.exit_code,
        )


class ReasonedInvocation(StoreInvocation):
    """A command that changes the store, and keeps the reason."""

    reason: options.Reason = ""

    def __init__(self, console: Console, command: str, given: Mapping[str, Any]) -> None:
        super().__init__(console, command, given)
        if len(self.reason) > _LONGEST_REASON:
            raise UsageError(
                f"--reason has {len(self.reason):,} characters",
                hint=f"it is shown with every list of runs: write at most {_LONGEST_REASON:,}",
            )


class WaitingInvocation(StoreInvocation):
    """A command that waits for another process that changes contacts."""

    wait: options.Wait = FOR_LOCKS_S


class PlanningInvocation(ReasonedInvocation):
    """A command that plans a change of contacts, shows it, and has it confirmed."""

    dry_run: options.DryRun = False
    plan: options.KeepPlan = False
    confirm: options.ConfirmCount = None
    limit_override: options.LimitOverride = None
    wait: options.Wait = FOR_LOCKS_S
    background: bool = False  # an option where the work takes long

    def manner(self) -> options.Manner:
        """How to carry the change out; UsageError for options that cannot be combined."""
        said = options.read_confirmation(self.confirm, self.limit_override)
        return options.checked(
            options.Manner(said, self.background, self.wait, self.dry_run, self.plan)
        )


class BackgroundInvocation(PlanningInvocation):
    """One that can work in the background."""

    background: options.Background = False


class ChangingInvocation(PlanningInvocation, SelectingInvocation):
    """A command that changes the contacts that criteria select."""

    def require_alone(self) -> None:
        """UsageError for what only works with criteria, beside one contact."""
        if self.dry_run or self.plan or self.confirm is not None or self.has_criteria:
            raise UsageError("one contact takes no criteria, --dry-run, --plan or --confirm")


class OneOrManyInvocation(ChangingInvocation):
    """A command that changes the contacts that criteria select, or one of them by its email."""

    confirm: options.ConfirmEmailOrCount = None

    def require_alone(self) -> None:
        if self.has_criteria:
            raise UsageError("give an email or criteria, not both")
        if self.dry_run or self.plan or self.limit_override is not None:
            raise UsageError("--dry-run, --plan and --limit-override work only with criteria")
        if self.background:
            raise UsageError("--background works only with criteria")


def _field_names(text: str | None) -> tuple[str, ...]:
    if text is None:
        return ()
    names = tuple(name.strip() for name in text.split(","))
    if not all(names):
        raise UsageError("--fields has an empty name", hint="write it as --fields id,email")
    if twice := next((name for name in names if names.count(name) > 1), ""):
        raise UsageError(f"--fields names '{twice}' twice")
    return names


# Standard input as bytes, for files given as `-`


def bytes_of_stdin(console: Console) -> BinaryIO:
    """The bytes below the console's standard input; a text console gives them in UTF-8."""
    below: BinaryIO | None = getattr(console.stdin, "buffer", None)
    return BytesIO(console.stdin.read().encode()) if below is None else below


# Rows that are read while they are written


def until_taken(rows: Iterator[T], resources: ExitStack) -> Iterator[T]:
    """The rows; what they are read from stays open until the last one is taken."""
    with resources:
        yield from rows
