"""The error tree: every foreseen failure carries its code, hint and exit code."""

from enum import IntEnum

from contactctl.domain.lazy import dataclass
from contactctl.domain.urls import hide_passwords_in


class ExitCode(IntEnum):
    """Exit codes of the program; fixed, documented in docs/reference/exit-codes.md."""

    DONE = 0
    FAILURE = 1
    USAGE = 2
    STORE = 3
    REFUSED = 4
    PARTIAL = 5
    BUSY = 6
    INTERRUPTED = 130


CANCELLED = "cancelled"  # the code of what was ended while the store was busy with it


class ContactctlError(Exception):
    """A foreseen failure: one clear line, what to do about it, and an exit code."""

    code = "failure"
    exit_code = ExitCode.FAILURE

    def __init__(self, message: str, *, hint: str = "", code: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        if code:
            self.code = code


class UsageError(ContactctlError):
    """The command line names something that does not exist, or options that cannot be combined."""

    code = "usage"
    exit_code = ExitCode.USAGE


class CriteriaError(UsageError):
    """Criteria that cannot be read; never guessed, as a guess could widen a selection."""

    code = "criteria"


class ConfigError(UsageError):
    """A config file that cannot be read, or a value that does not fit."""

    code = "config"


class InputError(UsageError):
    """An input file that is refused as a whole."""

    code = "input"


class NotFoundError(ContactctlError):
    """A contact, group or run that does not exist."""

    code = "not-found"


class StoreError(ContactctlError):
    """The store is unreachable, missing, of another schema version, or denies permission."""

    code = "store"
    exit_code = ExitCode.STORE


class RefusedError(ContactctlError):
    """Declined, wrong count, over a limit: nothing was changed."""

    code = "refused"
    exit_code = ExitCode.REFUSED


class OverLimitError(RefusedError):
    """More contacts than the limits allow without an override."""

    code = "over-limit"


class RejectedError(ContactctlError):
    """One input is not accepted, such as a rejected row of a file."""

    code = "rejected"
    exit_code = ExitCode.PARTIAL


class BusyError(ContactctlError):
    """Another process does the same kind of work on this store."""

    code = "busy"
    exit_code = ExitCode.BUSY


class InterruptedByUserError(ContactctlError):
    """Ctrl-C, or the terminal was closed."""

    code = "interrupted"
    exit_code = ExitCode.INTERRUPTED


def cut_short(what: str, error: ContactctlError, how_to_go_on: str) -> ContactctlError:
    """The same kind of failure, said of work that keeps what it has done so far."""
    return type(error)(
        f"{what} was cut short; what it has done so far is kept: {error.message}",
        hint="; ".join(filter(None, (error.hint, how_to_go_on))),
        code=error.code,
    )


# What every command's result has in common, in every format


REJECT = "reject"  # code of rejected input, which does not stop the command


@dataclass(frozen=True)
class Problem:
    """One thing that went wrong: a stable code, one clear line, and what to do about it."""

    code: str
    message: str
    hint: str = ""

    @classmethod
    def of(cls, error: ContactctlError) -> "Problem":
        """What is told of an error, which may cite what was given: passwords show as `***`."""
        return cls(error.code, hide_passwords_in(error.message), hide_passwords_in(error.hint))


def status_word(exit_code: ExitCode) -> str:
    """The envelope's `status`: success, partial or error."""
    if exit_code == ExitCode.DONE:
        return "success"
    return "partial" if exit_code == ExitCode.PARTIAL else "error"
