"""Amazon's suppression list and queues, through its own library (the extra `aws`)."""

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime
from typing import Any

from contactctl.domain.errors import ContactctlError
from contactctl.domain.sources import ProviderSource
from contactctl.domain.text import show_safely
from contactctl.responses.apis.lists import Page, new_keys
from contactctl.responses.apis.transport import ApiError, Pace

_MESSAGES_AT_ONCE = 10
_WAIT_S = 1
_PAGE_SIZE = 1000


class SesList:
    """The account's suppression list (SES v2), as a lists.SuppressionList."""

    at_once = 1

    def __init__(self, source: ProviderSource, pace: Pace | None = None) -> None:
        self._source = source
        self._pace = pace or Pace(source.rate)
        self._client = _client(source, "sesv2")

    def pages(self, since: datetime | None, start: str | None = None) -> Iterator[Page]:
        """All pages of those suppressed `since`; an item's times are as ISO 8601."""
        token, been_at = start, set[str]()
        while True:
            asked: dict[str, Any] = {"PageSize": _PAGE_SIZE}
            if since is not None:
                asked["StartDate"] = since
            if token:
                asked["NextToken"] = token
            self._pace.wait()
            with _amazon_errors(self._source):
                answer = self._client.list_suppressed_destinations(**asked)
            found = answer.get("SuppressedDestinationSummaries", [])
            token = answer.get("NextToken")
            yield Page([_plain(item) for item in found], token)
            if not token:
                return
            if token in been_at:
                raise ApiError(f"source {self._source.name}: the pages lead in a circle")
            been_at.add(token)

    def keys(self) -> Iterator[list[str]]:
        """The email keys on it."""
        seen: set[str] = set()
        for page in self.pages(None):
            yield new_keys((item.get("EmailAddress") for item in page.items), seen)

    def add(self, emails: Sequence[str]) -> Collection[str]:
        """Suppress addresses, as bounces: the service knows no other reason but a complaint. One
        that it takes for none is refused; where all are, they are not what is wrong."""
        refused = set[str]()
        for email in emails:
            self._pace.wait()
            with _amazon_errors(self._source):
                try:
                    self._client.put_suppressed_destination(EmailAddress=email, Reason="BOUNCE")
                except self._client.exceptions.BadRequestException:
                    refused.add(email)
                    if len(refused) == len(emails) > 1:
                        raise
        return refused

    def remove(self, emails: Sequence[str]) -> Collection[str]:
        """Take addresses off."""
        missing = self._client.exceptions.NotFoundException
        for email in emails:
            self._pace.wait()
            with _amazon_errors(self._source), suppress(missing):
                self._client.delete_suppressed_destination(EmailAddress=email)
        return ()


class Queue:
    """An SQS queue that SES's events are sent to."""

    def __init__(self, source: ProviderSource) -> None:
        self._source = source
        self._client = _client(source, "sqs")

    def messages(self) -> Iterator[list[dict[str, Any]]]:
        """What waits in the queue, some messages at a time, each until it is deleted."""
        while True:
            with _amazon_errors(self._source):
                answer = self._client.receive_message(
                    QueueUrl=self._source.queue_url,
                    MaxNumberOfMessages=_MESSAGES_AT_ONCE,
                    WaitTimeSeconds=_WAIT_S,
                )
            messages = answer.get("Messages", [])
            if not messages:
                return
            yield messages

    def delete(self, receipts: Sequence[str]) -> None:
        """Delete messages that have been dealt with."""
        for start in range(0, len(receipts), _MESSAGES_AT_ONCE):
            some = receipts[start : start + _MESSAGES_AT_ONCE]
            entries = [{"Id": str(n), "ReceiptHandle": each} for n, each in enumerate(some)]
            with _amazon_errors(self._source):
                self._client.delete_message_batch(QueueUrl=self._source.queue_url, Entries=entries)


@contextmanager
def _amazon_errors(source: ProviderSource) -> Iterator[None]:
    """What Amazon's library raises, as an ApiError."""
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415

    try:
        yield
    except (BotoCoreError, ClientError) as error:
        text = show_safely(f"source {source.name}: {' '.join(str(error).split())}")
        hint = "check the region, and the rights of the key or the role"
        raise ApiError(text[:500], hint=hint) from error


def _client(source: ProviderSource, service: str) -> Any:
    try:
        import boto3  # noqa: PLC0415
        from botocore.config import Config  # noqa: PLC0415
    except ImportError:
        raise ContactctlError(
            f"source {source.name}: Amazon's library is not installed",
            hint="pip install 'contactctl[aws]'",
        ) from None
    config = Config(
        connect_timeout=10, read_timeout=30, retries={"mode": "standard", "max_attempts": 6}
    )
    with _amazon_errors(source):
        return boto3.client(
            service,
            region_name=source.region or None,
            endpoint_url=source.url or None,
            config=config,
        )


def _plain(item: dict[str, Any]) -> dict[str, Any]:
    return {
        name: value.isoformat() if isinstance(value, datetime) else value
        for name, value in item.items()
    }
