"""What the builder works with, and its result."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from contactctl.domain.criteria import Criteria
from contactctl.domain.errors import ContactctlError
from contactctl.domain.runs import Run
from contactctl.operations.session import Session


@dataclass(frozen=True)
class BuilderWork:
    """The session, the criteria to begin with (None: the prebuilt ones), and the surroundings.

    `finish_in_background` starts the process that finishes a begun run. Files are named relative
    to `folder`; `file` is the one that the criteria came from.
    """

    session: Session
    finish_in_background: Callable[[Run], None]
    folder: Path
    criteria: Criteria | None = None
    file: Path | None = None
    reason: str = ""
    colours: bool = True
    light: bool = False


@dataclass(frozen=True, slots=True)
class BuilderResult:
    """How the builder was left: the run it began or the plan it kept, None for neither.

    `problem` says why no process runs it; `closed_by` is the signal that ended the builder.
    """

    run: Run | None = None
    problem: ContactctlError | None = None
    closed_by: str = ""
