"""A provider's suppression list that follows the contacts: told once, whatever breaks off."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from sqlalchemy import text

from contactctl.domain.contacts import Status
from contactctl.domain.errors import BusyError, RefusedError
from contactctl.domain.policies import Limits
from contactctl.domain.runs import Confirmation, Run, RunState, SkipReason
from contactctl.domain.sources import ProviderSource, Secret
from contactctl.operations import pushing, run_work, runs
from contactctl.operations.addresses import find_new_address, readdress
from contactctl.operations.fetch import FetchOptions, fetch_responses
from contactctl.operations.plans import show_plan
from contactctl.operations.pushing import (
    compare_with_provider,
    plan_push_to,
    preview_push,
    work_of_push,
)
from contactctl.operations.runs import resume_run, run_confirmed
from contactctl.operations.session import Session
from contactctl.operations.sweep import SweepResult, sweep_runs
from contactctl.responses.apis.transport import ApiError
from contactctl.store.database.locks import CONTACT_CHANGES, exclusive, serialise
from contactctl.store.database.store import Store
from helpers import push_process
from helpers.api_server import Answer, ApiServer, Asked, api_server, pages
from helpers.imports import import_states, import_text
from helpers.sessions import make_session

KEY = "key-that-nobody-may-see"
THEN = 1781000000
_ADD = "/v3/asm/suppressions/global"


@dataclass
class GlobalList:
    """SendGrid's global unsubscribes: {address: when}; `told` is what it was asked to change."""

    listed: dict[str, int] = field(default_factory=dict)
    told: list[str] = field(default_factory=list)

    def __call__(self, asked: Asked) -> Answer:
        if asked.headers.get("Authorization") != f"Bearer {KEY}":
            return Answer({"errors": [{"message": "no"}]}, 401)
        if asked.method == "GET":
            if asked.path != "/v3/suppression/unsubscribes":
                return Answer([])
            rows = [{"email": email, "created": at} for email, at in self.listed.items()]
            return Answer(pages(rows, asked, "offset", "limit"))
        if asked.method == "POST":
            emails = asked.body["recipient_emails"]
            if asked.path != _ADD or any("bad" in email for email in emails):
                return Answer({"errors": [{"message": "invalid email"}]}, 400)
            self.told += emails
            self.listed |= dict.fromkeys(emails, THEN)
            return Answer({"recipient_emails": emails}, 201)
        email = asked.path.removeprefix(f"{_ADD}/").replace("%40", "@")
        self.told.append(f"-{email}")
        return Answer(None, 204 if self.listed.pop(email, None) else 404)


@pytest.fixture
def sendgrid() -> Iterator[tuple[GlobalList, ApiServer]]:
    provider = GlobalList()
    with api_server(provider) as server:
        yield provider, server


@pytest.fixture(autouse=True)
def key_in_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PUSH_KEY", KEY)


def make_source(server: ApiServer) -> ProviderSource:
    return ProviderSource("mail", "sendgrid", Secret(env="PUSH_KEY"), url=server.url)


def session_of(store: Store, server: ApiServer) -> Session:
    return make_session(store, sources={"mail": make_source(server)}, limits=Limits(1000))


def push(session: Session, server: ApiServer, count: int) -> Run | None:
    said = Confirmation(count, count)
    return run_confirmed(
        session, lambda: plan_push_to(session, make_source(server), reason="", said=said)
    )


def set_active(store: Store, *emails: str) -> None:
    with store.writing() as connection:
        for email in emails:
            values = {"email": email, "status": Status.ACTIVE.value}
            connection.execute(
                text("UPDATE contact SET status = :status WHERE email = :email"), values
            )


def set_inactive(store: Store, email: str) -> None:
    with store.writing() as connection:
        values = {"email": email, "status": Status.INACTIVE.value}
        connection.execute(text("UPDATE contact SET status = :status WHERE email = :email"), values)


