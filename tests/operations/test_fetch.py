"""Responses from providers' APIs: every page, once, in whatever trouble the API is."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from contactctl.domain.runs import RunKind, RunState
from contactctl.responses.apis import lists as pages_module
from contactctl.responses.apis.transport import ApiError
from contactctl.store.database.store import Store, open_store
from contactctl.store.runs import list_runs
from helpers.api_server import Answer, ApiServer, Asked, api_server, pages
from helpers.documented import require_documented
from helpers.fetched import KEY, fetch, recorded
from helpers.processes import KILLED, Death, exit_code_of, start_cli
from helpers.sessions import NOW


def bounce(number: int, at: datetime = NOW) -> dict[str, Any]:
    """A row of SendGrid's bounces."""
    created = int(at.timestamp()) - number
    return {
        "created": created,
        "email": f"c{number}@x.no",
        "reason": "550 5.1.1 The email account that you tried to reach does not exist.",
        "status": "5.1.1",
    }


class SendGrid:
    """Its suppressions API: lists by offset and limit, newest first, from start_time on."""

    def __init__(self, *bounces: dict[str, Any]) -> None:
        self.bounces = list(bounces)

    def __call__(self, asked: Asked) -> Answer:
        if asked.headers.get("Authorization") != f"Bearer {KEY}":
            return Answer({"errors": [{"message": "authorization required"}]}, 401)
        if asked.path != "/v3/suppression/bounces":
            return Answer([])
        since = int(asked.query.get("start_time", 0))
        rows = [row for row in self.bounces if row["created"] >= since]
        rows.sort(key=lambda row: -row["created"])
        return Answer(pages(rows, asked, "offset", "limit"))


@pytest.fixture
def sendgrid() -> Iterator[tuple[SendGrid, ApiServer]]:
    provider = SendGrid(*map(bounce, range(12)))
    with api_server(provider) as server:
        yield provider, server


@pytest.fixture(autouse=True)
def small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    """Five items a page."""
    monkeypatch.setattr(
        pages_module, "_page_size", lambda client, _call: min(client.api.page_size, 5)
    )


def runs(store: Store) -> list[RunState]:
    with store.reading() as connection:
        return [run.state for run in list_runs(connection, limit=50, kinds=[RunKind.INGEST])]


def test_every_page_is_read_once_and_nothing_new_leaves_no_run(
    store: Store, sendgrid: tuple[SendGrid, ApiServer]
) -> None:
    provider, server = sendgrid
    first = fetch(store, server)
    assert first.ingested.counts.recorded == 12
    assert [each.query["offset"] for each in server.asked] == ["0", "5", "10", "12"]
    require_documented("sendgrid", server.exchanges)
    again = fetch(store, server, now=NOW + timedelta(minutes=5))
    assert (again.ingested.run, len(runs(store))) == (None, 1)
    # a late event, dated before the last fetch, is within the overlap
    provider.bounces += [bounce(90, NOW - timedelta(hours=1)), bounce(91, NOW + timedelta(hours=1))]
    third = fetch(store, server, now=NOW + timedelta(hours=2))
    assert third.ingested.counts.recorded == 2
    asked_since = datetime.fromtimestamp(int(server.asked[-1].query["start_time"]), UTC)
    assert asked_since == NOW - timedelta(hours=2)
    # one that is older still is found by a full reconciliation
    provider.bounces.append(bounce(95, NOW - timedelta(days=100)))
    assert fetch(store, server, now=NOW + timedelta(hours=3)).ingested.run is None
    full = fetch(store, server, now=NOW + timedelta(hours=3), since=NOW - timedelta(days=365))
    assert full.ingested.counts.recorded == 1


def test_an_api_in_trouble_is_asked_again(
    store: Store, sendgrid: tuple[SendGrid, ApiServer]
) -> None:
    _, server = sendgrid
    slept: list[float] = []
    server.trouble = [
        Answer({"errors": []}, 429, {"Retry-After": "7"}),
        Answer(None, 503),
        Answer([bounce(1)], cut=10),
        Answer(None, 500, {"Retry-After": "nonsense"}),
    ]
    fetch(store, server, sleep=slept.append)
    assert slept == [7.0, 2.0, 4.0, 8.0]
    assert len(recorded(store)) == 12


@pytest.mark.parametrize(
    ("trouble", "words"),
    [
        ([Answer({"errors": [{"message": "no"}]}, 401)], "the answer is 401"),
        ([Answer(None, 503)] * 6, "the answer is 503"),
        ([Answer(None, 429, {"Retry-After": "3600"})], "the answer is 429"),
        ([Answer({"message": "not a list"})], "gave no list"),
        ([Answer(None, 302, {"Location": "https://example.com/steal"})], "leads to another host"),
    ],
)
def test_what_cannot_be_read_is_an_error_that_hides_the_key(
    store: Store, sendgrid: tuple[SendGrid, ApiServer], trouble: list[Answer], words: str
) -> None:
    _, server = sendgrid
    server.trouble = list(trouble)
    with pytest.raises(ApiError) as raised:
        fetch(store, server)
    assert words in raised.value.message
    assert KEY not in f"{raised.value} {raised.value.hint}"
    assert runs(store) == []


