"""Amazon's services through its own library, against a local server after their documents."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from contactctl.domain.sources import ProviderSource
from contactctl.responses.apis.transport import ApiError
from helpers.api_server import Answer, ApiServer, Asked, api_server

pytest.importorskip("boto3")

from contactctl.responses.apis.aws import Queue, SesList

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


@pytest.fixture(autouse=True)
def credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "id")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")


def suppressed(number: int) -> dict[str, Any]:
    return {
        "EmailAddress": f"s{number}@x.no",
        "Reason": "BOUNCE",
        "LastUpdateTime": datetime(2026, 6, 1, tzinfo=UTC).timestamp() + number,
    }


@pytest.fixture
def ses() -> Iterator[ApiServer]:
    def answers(asked: Asked) -> Answer:
        if asked.method == "PUT":
            return Answer({})
        if asked.method == "DELETE":
            return Answer({"message": "no"}, 404, {"x-amzn-ErrorType": "NotFoundException"})
        if asked.query.get("NextToken") == "two":
            return Answer({"SuppressedDestinationSummaries": [suppressed(2)]})
        return Answer({"SuppressedDestinationSummaries": [suppressed(1)], "NextToken": "two"})

    with api_server(answers) as server:
        yield server


def test_the_account_s_suppression_list(ses: ApiServer) -> None:
    listed = SesList(ProviderSource("ses", "ses", url=ses.url, region="eu-west-1"))
    found = list(listed.pages(datetime(2026, 5, 1, tzinfo=UTC)))
    assert [[item["EmailAddress"] for item in page.items] for page in found] == [
        ["s1@x.no"],
        ["s2@x.no"],
    ]
    assert found[0].items[0]["LastUpdateTime"].startswith("2026-06-01T00:00:01")
    assert ses.asked[0].path == "/v2/email/suppression/addresses"
    assert ses.asked[0].query["StartDate"].startswith("2026-05-01")
    listed.add(["a@x.no"])
    assert (ses.asked[-1].method, ses.asked[-1].body) == (
        "PUT",
        {"EmailAddress": "a@x.no", "Reason": "BOUNCE"},
    )
    listed.remove(["a@x.no"])  # is not there, which is no error


def test_pages_that_lead_in_a_circle_and_addresses_that_are_none() -> None:
    def answers(asked: Asked) -> Answer:
        if asked.method == "GET":
            return Answer({"SuppressedDestinationSummaries": [suppressed(1)], "NextToken": "same"})
        if "bad" in asked.body["EmailAddress"]:
            return Answer({"message": "no"}, 400, {"x-amzn-ErrorType": "BadRequestException"})
        return Answer({})

    with api_server(answers) as server:
        listed = SesList(ProviderSource("ses", "ses", url=server.url, region="eu-west-1"))
        with pytest.raises(ApiError, match="lead in a circle"):
            list(listed.keys())
        assert listed.add(["bad@x.no", "a@x.no"]) == {"bad@x.no"}
        with pytest.raises(ApiError, match="BadRequest"):
            listed.add(["bad@x.no", "bad2@x.no"])


def test_a_refusal_is_an_error_of_the_source() -> None:
    denied = Answer({"message": "no"}, 403, {"x-amzn-ErrorType": "AccessDeniedException"})
    with api_server(lambda _: denied) as server:
        listed = SesList(ProviderSource("ses", "ses", url=server.url, region="eu-west-1"))
        with pytest.raises(ApiError, match=r"source ses: .*AccessDenied"):
            list(listed.pages(None))


def test_messages_of_a_queue_are_deleted_when_they_are_dealt_with() -> None:
    body = json.dumps({"eventType": "Bounce"})
    waiting = [{"MessageId": f"m{n}", "ReceiptHandle": f"r{n}", "Body": body} for n in range(12)]
    deleted: list[str] = []

    def sqs(asked: Asked) -> Answer:
        action = {name.lower(): value for name, value in asked.headers.items()}["x-amz-target"]
        if action.endswith("DeleteMessageBatch"):
            entries = asked.body["Entries"]
            deleted.extend(each["ReceiptHandle"] for each in entries)
            return Answer({"Successful": [{"Id": each["Id"]} for each in entries], "Failed": []})
        some = [waiting.pop(0) for _ in range(min(10, len(waiting)))]
        return Answer({"Messages": some} if some else {})

    with api_server(sqs) as server:
        url = f"{server.url}/1/events"
        source = ProviderSource("q", "sqs", url=server.url, region="eu-west-1", queue_url=url)
        queue = Queue(source)
        found = [message for some in queue.messages() for message in some]
        queue.delete([message["ReceiptHandle"] for message in found])
    assert len(found) == 12
    assert deleted == [f"r{n}" for n in range(12)]