def test_inactive_contacts_are_suppressed_and_those_back_taken_off(
    store: Store, sendgrid: tuple[GlobalList, ApiServer]
) -> None:
    provider, server = sendgrid
    import_states(store, 4)
    provider.listed = {"theirs@x.no": 1, "here0@x.no": 2}
    session = session_of(store, server)
    shown = preview_push(session, make_source(server))
    assert (shown.adding, shown.removing, len(shown.rows)) == (4, 0, 4)
    diff = compare_with_provider(session, make_source(server))
    assert diff.counts == {"both": 0, "here": 4, "there": 1, "unknown": 1}
    with pytest.raises(RefusedError, match="4 contacts match"):
        push(session, server, 3)
    assert provider.told == []
    done = push(session, server, 4)
    assert done is not None and (done.state, done.changed) == (RunState.DONE, 4)
    assert sorted(provider.told) == [f"gone{n}@x.no" for n in range(4)]
    assert push(session, server, 0) is None
    # one is active again; whom the provider suppresses by itself is not ours to take off
    set_active(store, "gone1@x.no")
    provider.told.clear()
    back = push(session, server, 1)
    assert back is not None and provider.told == ["-gone1@x.no"]
    left = {"theirs@x.no", "here0@x.no", "gone0@x.no", "gone2@x.no", "gone3@x.no"}
    assert provider.listed.keys() == left


def test_a_complaint_is_never_taken_off(
    store: Store, sendgrid: tuple[GlobalList, ApiServer]
) -> None:
    provider, server = sendgrid
    import_states(store, 2)
    session = session_of(store, server)
    push(session, server, 2)

    def complaint(asked: Asked) -> Answer:
        found = [{"created": THEN, "email": "gone0@x.no", "ip": "192.0.2.1"}]
        return Answer(found if asked.path.endswith("spam_reports") else [])

    server.answers = complaint
    fetch_responses(session, make_source(server), KEY, lambda _: None)
    server.answers = provider
    set_active(store, "gone0@x.no", "gone1@x.no")
    provider.told.clear()
    done = push(session, server, 1)
    assert done is not None and provider.told == ["-gone1@x.no"]


def test_what_was_pushed_is_not_an_unsubscribe(
    store: Store, sendgrid: tuple[GlobalList, ApiServer]
) -> None:
    provider, server = sendgrid
    import_states(store, 2)
    session = session_of(store, server)
    push(session, server, 2)
    provider.listed["here1@x.no"] = THEN
    source = make_source(server)
    fetched = fetch_responses(session, source, KEY, lambda _: None)
    assert fetched.ingested.counts.unsubscribes == 1
    whole = FetchOptions(is_pull=True)
    pulled = fetch_responses(session, source, KEY, lambda _: None, whole)
    assert pulled.ingested.run is None  # the fetch has found it already
    provider.listed["here2@x.no"] = 946_684_805  # long ago
    pulled = fetch_responses(session, source, KEY, lambda _: None, whole)
    assert pulled.ingested.counts.unsubscribes == 1


def test_an_address_that_the_provider_refuses_is_left_and_the_others_go_on(
    store: Store, sendgrid: tuple[GlobalList, ApiServer]
) -> None:
    provider, server = sendgrid
    lines = ["email,status", *(f"{n}@x.no,inactive" for n in ("a", "b", "bad", "c", "d"))]
    import_text(store, "\n".join(lines) + "\n")
    done = push(session_of(store, server), server, 5)
    assert done is not None
    assert (done.changed, done.skipped) == (4, {SkipReason.REFUSED: 1})
    assert sorted(provider.told) == ["a@x.no", "b@x.no", "c@x.no", "d@x.no"]


def test_killed_while_the_provider_is_told_it_can_be_resumed(
    store_url: str, store: Store, sendgrid: tuple[GlobalList, ApiServer]
) -> None:
    provider, server = sendgrid
    import_states(store, 5)
    processes: list[subprocess.Popen[bytes]] = []

    def kills(asked: Asked) -> Answer:
        answer = provider(asked)
        if len(provider.told) >= 4:
            os.kill(processes[0].pid, signal.SIGKILL)
        return answer

    server.answers = kills
    command = [sys.executable, push_process.__file__, store_url, server.url, "5"]
    processes.append(subprocess.Popen(command, env={**os.environ, "PUSH_KEY": KEY}))
    assert processes[0].wait() < 0
    server.answers = provider
    resumed = resume_run(session_of(store, server), 2)
    assert (resumed.state, resumed.changed) == (RunState.DONE, 5)
    # some are told twice, of which the provider makes nothing: its list has everybody once
    assert len(provider.told) > 5
    assert len(provider.listed) == 5


class _DiedError(BaseException):
    """Ends the work at once, as a kill does."""


