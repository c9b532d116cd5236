"""A provider's API as its data file describes it: what to ask, page by page, and with which key.

Texts may hold `{key}`, names of the config (`{domain}`), and moments in a form: `{since:epoch}`,
`{since:day}`, `{since:minute}`, `{since:eastern}`, `{now:day}`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

from contactctl.responses.data import read_data

FORMS: Mapping[str, Callable[[datetime], str]] = {
    "epoch": lambda moment: str(int(moment.timestamp())),
    "day": lambda moment: moment.strftime("%Y-%m-%d"),
    "minute": lambda moment: moment.strftime("%Y-%m-%dT%H:%M"),
    "eastern": lambda moment: moment.astimezone(ZoneInfo("America/New_York")).strftime(
        "%Y-%m-%dT%H:%M:%S"
    ),
}


@dataclass(frozen=True, slots=True)
class Paging:
    """How further pages are asked for: by an `offset` that grows, or by the address at the path
    `next` of an answer, which with `past_empty` an empty page may have, too; `size` is the
    parameter for the page's size. None of them: one page."""

    offset: str = ""
    next: str = ""
    size: str = ""
    past_empty: bool = False


@dataclass(frozen=True, slots=True)
class ListCall:
    """A list: its path and query, and where its items are in an answer ('' for the answer).

    `page_size` is its own where it cannot give as much at once as the other lists.
    """

    path: str
    paging: Paging
    query: Mapping[str, str] = field(default_factory=dict)
    items: str = ""
    page_size: int | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """A request that puts addresses on a suppression list or takes them off, `at_once` so many.

    Where the answer tells what was not done, it is the items at `refused` that fulfil `where`.
    """

    method: str
    path: str
    body: Any = None
    at_once: int = 1
    refused: str = ""
    where: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class SuppressionList:
    """A provider's list of those who get no mail: `email` is an item's address, and `ours` says
    which items are not the provider's own to keep."""

    list: ListCall
    email: str
    add: Change
    remove: Change
    ours: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Api:
    """A provider's API. `oldest` is in days, `most` the largest offset that may be asked for.

    The key goes into `headers`, or is the user and password of `basic`. `needs` are names that the
    config must give, with what they are; `defaults` those that it may. `pull` are the lists of whom
    the provider suppresses, and why.
    """

    name: str
    url: str
    page_size: int
    lists: Mapping[str, ListCall]
    suppressions: SuppressionList
    headers: Mapping[str, str] = field(default_factory=dict)
    basic: str = ""
    needs: Mapping[str, str] = field(default_factory=dict)
    defaults: Mapping[str, str] = field(default_factory=dict)
    pull: Mapping[str, ListCall] = field(default_factory=dict)
    most: int | None = None
    oldest: int | None = None


@cache
def api_of(provider: str) -> Api:
    """The description of a provider's API."""
    given = dict(read_data(f"apis/{provider}.yaml"))
    del given["about"]
    paging = Paging(**given.pop("paging"))
    suppressions = given.pop("suppressions")
    lists = {name: _list_call(each, paging) for name, each in given.pop("lists").items()}
    pull = {name: _list_call(each, paging) for name, each in given.pop("pull", {}).items()}
    return Api(
        provider, lists=lists, pull=pull, suppressions=_suppressions(suppressions, paging), **given
    )


def _list_call(given: Mapping[str, Any], usual: Paging) -> ListCall:
    own = {"paging": Paging(**given["paging"])} if "paging" in given else {"paging": usual}
    return ListCall(**{**given, **own})


def _suppressions(given: Mapping[str, Any], usual: Paging) -> SuppressionList:
    changes = {name: Change(**given[name]) for name in ("add", "remove")}
    return SuppressionList(**{**given, "list": _list_call(given["list"], usual), **changes})
