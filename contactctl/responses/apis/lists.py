"""The pages of an API's list, one request each; a suppression list read, added to, taken from."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple, Protocol
from urllib.parse import quote

from contactctl.domain.emails import email_key
from contactctl.responses.apis.description import FORMS, Change, ListCall
from contactctl.responses.apis.transport import ApiError, Client

_MOST_REPEATED = 2  # a page may come again, as what is before it moves on
_MOST_EMPTY = 100


class Page(NamedTuple):
    """Items of a list, and where the next page is, an offset or an address; None: there is none."""

    items: list[Any]
    next: int | str | None


_END = Page([], None)


class Asked(NamedTuple):
    """What is asked of a list: from when on, and the names that paths hold."""

    names: Mapping[str, str]
    now: datetime
    since: datetime


def pages_of(
    client: Client, call: ListCall, asked: Asked, start: int | str | None = None
) -> Iterator[Page]:
    """All pages, the first one that at `start`. ApiError for an answer that is no such list, and
    for pages that do not come to an end."""
    at, been_at = start, {start}
    latest: list[Any] = []
    repeated = 0
    while True:
        page = _page(client, call, asked, at)
        repeated = repeated + 1 if page.items == latest else 0
        if repeated and call.paging.offset and len(page.items) < _page_size(client, call):
            page = _END  # all there is, whatever is asked for
        if page.next == at:
            page = page._replace(next=None)
        yield page
        if page.next is None:
            return
        at, latest = page.next, page.items
        if at in been_at or repeated == (_MOST_REPEATED if latest else _MOST_EMPTY):
            raise ApiError(
                f"source: the pages of {call.path} lead in a circle", hint="tell the provider"
            )
        been_at.add(at)


def filled(text: str, names: Mapping[str, str]) -> str:
    """A path with its names in place."""
    for name, value in names.items():
        text = text.replace(f"{{{name}}}", quote(value, safe=""))
    return text


def value_at(document: Any, path: str) -> Any:
    """The value at a path such as `paging.next`; None where there is none; '' is the whole.

    Links may also be a list, each with its `rel` and `href`."""
    for name in filter(None, path.split(".")):
        if isinstance(document, list):
            links = [each for each in document if isinstance(each, dict)]
            document = {each["rel"]: each.get("href") for each in links if "rel" in each}
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
    items = [] if answer == {} and call.items else value_at(answer, call.items)
    if not isinstance(items, list):
        raise ApiError(
            f"source: {call.path} gave no list{f' {call.items!r}' if call.items else ''}",
            hint="is the address of the API right?",
        )
    return Page(items, _next(client, call, answer, at, items))


def _next(
    client: Client, call: ListCall, answer: Any, at: int | str | None, items: list[Any]
) -> int | str | None:
    """A page with items has a successor: some give fewer than they are asked for. So has an empty
    one where only the last has no link."""
    paging = call.paging
    if paging.next and (items or paging.past_empty):
        link = value_at(answer, paging.next)
        return link if isinstance(link, str) and link else None
    if not paging.offset or not items:
        return None
    offset = (at if isinstance(at, int) else 0) + len(items)
    most, size = client.api.most, _page_size(client, call)
    if most is not None and offset + size > most:
        if len(items) < size:
            return None
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


# A provider's suppression list: read whole, added to, and taken from


_BAD_REQUEST = (400, 422)
_TOO_MUCH = (413,)
_NOT_THERE = (404, 410)
_ALREADY_THERE = (409,)


class SuppressionList(Protocol):
    """What can be asked of a provider's list, and said to it; ApiError where that fails.

    `at_once`: so many addresses are told in one request.
    """

    at_once: int

    def keys(self) -> Iterator[list[str]]:
        """The email keys on it, each once, a page at a time."""

    def add(self, emails: Sequence[str]) -> Collection[str]:
        """Suppress addresses; returns those that are refused."""

    def remove(self, emails: Sequence[str]) -> Collection[str]:
        """Take addresses off; returns those that are refused. One that is not there is no error."""


class ApiList:
    """The list of a provider that a data file describes."""

    def __init__(self, client: Client, names: Mapping[str, str]) -> None:
        self._client = client
        self._names = names
        self._described = client.api.suppressions
        self.at_once = self._described.add.at_once

    def keys(self) -> Iterator[list[str]]:
        """See SuppressionList."""
        described, seen = self._described, set[str]()
        now = datetime.now(UTC)
        for page in pages_of(self._client, described.list, Asked(self._names, now, now)):
            yield new_keys((value_at(item, described.email) for item in self._of_list(page)), seen)

    def _of_list(self, page: Any) -> Iterator[Any]:
        """Of what is a list of contacts, those suppressed."""
        flags = {k: v for k, v in self._described.ours.items() if isinstance(v, bool)}
        return (
            item for item in page.items if all(value_at(item, k) is v for k, v in flags.items())
        )

    def add(self, emails: Sequence[str]) -> Collection[str]:
        """See SuppressionList."""
        return self._all(self._described.add, emails)

    def remove(self, emails: Sequence[str]) -> Collection[str]:
        """See SuppressionList."""
        return self._all(self._described.remove, emails)

    def _all(self, change: Change, emails: Sequence[str]) -> Collection[str]:
        refused: set[str] = set()
        for start in range(0, len(emails), change.at_once):
            refused |= self._some(change, emails[start : start + change.at_once])
        return refused

    def _some(self, change: Change, emails: Sequence[str]) -> set[str]:
        """One bad address spoils a request: which one it is, is found by asking for fewer."""
        try:
            return self._send(change, emails)
        except ApiError as error:
            is_so = _NOT_THERE if change is self._described.remove else _ALREADY_THERE
            if error.status in is_so and len(emails) == 1:
                return set()
            if error.status not in (*_BAD_REQUEST, *_TOO_MUCH, *is_so):
                raise
            if len(emails) == 1:
                if error.status in _TOO_MUCH:
                    raise
                return {*emails}
            half = len(emails) // 2
            refused = self._some(change, emails[:half]) | self._some(change, emails[half:])
            if len(refused) == len(emails):
                raise  # it is not the addresses that are wrong
            return refused

    def _send(self, change: Change, emails: Sequence[str]) -> set[str]:
        names = {**self._names, "email": emails[0]}
        body = None if change.body is None else _body(change.body, emails)
        answer = self._client.send(change.method, filled(change.path, names), body=body)
        items = value_at(answer, change.refused) if change.refused else ()
        keys = {
            str(value_at(item, self._described.email)).casefold()
            for item in (items if isinstance(items, list) else [])
            if all(value_at(item, name) == value for name, value in change.where.items())
        }
        return {email for email in emails if email.casefold() in keys}


def _body(template: Any, emails: Sequence[str]) -> Any:
    """The template with the addresses: `{emails}` is all of them, a list of one item with
    `{email}` in it has one for each."""
    if template == "{emails}":
        return list(emails)
    if template == "{email}":
        return emails[0]
    if isinstance(template, dict):
        return {name: _body(each, emails) for name, each in template.items()}
    if isinstance(template, list) and "{email}" in str(template):
        return [_body(template[0], [email]) for email in emails]
    return template


def new_keys(addresses: Iterator[Any], seen: set[str]) -> list[str]:
    """The keys of what are addresses and were not seen before."""
    found = []
    for address in addresses:
        try:
            key = email_key(address if isinstance(address, str) else "")
        except ValueError:
            continue
        if key not in seen:
            seen.add(key)
            found.append(key)
    return found
