"""What the builder works with, and its result; nothing here takes long to import."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from contactctl.domain.errors import ContactctlError

if TYPE_CHECKING:
    from contactctl.domain.criteria.tree import Criteria
    from contactctl.domain.runs import Run
    from contactctl.operations.session import Session


@dataclass(frozen=True)
class BuilderWork:
    """How to open the session, the criteria to begin with (None: the prebuilt ones), and the
    surroundings.

    `open_session` is called in a thread, behind the first picture. `finish_in_background` starts
    the process that finishes a begun run. Files are named relative to `folder`; `file` is the one
    that the criteria came from.
    """

    open_session: "Callable[[], AbstractContextManager[Session]]"
    finish_in_background: "Callable[[Run], None]"
    folder: Path
    criteria: "Criteria | None" = None
    file: Path | None = None
    reason: str = ""
    colours: bool = True
    light: bool = False


@dataclass(frozen=True, slots=True)
class BuilderResult:
    """How the builder was left: the last run it began, or the plan it kept; None for neither.

    `earlier` are runs that it finished before that one. `problem` says why no process runs it,
    or why a plan could not be dropped; `failure` why the store could not be opened. `unsaved` are
    edits that were not saved, as text to be copied; `closed_by` is the signal that ended it.
    """

    run: "Run | None" = None
    earlier: "tuple[Run, ...]" = ()
    problem: ContactctlError | None = None
    failure: BaseException | None = None
    unsaved: str = ""
    closed_by: str = ""


@dataclass(frozen=True, slots=True)
class Standing:
    """What the header says: which store, which criteria, and whether edits are unsaved."""

    database: str = ""
    criteria: str = ""
    edited: bool = False
