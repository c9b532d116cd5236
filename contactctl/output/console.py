"""The streams, terminal state, colour, clock and operator: made once at start, passed to all."""

import os
import shutil
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from io import TextIOWrapper
from pathlib import Path
from typing import TextIO

from contactctl.domain.errors import UsageError

NOW_VARIABLE = "CONTACTCTL_NOW"
_YEARS = range(1970, 3000)  # so that no span of the config ends outside the calendar


def _system_clock() -> datetime:
    return datetime.now(UTC)


@dataclass
class Console:
    """Everything the program touches of its surroundings; tests build one of their own.

    `output_is_cut_off`: stdout holds the beginning of a document, and its end is still to come.
    """

    stdin: TextIO
    stdout: TextIO
    stderr: TextIO
    stdin_is_tty: bool = False
    stdout_is_tty: bool = False
    stderr_is_tty: bool = False
    environ: Mapping[str, str] = field(default_factory=dict)
    cwd: Path = field(default_factory=Path)
    width: int = 80
    operator: str = "unknown"
    clock: Callable[[], datetime] = _system_clock
    quiet: bool = False
    colour_allowed: bool = True
    output_is_cut_off: bool = False
    _replaced_now: datetime | None = None

    @classmethod
    def of_process(cls) -> "Console":
        """The console of this process."""
        stdin, stdout, stderr = _standard_streams()
        return cls(
            stdin=stdin,
            stdout=stdout,
            stderr=stderr,
            stdin_is_tty=stdin.isatty(),
            stdout_is_tty=stdout.isatty(),
            stderr_is_tty=stderr.isatty(),
            environ=os.environ,
            cwd=Path.cwd(),
            width=shutil.get_terminal_size().columns,
            operator=_operator(),
        )

    @property
    def can_prompt(self) -> bool:
        """A person sits at both ends: can read the question and type the answer."""
        return self.stdin_is_tty and self.stderr_is_tty

    @property
    def colours_stdout(self) -> bool:
        return self.stdout_is_tty and self._wants_colour

    @property
    def colours_stderr(self) -> bool:
        return self.stderr_is_tty and self._wants_colour

    @property
    def _wants_colour(self) -> bool:
        """See https://no-color.org: NO_COLOR counts when present and not empty."""
        dumb = self.environ.get("TERM") == "dumb"
        return self.colour_allowed and not self.environ.get("NO_COLOR") and not dumb

    @property
    def now_is_replaced(self) -> bool:
        """The clock is CONTACTCTL_NOW, not the machine's."""
        return bool(self.environ.get(NOW_VARIABLE))

    def now(self) -> datetime:
        """The present instant in UTC; CONTACTCTL_NOW replaces it, which stderr says once.

        Raises UsageError when CONTACTCTL_NOW is not an ISO 8601 instant.
        """
        if not self.now_is_replaced:
            return self.clock()
        if self._replaced_now is None:
            self._replaced_now = parse_instant(self.environ[NOW_VARIABLE])
            self.note(f"the clock is replaced by {NOW_VARIABLE}: {self._replaced_now.isoformat()}")
        return self._replaced_now

    def note(self, text: str) -> None:
        """One line for people, on stderr; --quiet silences it."""
        if not self.quiet:
            self.say(f"note: {text}")

    def say(self, line: str) -> None:
        """One line on stderr, at a terminal broken at words; the work continues even if nobody
        reads it any more."""
        lines = wrap(line, self.width) if self.stderr_is_tty else [line]
        with suppress(OSError):
            print("\n".join(lines), file=self.stderr, flush=True)

    def write_utf8(self) -> None:
        """What stdout gets from now on are bytes of UTF-8, whatever the locale: it is data."""
        if isinstance(self.stdout, TextIOWrapper):
            self.stdout.reconfigure(encoding="utf-8", newline="")

    def discard_output(self) -> None:
        """Send what stdout still holds nowhere, or the interpreter complains at exit."""
        if self.stdout is sys.__stdout__:
            os.dup2(os.open(os.devnull, os.O_WRONLY), self.stdout.fileno())

    def flush(self) -> None:
        self.stdout.flush()
        self.stderr.flush()


