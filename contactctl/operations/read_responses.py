"""Reading responses as the config says: its rules before the built-in ones, its VERP pattern."""

import shutil
from collections.abc import Generator, Iterable, Iterator, Sequence
from datetime import datetime
from functools import cached_property
from pathlib import Path
from zoneinfo import ZoneInfo

from contactctl.config.settings import Settings
from contactctl.domain.errors import ConfigError, InputError, UsageError
from contactctl.domain.responses import Event
from contactctl.operations.ingest_rows import ReadBatch, batches_of
from contactctl.operations.read_aside import ReadingTask, read_aside
from contactctl.responses.classify import Classifier, default_classifier
from contactctl.responses.containers import iter_mails
from contactctl.responses.formats.mapping import FormatSource, compile_format
from contactctl.responses.generic import GenericOptions
from contactctl.responses.mail import Naming, VerpPattern
from contactctl.responses.read import (
    FORMATS,
    Input,
    OwnFormats,
    read_events,
    read_mails,
    require_format,
)
from contactctl.responses.rules import Rule, parse_rules

_MAILDIR_PARTS = ("new", "cur")
_READ_ASIDE_BYTES = 1 << 23  # less is read before another process has started


class ResponseReader:
    """Turns inputs into events. Raises ConfigError for rules, formats or a pattern that cannot be
    read. `now` is aware; `generic` is what the user says of files of their own.
    """

    def __init__(
        self,
        settings: Settings,
        now: datetime | None = None,
        generic: GenericOptions | None = None,
        *,
        is_thorough: bool = False,
    ) -> None:
        self._is_thorough = is_thorough
        self.own_rules = own_rules(settings)
        self.own_formats = OwnFormats(
            tuple(own_formats(settings)),
            generic or GenericOptions(),
            ZoneInfo(settings.time_zone),
            now,
        )
        verp = VerpPattern.parse(settings.verp) if settings.verp else None
        self.naming = Naming(verp, [name.lower() for name in settings.recipient_headers])

    @cached_property
    def classifier(self) -> Classifier:
        return default_classifier(self.own_rules, is_thorough=self._is_thorough)

    def read(self, inputs: Sequence[Input], format_: str) -> Iterator[Event]:
        """The events of all inputs; at once UsageError for an unknown format, InputError for an
        input that does not exist."""
        _require_existing(inputs)
        return read_events(
            inputs, self.classifier, format=format_, naming=self.naming, own=self.own_formats
        )

    def read_batches(
        self, inputs: Sequence[Input], format_: str, batch_size: int
    ) -> Generator[ReadBatch]:
        """The same in batches; large files are read by a process of its own."""
        require_format(format_, self.own_formats)
        _require_existing(inputs)
        files = [each for each in inputs if isinstance(each, Path) and each.is_file()]
        size = sum(file.stat().st_size for file in files)
        if len(files) == len(inputs) and size >= _READ_ASIDE_BYTES:
            return read_aside(
                ReadingTask(
                    files, format_, self.own_rules, self.naming, self.own_formats, batch_size
                )
            )
        return batches_of(self.read(inputs, format_), batch_size)

    def read_mails(self, mails: Iterable[tuple[str, bytes]]) -> Iterator[Event]:
        """The events of mails given as (source, raw)."""
        return read_mails(mails, self.classifier, self.naming)


class MovedMaildirs:
    """The mails of Maildirs, moved into another Maildir's `cur` once they are dealt with.

    `move` moves those whose successor has been asked for: nothing of them is still to be read.
    """

    def __init__(self, maildirs: Sequence[Path], target: Path) -> None:
        for maildir in maildirs:
            if not any((maildir / part).is_dir() for part in _MAILDIR_PARTS):
                raise UsageError(
                    f"{maildir} is not a Maildir", hint="--move-to moves only the mails of Maildirs"
                )
        self._maildirs = maildirs
        self._target = target
        self._finished: list[Path] = []

    def mails(self) -> Iterator[tuple[str, bytes]]:
        """(source, raw) of every mail."""
        for maildir in self._maildirs:
            for source, raw in iter_mails(maildir):
                yield source, raw
                self._finished.append(Path(source))

    def move(self) -> None:
        """Move what is finished; a mail that somebody else has moved already is left alone."""
        folder = self._target / "cur"
        for part in ("new", "cur", "tmp"):
            (self._target / part).mkdir(parents=True, exist_ok=True, mode=0o700)
        for mail in self._finished:
            if mail.is_file():
                shutil.move(mail, _free_name(folder, mail.name))
        self._finished.clear()


def _require_existing(inputs: Sequence[Input]) -> None:
    for each in inputs:
        if isinstance(each, Path) and not each.exists():
            raise InputError(f"{each}: no such file or folder", hint="check the path")


def own_rules(settings: Settings) -> tuple[Rule, ...]:
    """The rules of the config, which are tried first."""
    rules = settings.response_rules
    return parse_rules(rules.mappings, origin=rules.origin) if rules.mappings else ()


def own_formats(settings: Settings) -> Iterator[FormatSource]:
    """The formats of the config. Raises ConfigError for one that makes no sense."""
    for name, mapping in settings.formats.items():
        if name in (*FORMATS, "auto"):
            raise ConfigError(
                f"{mapping.origin}: format '{name}' is built in", hint="give it another name"
            )
        source = FormatSource(name, mapping.content, mapping.origin)
        compile_format(source)
        yield source


def _free_name(folder: Path, name: str) -> Path:
    """The name itself, or with a number where there is such a mail already."""
    path, number = folder / name, 1
    while path.exists():
        path, number = folder / f"{number}.{name}", number + 1
    return path
