"""What stands between us and a provider: limits, packers, proxies, clocks, odd answers."""

import gzip
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from contactctl.domain.sources import ProviderSource, Secret
from contactctl.operations.secrets import read_key
from contactctl.responses.apis import lists, transport
from contactctl.responses.apis.description import api_of
from contactctl.responses.apis.lists import ApiList, Page, pages_of, value_at
from contactctl.responses.apis.transport import ApiError, Client
from helpers.api_server import Answer, Asked, api_server

KEY = "key-that-nobody-may-see"
PATH = "/v3/suppression/bounces"
PAGE = b"<!DOCTYPE html><html><body>Sign in to the network</body></html>"
SOME = Answer([{"email": "a@x.no"}])


def client_of(url: str, slept: list[float] | None = None, api: str = "sendgrid") -> Client:
    sleep = (lambda _seconds: None) if slept is None else slept.append
    return Client(api_of(api), "p", KEY, url=url, sleep=sleep)


def asked_for(trouble: list[Answer], method: str = "GET") -> tuple[Any, list[float], list[Asked]]:
    """What comes of a request to a server that gives these answers, and then a good one."""
    slept: list[float] = []
    with api_server(lambda _asked: SOME) as server:
        server.trouble = list(trouble)
        body = None if method == "GET" else {"x": 1}
        found = client_of(server.url, slept).send(method, PATH, body=body)
    return found, slept, server.asked


@pytest.mark.parametrize(
    ("headers", "pause"),
    [
        ({"Retry-After": " 7 "}, 7.0),
        ({"Retry-After": "2.5"}, 1.0),
        ({"Retry-After": "-1"}, 1.0),
        ({"Retry-After": "\xb2"}, 1.0),
        ({"Retry-After": ""}, 1.0),
        ({}, 1.0),
        ({"X-RateLimit-Reset": "30"}, 30.0),
        ({"X-RateLimit-Reset": "784111790", "Retry-After": "5"}, 5.0),
        (
            {"Date": "Sun, 01 Mar 2026 10:00:00 GMT", "X-RateLimit-Reset": "1772359240"},
            40.0,
        ),
        # by the clock of the server, however wrong ours is
        *(
            (
                {"Date": "Sun, 06 Nov 1994 08:49:37 GMT", "Retry-After": moment},
                pause,
            )
            for moment, pause in [
                ("Sun, 06 Nov 1994 08:49:47 GMT", 10.0),
                ("Sunday, 06-Nov-94 08:49:40 GMT", 3.0),
                ("Sun Nov  6 08:49:39 1994", 2.0),
                ("Sun, 06 Nov 1994 08:49:00 GMT", 0.0),
            ]
        ),
    ],
)
def test_the_pause_that_a_server_asks_for(headers: dict[str, str], pause: float) -> None:
    found, slept, _ = asked_for([Answer({"errors": ["slow down"]}, 429, headers)])
    assert (found, slept) == (SOME.body, [pause])


def test_a_clock_far_ahead_of_the_server_s_is_told() -> None:
    """Otherwise what happens from now on counts as read."""
    behind = Answer(SOME.body, headers={"Date": "Sun, 01 Mar 2026 10:00:00 GMT"})
    with pytest.raises(ApiError, match="hours ahead of its clock"):
        asked_for([behind])
    ahead = Answer(SOME.body, headers={"Date": "Fri, 01 Mar 2097 10:00:00 GMT"})
    assert asked_for([ahead, behind])[0] == SOME.body


@pytest.mark.parametrize("form", ["gzip", "GZIP", "x-gzip"])
def test_an_answer_may_be_packed(form: str) -> None:
    packed = Answer(gzip.compress(b'\xef\xbb\xbf[{"email": "b@x.no"}]'), 200)
    packed.headers["Content-Encoding"] = form
    found, _, _ = asked_for([packed])
    assert found == [{"email": "b@x.no"}]
    raw = b'[{"email": "c@x.no"}]'
    pieces = Answer(gzip.compress(raw[:9]) + gzip.compress(raw[9:]), 200, dict(packed.headers))
    assert asked_for([pieces])[0] == [{"email": "c@x.no"}]
    broken = Answer(packed.body[:20], 200, dict(packed.headers))
    assert asked_for([broken])[0] == SOME.body


def test_an_answer_that_unpacks_to_too_much_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transport, "MAX_ANSWER_BYTES", 10_000)
    bomb = Answer(gzip.compress(b"[" + b" " * 20_000 + b"]"), 200, {"Content-Encoding": "gzip"})
    with pytest.raises(ApiError, match="an answer of more than"):
        asked_for([bomb])


