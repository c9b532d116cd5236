"""Telling a provider who is inactive: its suppression list follows the store."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from contactctl.domain.errors import UsageError
from contactctl.domain.run_kinds import PushRun
from contactctl.domain.runs import Confirmation, Run, RunKind, Stakes
from contactctl.domain.sources import ProviderSource
from contactctl.operations.criteria import PREVIEW_ROWS
from contactctl.operations.fetch import find_fetched, names_of
from contactctl.operations.plans import stakes_of_plan, write_confirmed_plan
from contactctl.operations.runs import work_of_run
from contactctl.operations.secrets import read_key
from contactctl.operations.session import Session
from contactctl.responses.apis.description import api_of
from contactctl.responses.apis.lists import ApiList, SuppressionList
from contactctl.responses.apis.transport import Client, Pace
from contactctl.store import pushing
from contactctl.store.impact import count_active
from contactctl.store.plans import BatchWork, PlanFigures

_LEAST_AT_ONCE = 25  # contacts whose change is one transaction
_MOST_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class PushPreview:
    """What a push would tell the provider, with the first contacts."""

    source: str
    database: str
    adding: int
    removing: int
    rows: Sequence[Mapping[str, Any]]
    stakes: Stakes


@dataclass(frozen=True, slots=True)
class ListDiff:
    """Both lists side by side: `counts` and the first `rows` of those on both, only inactive
    `here`, only suppressed `there`; and how many `unknown` addresses are there."""

    source: str
    counts: Mapping[str, int]
    rows: Mapping[str, Sequence[Mapping[str, Any]]]


def find_provider(session: Session, name: str) -> ProviderSource:
    """The provider of that name, with a suppression list. UsageError."""
    found = find_fetched(session.settings, name)
    if not isinstance(found, ProviderSource):
        raise UsageError(f"{name} is a mailbox, and has no suppression list")
    if found.provider == "sqs":
        raise UsageError(f"{name} is a queue, and has no suppression list", hint="name one of ses")
    return found


def work_of_push(source: ProviderSource) -> str:
    """What only one process does at a time, in the name of its lock."""
    return work_of_run(PushRun(source.name))


def preview_push(session: Session, source: ProviderSource) -> PushPreview:
    """Count and show; nothing is written, and the provider is not asked."""
    with session.store.reading() as connection:
        counts = pushing.count_push(connection, source.name)
        rows = pushing.first_of_push(connection, source.name, PREVIEW_ROWS)
        active = count_active(connection)
    stakes = stakes_of_plan(session, PlanFigures(RunKind.PUSH, sum(counts.values()), active))
    return PushPreview(
        source.name,
        session.store.identity,
        counts[pushing.PushAction.ADD],
        counts[pushing.PushAction.REMOVE],
        rows,
        stakes,
    )


def plan_push_to(
    session: Session, source: ProviderSource, *, reason: str, said: Confirmation | None
) -> Run | None:
    """Freeze whom the provider is to be told of; None where it is told all already."""
    with session.store.reading() as connection:
        counts = pushing.count_push(connection, source.name)
    details = PushRun(
        source.name, counts[pushing.PushAction.ADD], counts[pushing.PushAction.REMOVE]
    )
    return write_confirmed_plan(
        session,
        session.request(details, reason=reason),
        pushing.plan_push(source.name),
        said,
    )


def compare_with_provider(session: Session, source: ProviderSource) -> ListDiff:
    """Read the provider's list, and compare it with who is inactive here. Nothing is changed."""
    pages = list(_list_of(source).keys())
    with session.store.writing() as connection:
        counts, rows = pushing.compare_lists(connection, pages, PREVIEW_ROWS)
        connection.rollback()
    return ListDiff(source.name, counts, rows)


def with_provider(session: Session, run: Run, work: BatchWork) -> BatchWork:
    """The work of a push, with the way to the provider. Raises ConfigError, ApiError."""
    source = find_provider(session, run.details_as(PushRun).source)
    listed = _list_of(source)
    at_once = min(max(listed.at_once, _LEAST_AT_ONCE), _MOST_AT_ONCE)
    return replace(work, send=partial(_tell, source, Pace(source.rate)), most_at_once=at_once)


def _tell(
    source: ProviderSource, pace: Pace, told: pushing.Told
) -> tuple[pushing.Told, pushing.Refused]:
    """Tell the provider of a batch, each time with a key that is read anew: it may run out."""
    listed = _list_of(source, pace)
    say = {pushing.PushAction.ADD: listed.add, pushing.PushAction.REMOVE: listed.remove}
    refused = {action: set(say[action](list(told[action]))) for action in told if told[action]}
    return told, refused


def _list_of(source: ProviderSource, pace: Pace | None = None) -> SuppressionList:
    pace = pace or Pace(source.rate)
    if source.provider == "ses":
        from contactctl.responses.apis.aws import SesList  # noqa: PLC0415

        return SesList(source, pace)
    api = api_of(source.provider)
    key = read_key(source, os.environ)
    client = Client(api, source.name, key, url=source.url, pace=pace)
    return ApiList(client, names_of(source, api))
