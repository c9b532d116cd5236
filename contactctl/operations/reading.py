"""Reading responses as the config says: its rules before the built-in ones, its VERP pattern."""

import os
import pickle
import shutil
import subprocess
from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import IO, cast
from zoneinfo import ZoneInfo

from contactctl.config.settings import Settings
from contactctl.domain.errors import ConfigError, ContactctlError, InputError, UsageError
from contactctl.domain.responses import Event
from contactctl.operations.ingest_rows import ReadBatch, batches_of
from contactctl.processes import own_process, rare_garbage_collection
from contactctl.responses.classify import Classifier, cached, default_classifier
from contactctl.responses.containers import iter_mails
from contactctl.responses.formats.mapping import FormatSource, compile_format
from contactctl.responses.generic import GenericOptions
from contactctl.responses.mail import Naming, VerpPattern
from contactctl.responses.payloads import PayloadReader
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
        self._payload_readers: dict[str, PayloadReader] = {}
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

    def read_documents(
        self, documents: Iterable[tuple[str, object]], format_: str
    ) -> Iterator[Event]:
        """The events of a provider's documents given as (place, document)."""
        return self._payloads(format_).read_documents(documents)

    def _payloads(self, format_: str) -> PayloadReader:
        """What reads documents of a provider; kept, as it is made of many mappings."""
        if format_ not in self._payload_readers:
            self._payload_readers[format_] = PayloadReader(
                format_,
                cached(self.classifier),
                (),
                GenericOptions(),
                self.own_formats.now or datetime.now(UTC),
                self.own_formats.zone,
            )
        return self._payload_readers[format_]

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


# Reading in a process of its own, so that one core reads while another one writes


_SERVE = f"from {__name__} import serve; serve(sys.stdin.buffer, sys.stdout.buffer)"
# Ctrl-C is for the process that writes; on Windows this flag keeps it away, elsewhere a group does
_DETACHED = getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0)


@dataclass(frozen=True, slots=True)
class ReadingTask:
    """What to read, and how; `rules` come before the built-in ones."""

    paths: Sequence[Path]
    format: str
    rules: tuple[Rule, ...]
    naming: Naming
    own: OwnFormats
    batch_size: int

    def batches(self) -> Generator[ReadBatch]:
        """What the files hold, read in this process."""
        events = read_events(
            self.paths,
            default_classifier(self.rules),
            format=self.format,
            naming=self.naming,
            own=self.own,
        )
        return batches_of(events, self.batch_size)


def read_aside(task: ReadingTask) -> Generator[ReadBatch]:
    """What the files hold, read in a process that ends with this generator.

    Raises what reading raises, and ContactctlError when the process dies.
    """
    try:
        with _reading_process() as (task_stream, batch_stream):
            task_stream.write(pickle.dumps(task))
            task_stream.close()
            yield from _received(batch_stream)
    except (EOFError, BrokenPipeError, pickle.UnpicklingError):
        raise ContactctlError(
            "the process that reads the input has died",
            hint="ingest the same input again: nothing is recorded twice",
        ) from None


def _received(batch_stream: IO[bytes]) -> Iterator[ReadBatch]:
    while (message := pickle.load(batch_stream)) is not None:  # noqa: S301 (from our own process)
        if isinstance(message, ContactctlError):
            raise message
        yield message


def serve(task_stream: IO[bytes], batch_stream: IO[bytes]) -> None:
    """The other process: read a task, write its batches."""
    try:
        task: ReadingTask = pickle.load(task_stream)  # noqa: S301 (from our own process)
        with rare_garbage_collection():
            for batch in task.batches():
                _send(batch_stream, batch)
        _send(batch_stream, None)
    except ContactctlError as error:
        _send(batch_stream, error)
    except BrokenPipeError:
        os._exit(1)  # nobody is there to be told, nor to be written to once more at the exit


def _send(stream: IO[bytes], message: ReadBatch | ContactctlError | None) -> None:
    stream.write(pickle.dumps(message, pickle.HIGHEST_PROTOCOL))
    stream.flush()


@contextmanager
def _reading_process() -> Iterator[tuple[IO[bytes], IO[bytes]]]:
    """What to write its task to and to read its batches from; it is gone afterwards."""
    try:
        process = subprocess.Popen(
            own_process(_SERVE),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            process_group=0,
            creationflags=_DETACHED,
        )
    except OSError as error:
        raise ContactctlError(
            f"cannot start a process to read with: {error.strerror}", hint="try again later"
        ) from error
    with process:
        try:
            yield cast("IO[bytes]", process.stdin), cast("IO[bytes]", process.stdout)
        finally:
            process.kill()
