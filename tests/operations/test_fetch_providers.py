"""Each provider's API is asked as its published documents say."""

from typing import Any

import pytest

from contactctl.responses.apis.description import api_of
from contactctl.store.database.store import Store
from helpers.api_server import Answer, Asked, api_server
from helpers.documented import require_documented
from helpers.fetched import KEY, fetch, recorded


@pytest.mark.parametrize(
    ("provider", "key_header", "item", "where"),
    [
        (
            "postmark",
            ("X-Postmark-Server-Token", KEY),
            {
                "RecordType": "Bounce",
                "ID": 692560173,
                "Type": "HardBounce",
                "Email": "p@x.no",
                "BouncedAt": "2026-06-15T08:00:00Z",
                "Details": "smtp;550 5.1.1 no such user",
            },
            ("/bounces", "Bounces"),
        ),
        (
            "sparkpost",
            ("Authorization", KEY),
            {
                "type": "bounce",
                "bounce_class": "10",
                "event_id": "92356927693813856",
                "rcpt_to": "p@x.no",
                "raw_reason": "550 5.1.1 no such user",
                "timestamp": "2026-06-15T08:00:00.000Z",
            },
            ("/api/v1/events/message", "results"),
        ),
        (
            "mailjet",
            ("Authorization", "Basic a2V5OnNlY3JldA=="),
            {
                "ID": 576460754655154659,
                "ContactAlt": "p@x.no",
                "Status": "hardbounced",
                "StateID": 1,
                "StatePermanent": True,
                "ArrivedAt": "2026-06-15T08:00:00Z",
            },
            ("/v3/REST/message", "Data"),
        ),
        (
            "brevo",
            ("Api-key", KEY),
            {
                "event": "hardBounces",
                "email": "p@x.no",
                "date": "2026-06-15T08:00:00.000+00:00",
                "messageId": "<202606150800.1@smtp-relay.mailin.fr>",
                "reason": "550 5.1.1 no such user",
            },
            ("/v3/smtp/statistics/events", "events"),
        ),
    ],
)
def test_each_provider_is_asked_as_its_documents_say(
    store: Store,
    provider: str,
    key_header: tuple[str, str],
    item: dict[str, Any],
    where: tuple[str, str],
) -> None:
    path, items = where

    def answers(asked: Asked) -> Answer:
        is_first = all(asked.query.get(name, "0") == "0" for name in ("offset", "Offset"))
        found = [item] if asked.path == path and is_first else []
        return Answer({items: found, "Suppressions": [], "TotalCount": len(found), "paging": {}})

    with api_server(answers) as server:
        key = "key:secret" if provider == "mailjet" else KEY
        fetch(store, server, key=key, provider=provider, lists=())
        names = {name.lower(): value for name, value in server.asked[0].headers.items()}
    assert names[key_header[0].lower()] == key_header[1]
    assert recorded(store) == ["p@x.no"]
    assert len({each.path for each in server.asked}) <= len(api_of(provider).lists)
    require_documented(provider, server.exchanges)


@pytest.mark.parametrize(
    ("query", "answer"),
    [
        ({"offset": "0"}, {"TotalCount": 0, "Bounces": []}),
        ({"offset": "0", "count": "501"}, {"TotalCount": 0, "Bounces": []}),
        ({"offset": "0", "count": "1", "fromdate": "June"}, {"TotalCount": 0, "Bounces": []}),
        ({"offset": "0", "count": "1"}, {"Bounces": []}),
    ],
)
def test_what_is_not_as_documented_is_noticed(query: dict[str, str], answer: Any) -> None:
    from openapi_core.exceptions import OpenAPIError

    asked = Asked("GET", "/bounces", query, {}, None)
    with pytest.raises(OpenAPIError):
        require_documented("postmark", [(asked, Answer(answer))])