@pytest.mark.parametrize("page", [1, 2])
def test_broken_off_at_any_page_nothing_is_lost_or_doubled(
    store: Store, sendgrid: tuple[SendGrid, ApiServer], page: int
) -> None:
    provider, server = sendgrid

    def breaks(asked: Asked) -> Answer:
        too_far = int(asked.query["offset"]) >= page * 5
        return Answer(None, 403) if too_far else provider(asked)

    server.answers = breaks
    with pytest.raises(ApiError):
        fetch(store, server)
    assert (len(recorded(store)), runs(store)) == (page * 5, [RunState.FAILED])
    server.answers, server.asked = provider, []
    provider.bounces.append(bounce(50, NOW + timedelta(minutes=1)))  # moves the others on
    fetch(store, server, now=NOW + timedelta(minutes=2))
    assert server.asked[0].query["offset"] == str(page * 5)
    fetch(store, server, now=NOW + timedelta(minutes=3))
    assert recorded(store) == sorted({row["email"] for row in provider.bounces})


def test_a_pull_broken_off_by_a_page_that_is_cut_off_begins_anew(
    store: Store, sendgrid: tuple[SendGrid, ApiServer]
) -> None:
    provider, server = sendgrid

    def cuts(asked: Asked) -> Answer:
        answer = provider(asked)
        return replace(answer, cut=10) if asked.query["offset"] == "5" else answer

    server.answers = cuts
    with pytest.raises(ApiError):
        fetch(store, server, is_pull=True)
    assert (len(recorded(store)), runs(store)) == (5, [RunState.FAILED])
    for is_pull, new in ((True, 7), (False, 0)):
        server.answers, server.asked = provider, []
        read = fetch(store, server, is_pull=is_pull)
        assert server.asked[0].query["offset"] == "0"
        assert (read.ingested.counts.recorded, len(recorded(store))) == (new, 12)


def test_when_the_time_is_over_the_next_fetch_goes_on(
    store: Store, sendgrid: tuple[SendGrid, ApiServer]
) -> None:
    _, server = sendgrid
    first = fetch(store, server, time_limit_s=0.0)
    assert first.is_out_of_time
    assert recorded(store) == []
    server.trouble = [Answer(None, 429, {"Retry-After": "100"})]
    assert fetch(store, server, time_limit_s=60.0).is_out_of_time
    assert not fetch(store, server).is_out_of_time
    assert len(recorded(store)) == 12


def test_a_page_that_comes_twice_counts_once(store: Store) -> None:
    def repeats(asked: Asked) -> Answer:
        start = 0 if asked.query["offset"] in ("0", "5") else 5
        return Answer([bounce(n) for n in range(start, start + (5 if start == 0 else 2))])

    with api_server(repeats) as server:
        result = fetch(store, server)
    assert (result.ingested.counts.recorded, result.ingested.counts.duplicates) == (7, 5)


def test_a_server_may_give_fewer_than_asked_for_and_know_of_no_offset(store: Store) -> None:
    rows = [bounce(number) for number in range(9)]
    with api_server(lambda asked: Answer(rows[int(asked.query["offset"]) :][:3])) as server:
        assert fetch(store, server).ingested.counts.recorded == 9
    with api_server(lambda _asked: Answer(rows[:3])) as server:
        assert fetch(store, server).ingested.counts.duplicates == 3
    with api_server(lambda _asked: Answer(rows[:5])) as server:
        with pytest.raises(ApiError, match="lead in a circle"):
            fetch(store, server)
        assert len(server.asked) == 3


def test_an_object_without_anything_is_a_list_without_anything(store: Store) -> None:
    with api_server(lambda _asked: Answer({})) as server:
        assert fetch(store, server, provider="brevo", lists=("spam",)).ingested.run is None


@pytest.mark.parametrize("items", [0, 1])
def test_an_empty_page_may_have_a_successor_but_not_for_ever(store: Store, items: int) -> None:
    event = {"type": "bounce", "event_id": "1", "rcpt_to": "p@x.no", "bounce_class": "10"}
    last = 3

    def sparkpost(asked: Asked) -> Answer:
        at = int(asked.query["cursor"].replace("initial", "0"))
        link = {"next": f"/api/v1/events/message?cursor={at + 1}"} if at < last else {}
        found = [event | {"event_id": "2"}] if at == 2 else [event] * items
        return Answer({"results": found, "links": link})

    with api_server(sparkpost) as server:
        result = fetch(store, server, provider="sparkpost", lists=())
        assert result.ingested.counts.recorded == items + 1
        last = 10**6
        with pytest.raises(ApiError, match="lead in a circle"):
            fetch(store, server, provider="sparkpost", lists=())