def _standard_streams() -> tuple[TextIO, TextIO, TextIO]:
    """stdin, stdout, stderr; one that was closed (`<&-`) is replaced by the null device.

    What is written to a stdout that was closed fails, as in other programs: nobody has got it.
    """
    nowhere = Path(os.devnull)
    stdin = sys.stdin or nowhere.open()
    stdout = sys.stdout or os.fdopen(os.open(nowhere, os.O_RDONLY), "w")
    stderr = sys.stderr or nowhere.open("w")
    for stream in (stdout, stderr):
        if isinstance(stream, TextIOWrapper):
            # a name that the terminal's encoding lacks must not end the program
            stream.reconfigure(errors="backslashreplace")
    if isinstance(stdin, TextIOWrapper) and stdin.isatty():
        stdin.reconfigure(errors="replace")
    return stdin, stdout, stderr


def parse_instant(text: str) -> datetime:
    """An ISO 8601 date or instant as aware UTC; without a zone it is UTC. UsageError otherwise."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise UsageError(
            f"{NOW_VARIABLE} is not an ISO 8601 instant: {text!r}",
            hint="write it as 2026-01-31T08:00:00Z",
        ) from None
    if moment.year not in _YEARS:
        raise UsageError(
            f"{NOW_VARIABLE} is too far away: {text!r}",
            hint=f"give a year from {_YEARS.start} to {_YEARS.stop - 1}",
        )
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)


def _operator() -> str:
    """`user@host` from the kernel's user id, since USER and LOGNAME can say anything."""
    return f"{_user_name()}@{_host_name()}"


def _user_name() -> str:
    if sys.platform == "win32":
        import getpass  # noqa: PLC0415

        return getpass.getuser()
    import pwd  # noqa: PLC0415

    with suppress(KeyError):
        return pwd.getpwuid(os.getuid()).pw_name
    return f"uid{os.getuid()}"


def _host_name() -> str:
    if sys.platform == "win32":
        import platform  # noqa: PLC0415

        return platform.node()
    return os.uname().nodename


# The few terminal styles in use (ECMA-48 SGR)


BOLD = "1"
DIM = "2"
RED = "31"
YELLOW = "33"


def paint(text: str, style: str, wanted: bool) -> str:
    """`text` in that style, or unchanged without colour."""
    return f"\x1b[{style}m{text}\x1b[0m" if style and wanted else text


# How many terminal cells a text takes, and text cut or padded to a number of them


ELLIPSIS = "…"
_PART = "   "


def width_of(text: str) -> int:
    """Terminal cells; East Asian wide characters take two, combining ones none (UAX #11)."""
    if text.isascii():
        return len(text)
    from rich.cells import cell_len  # noqa: PLC0415

    return cell_len(text)


def cut(text: str, width: int) -> str:
    """The text, or as much of it as fits before an ellipsis."""
    if width_of(text) <= width:
        return text
    from rich.cells import set_cell_size  # noqa: PLC0415

    return set_cell_size(text, width - 1).rstrip() + ELLIPSIS


def chop(text: str, width: int) -> list[str]:
    """The whole text in lines of at most `width` cells, broken at blanks where there are some."""
    return [piece for line in wrap(text, width, hang=0) for piece in _pieces(line, width)]


def _pieces(line: str, width: int) -> list[str]:
    if width_of(line) <= width:
        return [line]
    from rich.cells import chop_cells  # noqa: PLC0415

    return chop_cells(line, width)


def pad(text: str, width: int, *, right: bool = False) -> str:
    """The text with blanks up to `width` cells, to the left of it when `right`."""
    blanks = " " * (width - width_of(text))
    return blanks + text if right else text + blanks


def wrap(text: str, width: int, hang: int = 2) -> list[str]:
    """The text in lines of at most `width` cells, broken at blanks; a longer word stays whole.

    Lines after the first are indented by `hang` blanks. Parts separated by three blanks are broken
    there first.
    """
    if width_of(text) <= width or not text.strip():
        return [text]
    indent = " " * (len(text) - len(text.lstrip(" ")))
    first, *others = [part.split() for part in text.split(_PART) if part.strip()]
    lines = _filled(indent, first, width, hang)
    for words in others:
        lines += _filled(indent + " " * hang, words, width, hang)
    return lines


def _filled(indent: str, words: Sequence[str], width: int, hang: int) -> list[str]:
    lines = [indent + words[0]]
    for word in words[1:]:
        if width_of(lines[-1]) + 1 + width_of(word) <= width:
            lines[-1] += f" {word}"
        else:
            lines.append(indent + " " * hang + word)
    return lines
