"""What every command's result has in common, in every format."""

from dataclasses import dataclass

from contactctl.domain.errors import ContactctlError, ExitCode
from contactctl.domain.urls import hide_passwords_in

REJECT = "reject"  # code of rejected input, which does not stop the command


@dataclass(frozen=True, slots=True)
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