def mailgun_event(number: int) -> dict[str, Any]:
    return {
        "event": "failed",
        "severity": "permanent",
        "reason": "bounce",
        "id": f"id-{number}",
        "timestamp": NOW.timestamp() - number,
        "recipient": f"m{number}@x.no",
        "delivery-status": {"code": 550, "message": "5.1.1 no such user"},
        "message": {"headers": {"message-id": f"{number}@x"}},
    }


def mailgun_config(folder: Path, database: str, api: str) -> Path:
    (folder / "api.key").write_text(KEY)
    source = f"provider: mailgun, domain: mg.x.no, key_file: api.key, api_url: '{api}'"
    config = folder / "contactctl.yaml"
    config.write_text(f"database: '{database}'\nsources: {{mail: {{{source}}}}}\n")
    return config


def test_pages_by_address_and_an_address_that_has_expired(store: Store) -> None:
    events = [mailgun_event(n) for n in range(8)]
    is_expired = False

    def mailgun(asked: Asked) -> Answer:
        parts = asked.path.split("/")
        assert parts[:4] == ["", "v3", "mg.x.no", "events"]
        if parts[4:] == ["old"]:
            return Answer({"message": "no"}, 400 if is_expired else 403)
        start = int(parts[4]) if len(parts) > 4 else 0
        then = str(start + 5) if is_expired else "old"
        link = f"{server.url}/v3/mg.x.no/events/{then}"
        return Answer({"items": events[start : start + 5], "paging": {"next": link}})

    values: dict[str, Any] = {"provider": "mailgun", "names": {"domain": "mg.x.no"}, "lists": ()}
    with api_server(mailgun) as server:
        with pytest.raises(ApiError):
            fetch(store, server, **values)
        assert len(recorded(store)) == 5
        is_expired = True
        server.asked.clear()
        fetch(store, server, **values)
        assert [each.path.rpartition("/")[2] for each in server.asked] == [
            *("old", "events", "5", "10")
        ]
        assert server.asked[0].headers["Authorization"].startswith("Basic ")
    assert len(recorded(store)) == 8
    lists = [each for each in server.exchanges if each[0].path.endswith("/events")]
    assert len(lists) == 2
    require_documented("mailgun", lists)


def test_killed_before_any_commit_every_event_is_recorded_once(
    sqlite_url: str, tmp_path: Path
) -> None:
    """Processes that kill themselves between a page and its commit, each a commit later."""
    events = [mailgun_event(n) for n in range(8)]

    def mailgun(asked: Asked) -> Answer:
        last = asked.path.rpartition("/")[2]
        start = int(last) if last.isdigit() else 0
        link = f"{server.url}/v3/mg.x.no/events/{start + 3}"
        return Answer({"items": events[start : start + 3], "paging": {"next": link}})

    with api_server(mailgun) as server:
        config = mailgun_config(tmp_path, sqlite_url, server.url)
        args = ("responses", "fetch", "mail", "--config", config)
        codes = []
        while not codes or codes[-1] == KILLED:
            death = Death("before a commit", len(codes) + 1)
            codes.append(exit_code_of(start_cli(args, death=death)))
    assert codes[-1] == 0
    assert len(codes) > 4
    with closing(open_store(sqlite_url)) as store:
        assert recorded(store) == [f"m{n}@x.no" for n in range(8)]


def test_a_pull_killed_between_a_page_and_its_commit_begins_anew(
    sqlite_url: str, tmp_path: Path
) -> None:
    rows = [{"address": f"c{n}@x.no", "code": "550", "error": "no"} for n in range(4)]

    def mailgun(asked: Asked) -> Answer:
        last = asked.path.rpartition("/")[2]
        start = int(last) if last.isdigit() else 0
        link = f"{server.url}/v3/mg.x.no/bounces/{start + 2}"
        found = rows[start : start + 2] if "bounces" in asked.path else []
        return Answer({"items": found, "paging": {"next": link}})

    with api_server(mailgun) as server:
        config = mailgun_config(tmp_path, sqlite_url, server.url)
        args = ("suppressions", "pull", "mail", "--config", config)
        assert exit_code_of(start_cli(args, death=Death("before a commit", 6))) == KILLED
        with closing(open_store(sqlite_url)) as store:
            assert 0 < len(recorded(store)) < len(rows)
        assert exit_code_of(start_cli(args)) == 0
    with closing(open_store(sqlite_url)) as store:
        assert recorded(store) == [f"c{n}@x.no" for n in range(4)]


def test_a_next_page_on_another_host_is_not_asked_for(store: Store) -> None:
    def leads_away(asked: Asked) -> Answer:
        link = "https://example.com/v3/mg.x.no/events/next"
        return Answer({"items": [mailgun_event(1)], "paging": {"next": link}})

    with api_server(leads_away) as server, pytest.raises(ApiError, match="another host"):
        fetch(store, server, provider="mailgun", names={"domain": "mg.x.no"}, lists=())
    assert len(recorded(store)) == 1
