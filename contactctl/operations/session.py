"""What every operation works with: the store, the settings, the clock, and who asks."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import replace
from datetime import datetime
from zoneinfo import ZoneInfo

from contactctl.config.policy import Bound, bind
from contactctl.config.settings import LoadedSettings, Settings
from contactctl.domain.criteria.fields import FieldCatalogue
from contactctl.domain.errors import ContactctlError, RefusedError
from contactctl.domain.lazy import dataclass
from contactctl.domain.policies import Terms
from contactctl.domain.run_details import RunDetails
from contactctl.domain.runs import Request, RunState
from contactctl.domain.text import show_safely
from contactctl.domain.waits import Waits
from contactctl.store.database.store import QueryCanceller, Store, connect, open_store
from contactctl.store.runs import any_by_real_clock, list_runs, newest_policy

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
    `bound` tells how the store's policy binds the config.
    `progress(title, total)` gives a function to be called with the number of further steps done.
    """

    store: Store
    settings: Settings
    now: datetime
    clock: Callable[[], datetime]
    operator: str
    clock_replaced: bool = False
    progress: Progress = no_progress
    bound: Bound | None = None

    @property
    def catalogue(self) -> FieldCatalogue:
        return FieldCatalogue(self.settings.attributes)

    @property
    def time_zone(self) -> ZoneInfo:
        return ZoneInfo(self.settings.time_zone)

    def request(self, details: RunDetails, *, reason: str = "") -> Request:
        """A request for such a run, by this operator."""
        database = self.store.identity
        return Request(details, self.operator, database, reason, self.clock_replaced, self.terms)

    @property
    def terms(self) -> Terms:
        """What is in force for a run that is asked for now."""
        number = self.bound.policy if self.bound else None
        return Terms(number, self.settings.plans.approval, self.settings.limits)

    def canceller(self) -> QueryCanceller:
        """What ends, from another thread, the query that this session's store is busy with."""
        return QueryCanceller(self.store)

    def apart(self) -> "Session":
        """The same on connections of its own; its store must be closed in the end."""
        return replace(self, store=connect(self.settings.database, self.store.waits))


@contextmanager
def open_session(
    loaded: LoadedSettings,
    waits: Waits,
    *,
    now: datetime,
    clock: Callable[[], datetime],
    operator: str,
    clock_replaced: bool,
    progress: Progress,
) -> Iterator[Session]:
    """A session on the store that the settings name; its operator is named with the role there."""
    with closing(open_store(loaded.settings.database, waits)) as store:
        role = store.database_role()
        by = f"{operator} as {role}" if role else operator
        bound = _bound(loaded, store)
        settings = bound.loaded.settings
        session = Session(store, settings, now, clock, by, clock_replaced, progress, bound)
        _guard_against_replaced_clock(session)
        yield session


def _bound(loaded: LoadedSettings, store: Store) -> Bound:
    """The settings as the store's policy binds them."""
    with store.reading() as connection:
        policy = newest_policy(connection)
    if policy is None:
        return Bound(loaded)
    return bind(loaded, policy.document, policy.number)


def _guard_against_replaced_clock(session: Session) -> None:
    """Let nothing be written by a replaced clock into a store that is in use by the real one.

    It is for rehearsals: it could apply a plan that has expired, or end a wait.
    """
    if not session.clock_replaced or session.settings.allow_replaced_clock:
        return
    with session.store.reading() as connection:
        if not any_by_real_clock(connection):
            return
    where = "policy" if session.bound and session.bound.policy else "config"
    session.store.refusal = RefusedError(
        "the clock is replaced (CONTACTCTL_NOW), and this store is in use by the real one;"
        " nothing was changed",
        hint="rehearse with --dry-run, or on a store of its own; `allow_replaced_clock: true` in"
        f" the {where} allows it here",
        code="replaced-clock",
    )


_FOR_WHO_S = 3.0


def who_works_on(database: str) -> str:
    """The newest run at work on a store, in words, asked over a connection of its own, since the
    others wait; '' where there is none, or that cannot be told at once."""
    try:
        with (
            closing(connect(database, Waits(0.0, _FOR_WHO_S))) as store,
            store.reading() as connection,
        ):
            found = list_runs(connection, limit=1, kinds=[], states=[RunState.RUNNING])
    except ContactctlError:
        return ""
    if not found:
        return ""
    run = found[0]
    began = run.started_at or run.planned_at
    by = show_safely(run.resumed_by or run.applied_by or run.operator)
    return f"run {run.id} ({run.kind}) by {by}, since {began:%H:%M} UTC"
