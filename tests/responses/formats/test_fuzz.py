"""Mutated payloads: each value is read or rejected, and nothing crashes, hangs or grows."""

import json
import random
import resource
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from copy import deepcopy
from io import BytesIO
from typing import Any

import pytest

from contactctl.domain.errors import InputError
from contactctl.domain.responses import Activity, NoResponse, Rejection, Response, Unsubscribe
from contactctl.responses.classify import cached, default_classifier
from contactctl.responses.read import read_events
from helpers.provider_samples import CASES

CLASSIFIER = default_classifier()
SAMPLES = [(provider, event) for provider, cases in CASES.items() for event, _ in cases]
ODD_VALUES: list[Any] = [
    *(None, True, False, 0, -1, 1e308, 10**400, float("nan"), float("inf"), "", " ", "\0"),
    *([], {}, [[]], [{}], {"": {}}, [None], "x" * 3_000, "\ud800", "\u202e", "a@b", "<a@b.no>"),
    *("@", "a@b@c.no", "9" * 300, "0001-01-01", "9999-12-31T23:59:59-23:59", "{", '{"a":'),
]


def places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Every (container, key) in a JSON value."""
    items = value.items() if isinstance(value, dict) else enumerate(value)
    for key, item in list(items):
        yield value, key
        if isinstance(item, dict | list):
            yield from places(item)


def with_odd_values(event: dict[str, Any], chance: random.Random) -> bytes:
    event = deepcopy(event)
    for _ in range(chance.randint(1, 3)):
        container, key = chance.choice(list(places(event)) or [(event, "new")])
        container[key] = deepcopy(chance.choice(ODD_VALUES))
    return json.dumps(event).encode()


def without_something(event: dict[str, Any], chance: random.Random) -> bytes:
    event = deepcopy(event)
    container, key = chance.choice(list(places(event)))
    del container[key]
    return json.dumps(event).encode()


def with_a_stranger_s_values(event: dict[str, Any], chance: random.Random) -> bytes:
    return json.dumps(event | chance.choice(SAMPLES)[1]).encode()


def with_changed_bytes(event: dict[str, Any], chance: random.Random) -> bytes:
    payload = bytearray(json.dumps(event, indent=chance.choice([None, 2])).encode())
    for _ in range(chance.randint(1, 9)):
        position = chance.randrange(len(payload))
        payload[position : position + chance.randint(0, 3)] = chance.choice(
            [b"", b'"', b"{", b"[", b"]", b"}", b"\n", b"\\", b"\xff", b"\0", b"1", b",", b"\\u"]
        )
    return bytes(payload)


def cut_off(event: dict[str, Any], chance: random.Random) -> bytes:
    payload = json.dumps([event, event]).encode()
    return payload[: chance.randrange(len(payload))]


MUTATIONS: list[Callable[[dict[str, Any], random.Random], bytes]] = [
    with_odd_values,
    without_something,
    with_a_stranger_s_values,
    with_changed_bytes,
    cut_off,
]


def read_mutated(seed: int) -> None:
    chance = random.Random(seed)
    provider, event = chance.choice(SAMPLES)
    payload = chance.choice(MUTATIONS)(event, chance) if event != {"msys": {}} else b"{"
    for format_ in (provider, "auto", "jsonl"):
        with suppress(InputError):  # garbage may look like a CSV file without `email`
            for one in read_events([BytesIO(payload)], CLASSIFIER, format=format_):
                check(one)


def check(event: object) -> None:
    """What reaches the store can be stored; what is rejected says why."""
    if isinstance(event, Rejection):
        assert event.reason
        return
    if isinstance(event, NoResponse):
        return
    assert isinstance(event, Response | Activity | Unsubscribe)
    assert "@" in event.recipient
    assert 0 < len(event.source_key) <= 250
    assert event.occurred_at is None or event.occurred_at.utcoffset().total_seconds() == 0
    texts = [event.recipient, event.source_key]
    if isinstance(event, Response):
        texts += [event.diagnostic, event.status, event.rule]
        assert event.counts == (not event.not_counted)
        assert event.rule
    for text in texts:
        assert "\0" not in text
        text.encode()


@pytest.mark.parametrize("part", range(10))
def test_mutated_payloads(part: int) -> None:
    for seed in range(part * 100, part * 100 + 100):
        read_mutated(seed)


@pytest.mark.torture
def test_a_hundred_thousand_mutated_payloads() -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    longest = 0.0
    for seed in range(1_000, 101_000):
        begin = time.process_time()
        read_mutated(seed)
        longest = max(longest, time.process_time() - begin)
    assert longest < 1
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100 << 10


def test_what_is_classified_once_is_not_kept_for_ever() -> None:
    asked: list[str] = []

    class Counting:
        def classify(self, *, diagnostic: str, status: str, reply_code: str):
            asked.append(diagnostic)
            return CLASSIFIER.classify(diagnostic="")

    classify = cached(Counting())
    for number in [*range(5_000), 4_999, 0]:
        classify(str(number), "", "")
    assert asked == [*map(str, range(5_000)), "0"]
