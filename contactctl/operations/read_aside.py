"""Reading in a process of its own, so that one core reads while another one writes.

It gets its task on standard input and gives back batches, then None, on standard output; an error
it was foreseen to meet comes in their place. Either process notices at its next word that the other
one has died.
"""

import os
import pickle
import subprocess
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, cast

from contactctl.domain.errors import ContactctlError
from contactctl.operations.ingest_rows import ReadBatch, batches_of, rare_garbage_collection
from contactctl.operations.own_process import own_process
from contactctl.responses.classify import default_classifier
from contactctl.responses.mail import Naming
from contactctl.responses.read import OwnFormats, read_events
from contactctl.responses.rules import Rule

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
