"""A provider's suppression list: read whole, added to, and taken from."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Protocol

from contactctl.domain.emails import email_key
from contactctl.responses.apis.description import Change
from contactctl.responses.apis.pages import Asked, filled, pages_of, value_at
from contactctl.responses.apis.transport import ApiError, Client

_BAD_REQUEST = (400, 422)
_NOT_FOUND = 404


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
            yield _new_keys((value_at(item, described.email) for item in self._of_list(page)), seen)

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
            if error.status == _NOT_FOUND and change is self._described.remove:
                return set()
            if error.status not in _BAD_REQUEST:
                raise
            if len(emails) == 1:
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
        told = change.refused
        if told is None:
            return set()
        items = value_at(answer, told.items)
        keys = {
            str(value_at(item, self._described.email)).casefold()
            for item in (items if isinstance(items, list) else [])
            if all(value_at(item, name) == value for name, value in told.where.items())
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


def _new_keys(addresses: Iterator[Any], seen: set[str]) -> list[str]:
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


class AmazonList:
    """The account's suppression list at Amazon SES."""

    at_once = 1

    def __init__(self, ses: Any) -> None:
        self._ses = ses

    def keys(self) -> Iterator[list[str]]:
        """See SuppressionList."""
        seen: set[str] = set()
        for page in self._ses.pages(None):
            yield _new_keys((item.get("EmailAddress") for item in page.items), seen)

    def add(self, emails: Sequence[str]) -> Collection[str]:
        """See SuppressionList."""
        for email in emails:
            self._ses.add(email)
        return ()

    def remove(self, emails: Sequence[str]) -> Collection[str]:
        """See SuppressionList."""
        for email in emails:
            self._ses.remove(email)
        return ()
