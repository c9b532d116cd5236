"""The pages of a list of an API, one request each."""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from urllib.parse import quote

from contactctl.responses.apis.description import FORMS, ListCall
from contactctl.responses.apis.transport import ApiError, Client

_MOST_PAGES = 1_000_000


class Page(NamedTuple):
    """Items of a list, and where the next page is, an offset or an address; None: there is none."""

    items: list[Any]
    next: int | str | None


class Asked(NamedTuple):
    """What is asked of a list: from when on, and the names that paths hold."""

    names: Mapping[str, str]
    now: datetime
    since: datetime


def pages_of(
    client: Client, call: ListCall, asked: Asked, start: int | str | None = None
) -> Iterator[Page]:
    """All pages, the first one that at `start`. ApiError for an answer that is no such list."""
    at = start
    for _ in range(_MOST_PAGES):
        page = _page(client, call, asked, at)
        yield page
        if page.next is None or page.next == at:
            return
        at = page.next


def filled(text: str, names: Mapping[str, str]) -> str:
    """A path with its names in place."""
    for name, value in names.items():
        text = text.replace(f"{{{name}}}", quote(value, safe=""))
    return text


def value_at(document: Any, path: str) -> Any:
    """The value at a path such as `paging.next`; None where there is none; '' is the whole."""
    for name in filter(None, path.split(".")):
        document = document.get(name) if isinstance(document, dict) else None
    return document


def _page(client: Client, call: ListCall, asked: Asked, at: int | str | None) -> Page:
    paging, size = call.paging, _page_size(client, call)
    if isinstance(at, str):
        answer = client.get(at)
    else:
        query = {name: _query_text(text, asked, client) for name, text in call.query.items()}
        if paging.size:
            query[paging.size] = str(size)
        if paging.offset:
            query[paging.offset] = str(at or 0)
        answer = client.get(filled(call.path, asked.names), query)
    items = value_at(answer, call.items)
    if not isinstance(items, list):
        raise ApiError(
            f"source: {call.path} gave no list{f' {call.items!r}' if call.items else ''}",
            hint="is the address of the API right?",
        )
    return Page(items, _next(client, call, answer, at, items))


def _next(
    client: Client, call: ListCall, answer: Any, at: int | str | None, items: list[Any]
) -> int | str | None:
    """A full page has a successor; a link leads on for as long as there are items."""
    paging = call.paging
    if not items:
        return None
    if paging.next:
        link = value_at(answer, paging.next)
        return link if isinstance(link, str) and link else None
    if not paging.offset or len(items) < _page_size(client, call):
        return None
    offset = (at if isinstance(at, int) else 0) + len(items)
    most = client.api.most
    if most is not None and offset + _page_size(client, call) > most:
        raise ApiError(
            f"source: {call.path} has more than {most:,} items, and does not give the rest",
            hint="fetch more often; --since with a later day reads from there",
        )
    return offset


def _query_text(text: str, asked: Asked, client: Client) -> str:
    oldest = client.api.oldest
    since = asked.since
    if oldest is not None:
        since = max(since, asked.now - timedelta(days=oldest))
    for form, write in FORMS.items():
        text = text.replace(f"{{since:{form}}}", write(since))
        text = text.replace(f"{{now:{form}}}", write(asked.now))
    return text


def _page_size(client: Client, call: ListCall) -> int:
    return call.page_size or client.api.page_size
