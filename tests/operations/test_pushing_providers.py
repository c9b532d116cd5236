"""What each provider is told of its suppression list, as its documents say."""

from pathlib import Path
from typing import Any

import pytest

from contactctl.domain.errors import UsageError
from contactctl.domain.policies import Limits
from contactctl.domain.runs import Confirmation, SkipReason
from contactctl.domain.sources import ProviderSource, Secret
from contactctl.operations.fetch import FetchOptions, fetch_responses
from contactctl.operations.pushing import plan_push_to
from contactctl.operations.runs import run_confirmed
from contactctl.responses.apis.description import api_of
from contactctl.responses.apis.transport import Client, Pace
from contactctl.store.database.store import Store
from helpers.api_server import Answer, Asked, api_server
from helpers.documented import require_documented
from helpers.imports import import_states
from helpers.sessions import make_session

KEY = "key-that-nobody-may-see"


@pytest.fixture(autouse=True)
def key_in_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PUSH_KEY", KEY)


def test_requests_are_kept_apart() -> None:
    slept: list[float] = []
    with api_server(lambda _: Answer([])) as server:
        pace = Pace(0.001)
        client = Client(api_of("sendgrid"), "p", KEY, url=server.url, sleep=slept.append, pace=pace)
        for _ in range(3):
            client.get("/v3/suppression/bounces")
    # the sleep is none, so that the third waits for the second as well
    assert [round(seconds, -2) for seconds in slept] == [1000, 2000]
    Pace().wait(slept.append)
    assert len(slept) == 2


def test_postmark_says_of_each_address_what_became_of_it(store: Store) -> None:
    import_states(store, 3)

    def postmark(asked: Asked) -> Answer:
        names = [each["EmailAddress"] for each in asked.body["Suppressions"]]
        told = [
            {"EmailAddress": each, "Status": "Failed" if each == "gone1@x.no" else "Suppressed"}
            for each in names
        ]
        return Answer({"Suppressions": told})

    with api_server(postmark) as server:
        source = ProviderSource("mail", "postmark", Secret(env="PUSH_KEY"), url=server.url)
        session = make_session(store, sources={"mail": source}, limits=Limits(1000))
        said = Confirmation(3, 3)
        done = run_confirmed(session, lambda: plan_push_to(session, source, reason="", said=said))
    assert server.asked[0].path == "/message-streams/outbound/suppressions"
    require_documented("postmark", server.exchanges)
    headers = {name.lower(): value for name, value in server.asked[0].headers.items()}
    assert headers["x-postmark-server-token"] == KEY
    assert done is not None
    assert (done.changed, done.skipped) == (2, {SkipReason.REFUSED: 1})


_SPARKPOST = {"recipient": "gone0@x.no", "type": "non_transactional", "description": "inactive"}
_BREVO = {"email": "gone0@x.no", "emailBlacklisted": True, "updateEnabled": True}
_MAILGUN = [{"address": "gone0@x.no", "tags": ["*"]}]


@pytest.mark.parametrize(
    ("provider", "method", "path", "body"),
    [
        ("sendgrid", "POST", "/v3/asm/suppressions/global", {"recipient_emails": ["gone0@x.no"]}),
        ("mailgun", "POST", "/v3/mg.x.no/unsubscribes", _MAILGUN),
        ("sparkpost", "PUT", "/api/v1/suppression-list", {"recipients": [_SPARKPOST]}),
        ("mailjet", "PUT", "/v3/REST/contact/gone0%40x.no", {"IsExcludedFromCampaigns": True}),
        ("brevo", "POST", "/v3/contacts", _BREVO),
    ],
)
def test_each_provider_is_told_as_its_documents_say(
    store: Store, provider: str, method: str, path: str, body: Any
) -> None:
    import_states(store, 1)
    status = 201 if provider in ("sendgrid", "brevo") else 200
    with api_server(lambda asked: Answer(asked.body, status)) as server:
        names = {"domain": "mg.x.no"} if provider == "mailgun" else {}
        source = ProviderSource("p", provider, Secret(env="PUSH_KEY"), url=server.url, names=names)
        session = make_session(store, sources={"p": source}, limits=Limits(1000))
        said = Confirmation(1, 1)
        run_confirmed(session, lambda: plan_push_to(session, source, reason="", said=said))
    assert [(each.method, each.path, each.body) for each in server.asked] == [(method, path, body)]
    require_documented(provider, server.exchanges)


@pytest.mark.parametrize(
    ("answer", "is_told"),
    [
        (Answer({"errors": [{"message": "bad"}]}, 200), False),
        (Answer({"success": False}, 202), False),
        (Answer({"errors": [{"message": "exists"}]}, 409), True),
    ],
)
def test_one_address_that_is_not_taken_spoils_no_other(
    store: Store, answer: Answer, is_told: bool
) -> None:
    import_states(store, 4)

    def sendgrid(asked: Asked) -> Answer:
        if len(emails := asked.body["recipient_emails"]) > 2:
            return Answer({"errors": [{"message": "too much"}]}, 413)
        return answer if "gone1@x.no" in emails else Answer(None, 204)

    with api_server(sendgrid) as server:
        source = ProviderSource("p", "sendgrid", Secret(env="PUSH_KEY"), url=server.url)
        session = make_session(store, sources={"p": source}, limits=Limits(1000))
        said = Confirmation(4, 4)
        done = run_confirmed(session, lambda: plan_push_to(session, source, reason="", said=said))
    assert done is not None
    assert (done.changed, sum(done.skipped.values())) == ((4, 0) if is_told else (3, 1))


def test_mailjet_has_no_list_to_pull(store: Store) -> None:
    source = ProviderSource("p", "mailjet", Secret(file=Path("key")))
    whole = FetchOptions(is_pull=True)
    with pytest.raises(UsageError, match="does not give a list"):
        fetch_responses(make_session(store), source, KEY, lambda _: None, whole)