def test_an_answer_that_trickles_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transport, "_LONGEST_ANSWER_S", -1.0)
    with pytest.raises(ApiError, match="no answer in time"):
        asked_for([])


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE"])
def test_the_page_of_a_proxy_is_not_an_answer(method: str) -> None:
    found, slept, asked = asked_for([Answer(PAGE), Answer(PAGE)], method)
    assert (found, len(slept), len(asked)) == (SOME.body, 2, 3)
    with pytest.raises(ApiError, match="the answer is not JSON"):
        asked_for([Answer(PAGE)] * 6, method)


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_errors_in_a_good_answer_are_errors(method: str) -> None:
    with pytest.raises(ApiError, match=r"has errors.*quota") as raised:
        asked_for([Answer({"errors": [{"message": "over quota"}], "results": []})], method)
    assert KEY not in f"{raised.value} {raised.value.hint}"
    assert asked_for([Answer({"errors": []})], method)[0] == {"errors": []}
    for told in [
        {"error": "over quota"},
        {"success": False, "message": "over quota"},
        {"status": "error", "message": "over quota"},
        {"ErrorCode": 300, "Message": "over quota"},
        {"code": "invalid_parameter", "message": "over quota"},
    ]:
        with pytest.raises(ApiError, match="has errors"):
            asked_for([Answer(told)], method)
    assert asked_for([Answer(b"OK")], "POST")[0] is None


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_change_is_not_followed_to_another_address(status: int) -> None:
    """A redirected POST becomes a GET, which would succeed and change nothing."""
    for method in ("POST", "PUT", "DELETE"):
        with pytest.raises(ApiError, match=f"the answer is {status}"):
            asked_for([Answer(None, status, {"Location": f"{PATH}/"})], method)
    found, _, asked = asked_for([Answer(None, status, {"Location": f"{PATH}/"})])
    assert (found, [each.path for each in asked]) == (SOME.body, [PATH, f"{PATH}/"])


def test_the_usual_port_is_of_the_same_host() -> None:
    with api_server(lambda _asked: SOME) as server:
        for address in (server.url.upper().replace("HTTP", "http"), f"{server.url}/x?page=2"):
            assert client_of(server.url).get(address) == SOME.body
    client = client_of("https://api.example.com")
    same = client._request("GET", "https://API.example.com:443/x", None, None)
    assert same.full_url.endswith(":443/x")
    for other in ("http://api.example.com/x", "https://k@api.example.com/", "//api.example.org/"):
        with pytest.raises(ApiError, match="another host"):
            client.get(other)


def test_a_gateway_s_address_keeps_its_path() -> None:
    with api_server(lambda _asked: SOME) as server:
        client = client_of(f"{server.url}/sendgrid/")
        for address in (PATH, f"{server.url}/sendgrid{PATH}"):
            assert client.get(address) == SOME.body
    assert {each.path for each in server.asked} == {f"/sendgrid{PATH}"}


def test_what_is_said_to_this_machine_passes_no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    with api_server(lambda _asked: Answer(None, 500)) as proxy:
        for name in ("http_proxy", "HTTP_PROXY"):
            monkeypatch.setenv(name, proxy.url)
        for name in ("no_proxy", "NO_PROXY"):
            monkeypatch.delenv(name, raising=False)
        assert asked_for([])[0] == SOME.body
    assert proxy.asked == []


def test_a_list_that_is_given_whole_whatever_is_asked_for_has_an_end() -> None:
    now = datetime.now(UTC)
    with api_server(lambda _asked: SOME) as server:
        client, call = client_of(server.url), api_of("sendgrid").lists["bounces"]
        *_, last = pages_of(client, call, lists.Asked({}, now, now))
    assert [each.query["offset"] for each in server.asked] == ["0", "1"]
    assert last == Page([], None)  # what a fetch keeps of a list that it has read


def test_links_to_pages_may_be_a_list_and_may_not_lead_in_a_circle() -> None:
    """As SparkPost's suppression list has them."""

    def links(target: str) -> list[dict[str, str]]:
        return [{"href": "/api/v1/suppression-list?cursor=initial", "rel": "first"}] + [
            {"href": f"/api/v1/suppression-list?cursor={target}", "rel": "next"}
        ] * bool(target)

    targets = {"initial": "b", "b": "c", "c": ""}

    def sparkpost(asked: Asked) -> Answer:
        cursor = asked.query["cursor"]
        row = {"recipient": f"{cursor}@x.no", "source": "Manually Added"}
        return Answer({"results": [row], "links": links(targets[cursor])})

    with api_server(sparkpost) as server:
        listed = ApiList(client_of(server.url, api="sparkpost"), {})
        assert list(listed.keys()) == [["initial@x.no"], ["b@x.no"], ["c@x.no"]]
        targets["c"] = "b"
        with pytest.raises(ApiError, match="lead in a circle"):
            list(listed.keys())
    assert value_at({"links": ["x", {"rel": "self"}]}, "links.next") is None


@pytest.mark.parametrize("text", ["k-1\n", "k-1\r\n", " k-1 \n", "k-1\t", "k-1\nsecond line\n"])
def test_a_key_may_have_blanks_around_it(tmp_path: Path, text: str) -> None:
    file = tmp_path / "key"
    file.write_text(text)
    source = ProviderSource("p", "sendgrid", Secret(file=file))
    assert read_key(source, {}) == "k-1"
    in_environment = ProviderSource("p", "sendgrid", Secret(env="K"))
    if "second" not in text:
        assert read_key(in_environment, {"K": text}) == "k-1"