@pytest.mark.parametrize("step", ["before", "between", "while sending", "sent", "confirmed"])
def test_dead_at_any_step_the_list_is_right_after_the_next_push(
    store: Store,
    sendgrid: tuple[GlobalList, ApiServer],
    monkeypatch: pytest.MonkeyPatch,
    step: str,
) -> None:
    """Though contacts of which the provider may have been told are otherwise by then."""
    provider, server = sendgrid
    monkeypatch.setattr(pushing, "_MOST_AT_ONCE", 2)
    import_states(store, 4)
    session = session_of(store, server)
    push(session, server, 4)
    set_active(store, "gone1@x.no", "gone3@x.no")  # to be taken off
    import_text(store, "email,status\ngone4@x.no,inactive\ngone5@x.no,inactive\n")
    names = {"between": "begin_batch", "confirmed": "apply_batch"}
    original = getattr(run_work, names.get(step, "begin_batch"))
    steps = iter(range(10))

    def dies(*args: Any, **kwargs: Any) -> Any:
        if step == "before" and next(steps) == 1:
            raise _DiedError
        found = original(*args, **kwargs)
        if step in names and next(steps) == 1:
            raise _DiedError
        return found

    monkeypatch.setattr(run_work, names.get(step, "begin_batch"), dies)
    tell = pushing._tell

    def dies_telling(*args: Any) -> Any:
        told = tell(*args)
        if step == "sent" and next(steps) == 1:
            raise _DiedError
        return told

    monkeypatch.setattr(pushing, "_tell", dies_telling)

    def breaks(asked: Asked) -> Answer:
        answer = provider(asked)
        return answer if step != "while sending" or next(steps) < 1 else Answer(None, 403)

    server.answers = breaks
    with pytest.raises((_DiedError, ApiError)):
        push(session, server, 4)
    monkeypatch.undo()
    monkeypatch.setenv("PUSH_KEY", KEY)
    server.answers = provider
    set_active(store, "gone0@x.no", "gone4@x.no")
    set_inactive(store, "gone3@x.no")  # and it is not to be taken off any more
    for run in runs.interrupted_runs(session):
        resume_run(session, run.id)
    shown = preview_push(session, make_source(server))
    if left := shown.adding + shown.removing:
        push(session, server, left)
    assert provider.listed.keys() == {f"gone{n}@x.no" for n in (2, 3, 5)}


def test_nobody_waits_while_the_provider_is_told(
    store: Store, sendgrid: tuple[GlobalList, ApiServer]
) -> None:
    provider, server = sendgrid
    import_states(store, 2)

    def meanwhile(asked: Asked) -> Answer:
        with exclusive(store, CONTACT_CHANGES), store.writing() as connection:
            serialise(connection)
            changed = "UPDATE contact SET status = 'active' WHERE email = 'gone1@x.no'"
            connection.execute(text(changed))
        with pytest.raises(BusyError), exclusive(store, work_of_push(make_source(server))):
            pass
        return provider(asked)

    server.answers = meanwhile
    session = session_of(store, server)
    assert sweep_runs(session) == SweepResult()
    said = Confirmation(2, 2)
    done = run_confirmed(
        session,
        lambda: plan_push_to(session, make_source(server), reason="", said=said),
        work=work_of_push(make_source(server)),
    )
    assert done is not None and (done.state, done.changed) == (RunState.DONE, 2)
    server.answers = provider
    push(session, server, 1)  # takes off who has come back meanwhile
    assert provider.listed.keys() == {"gone0@x.no"}


def test_another_address_is_told_anew(store: Store, sendgrid: tuple[GlobalList, ApiServer]) -> None:
    provider, server = sendgrid
    import_states(store, 1)
    session = session_of(store, server)
    push(session, server, 1)
    readdress(session, find_new_address(session, "gone0@x.no", "new@x.no"))
    push(session, server, 1)
    assert provider.told == ["gone0@x.no", "new@x.no"]


def test_a_plan_shows_what_it_would_tell(
    store: Store, sendgrid: tuple[GlobalList, ApiServer]
) -> None:
    _, server = sendgrid
    import_states(store, 2)
    session = session_of(store, server)
    run = plan_push_to(session, make_source(server), reason="", said=None)
    assert run is not None
    shown = show_plan(session, run.id)
    assert shown.run.details.in_words() == "mail: 2 to suppress, 0 to take off"
    assert len(shown.rows) == 2
