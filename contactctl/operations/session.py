"""What every operation works with: the store, the settings, the clock, and who asks."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from contactctl.config.settings import Settings
from contactctl.domain.errors import RefusedError
from contactctl.domain.fields import FieldCatalogue
from contactctl.domain.run_kinds import RunDetails
from contactctl.domain.runs import Request
from contactctl.store.runs import any_by_real_clock
from contactctl.store.store import Store

Advance = Callable[[int], None]
Progress = Callable[[str, int | None], AbstractContextManager[Advance]]


@contextmanager
def no_progress(title: str, total: int | None) -> Iterator[Advance]:  # noqa: ARG001
    """Progress that nobody watches."""
    yield lambda _steps: None


@dataclass(frozen=True)
class Session:
    """One command's work on one store.

    `now` is the one instant that relative dates count from; `clock` is for when things happened.
    `progress(title, total)` gives a function to be called with the number of further steps done.
    """

    store: Store
    settings: Settings
    now: datetime
    clock: Callable[[], datetime]
    operator: str
    clock_replaced: bool = False
    progress: Progress = no_progress

    @property
    def catalogue(self) -> FieldCatalogue:
        return FieldCatalogue(self.settings.attributes)

    @property
    def time_zone(self) -> ZoneInfo:
        return ZoneInfo(self.settings.time_zone)

    def request(self, details: RunDetails, *, reason: str = "") -> Request:
        """A request for such a run, by this operator."""
        return Request(details, self.operator, reason, self.clock_replaced)


def guard_against_replaced_clock(session: Session) -> None:
    """Let nothing be written by a replaced clock into a store that is in use by the real one.

    It is for rehearsals: it could apply a plan that has expired, or end a wait.
    """
    if not session.clock_replaced or session.settings.allow_replaced_clock:
        return
    with session.store.reading() as connection:
        if not any_by_real_clock(connection):
            return
    session.store.refusal = RefusedError(
        "the clock is replaced (CONTACTCTL_NOW), and this store is in use by the real one;"
        " nothing was changed",
        hint="rehearse with --dry-run, or on a store of its own; `allow_replaced_clock: true` in"
        " the config allows it here",
        code="replaced-clock",
    )
