"""Fetching from a provider's API in tests, and what was recorded."""

from dataclasses import replace
from datetime import datetime
from typing import Any

from contactctl.domain.responses import ResponseFilter
from contactctl.domain.sources import ProviderSource
from contactctl.operations.fetch import FetchOptions, FetchResult, fetch_responses
from contactctl.operations.responses import latest_responses
from contactctl.store.database.store import Store
from helpers.api_server import ApiServer
from helpers.sessions import NOW, make_session

KEY = "key-that-nobody-may-see"


def fetch(
    store: Store, server: ApiServer, *, now: datetime = NOW, key: str = KEY, **values: Any
) -> FetchResult:
    source = ProviderSource("mail", "sendgrid", url=server.url, lists=("bounces",))
    of_options = ("since", "time_limit_s", "sleep", "is_pull")
    given = {name: values.pop(name) for name in of_options if name in values}
    rejected: list[Any] = []
    options = FetchOptions(**{"sleep": lambda _: None, **given})
    result = fetch_responses(
        make_session(store, now=now), replace(source, **values), key, rejected.append, options
    )
    assert not rejected
    return result


def recorded(store: Store) -> list[str]:
    rows = latest_responses(make_session(store), ResponseFilter(limit=1000, unmatched=True))
    return sorted(row["recipient"] for row in rows)
