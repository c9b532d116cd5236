"""Formats of the config: the samples of the documentation, and what a mistake in one says."""

from io import BytesIO
from json import dumps
from pathlib import Path
from typing import Any

import pytest
import yaml

from contactctl.config.load import load_settings_file
from contactctl.domain.errors import ConfigError, InputError
from contactctl.domain.responses import (
    Activity,
    Event,
    NoResponse,
    Rejection,
    Response,
    Unsubscribe,
)
from contactctl.operations.reading import own_formats
from contactctl.responses.classify import default_classifier
from contactctl.responses.formats import reader
from contactctl.responses.formats.mapping import FormatSource, compile_format
from contactctl.responses.read import OwnFormats, read_events
from helpers.samples import cases

SENDERS = Path(reader.__file__).parent / "senders"
NO_USER = "550 5.1.1 user unknown"
FULL = "552 5.2.2 mailbox full"
KARI = "kari@example.org"


def in_short(event: Event) -> str:
    if isinstance(event, Response):
        return f"{event.category}/{event.not_counted}" if event.not_counted else event.category
    if isinstance(event, Activity):
        return event.kind
    if isinstance(event, Unsubscribe):
        return "resubscribed" if event.resubscribed else "unsubscribed"
    return "rejected" if isinstance(event, Rejection) else "nothing"


def formats_of(tmp_path: Path, text: str) -> OwnFormats:
    path = tmp_path / "contactctl.yaml"
    path.write_text(text)
    return OwnFormats(tuple(own_formats(load_settings_file(path).settings)))


def read(payload: object, own: OwnFormats, format_: str = "auto") -> list[Event]:
    raw = payload if isinstance(payload, bytes) else dumps(payload).encode()
    return list(read_events([BytesIO(raw)], default_classifier(), format=format_, own=own))


def postal(event: str, **payload: Any) -> dict[str, Any]:
    message = {"id": 1, "direction": "outgoing", "to": KARI, "from": "news@example.com"}
    return {
        "event": event,
        "timestamp": 1772359200.5,
        "uuid": f"u-{event}",
        "payload": {"message": message, "timestamp": 1772359200.5} | payload,
    }


def resend(type_: str, **data: Any) -> dict[str, Any]:
    return {
        "type": type_,
        "created_at": "2026-03-01T10:00:00.000Z",
        "data": {"email_id": "e1", "to": [KARI], "from": "news@example.com"} | data,
    }


def mailersend(type_: str, **morph: Any) -> dict[str, Any]:
    return {
        "type": type_,
        "domain_id": "d1",
        "data": {
            "id": f"a-{type_}",
            "created_at": "2026-03-01T10:00:00.000000Z",
            "email": {"id": "e1", "recipient": {"email": KARI}},
            "morph": morph,
        },
    }


def zepto(event: str, *details: dict[str, Any]) -> dict[str, Any]:
    to = [{"email_address": {"address": KARI, "name": "Kari"}}]
    return {
        "event_name": [event],
        "event_message": [
            {
                "email_info": {"to": to, "processed_time": "2026-03-01T10:00:00Z"},
                "event_data": [{"details": list(details), "object": event}],
                "request_id": "r1",
            }
        ],
        "webhook_request_id": "w1",
    }


def mandrill(event: str, **msg: Any) -> dict[str, Any]:
    return {"event": event, "_id": "m1", "ts": 1772359200, "msg": {"email": KARI} | msg}


def elastic(status: str, category: str = "") -> dict[str, Any]:
    return {
        "to": KARI,
        "from": "news@example.com",
        "date": "3/1/2026 10:00:00 AM",
        "status": status,
        "messagecategory": category,
        "transaction": "t1",
        "channel": "Newsletter March",
    }


def smtp2go(event: str, **fields: Any) -> dict[str, Any]:
    row = {"event": event, "rcpt": KARI, "email_id": "e1", "time": "2026-03-01T10:00:00Z"}
    return row | fields


def socketlabs(type_: str, **fields: Any) -> dict[str, Any]:
    row = {"Type": type_, "Address": KARI, "DateTime": "2026-03-01T10:00:00.1234567Z"}
    return row | {"MessageId": "m1", "ServerId": 1} | fields


def azure(name: str, **data: Any) -> dict[str, Any]:
    return {
        "id": f"ev-{name}-{'-'.join(map(str, data.values()))}",
        "eventType": f"Microsoft.Communication.{name}",
        "eventTime": "2026-03-01T10:00:00Z",
        "data": {"recipient": KARI, "messageId": "m1", "sender": "news@example.com"} | data,
    }


def powermta(type_: str, **fields: Any) -> dict[str, Any]:
    row = {"type": type_, "timeLogged": "2026-03-01 11:00:00+0100", "orig": "news@example.com"}
    return row | {"rcpt": KARI, "jobId": "j1"} | fields


def kumomta(type_: str, said: str = "", **fields: Any) -> dict[str, Any]:
    code, _, content = said.partition(" ")
    record = {"type": type_, "id": "d7ef", "sender": "news@example.com", "recipient": KARI}
    response = {"code": int(code or 0), "enhanced_code": None, "content": content}
    return record | {"queue": "q", "timestamp": 1772359200, "response": response} | fields


BOUNCED = {"bounced_recipient": KARI, "time": "2026-03-01T10:00:00Z"}
REPORT, TRACKED = "EmailDeliveryReportReceived", "EmailEngagementTrackingReportReceived"
CASES: list[tuple[str, dict[str, Any], list[str]]] = [
    ("postal", postal("MessageSent", status="Sent"), ["delivered"]),
    ("postal", postal("MessageDeliveryFailed", output=NO_USER), ["invalid-address"]),
    (
        "postal",
        postal("MessageDelayed", output="451 4.3.0 later"),
        ["communication-failure/delayed"],
    ),
    ("postal", postal("MessageHeld", details="held"), ["blocked/own-refusal"]),
    ("postal", postal("MessageBounced", message=None, original_message={"to": KARI}), ["unknown"]),
    ("postal", postal("MessageLoaded"), ["opened"]),
    ("postal", postal("MessageLinkClicked"), ["clicked"]),
    ("resend", resend("email.delivered"), ["delivered"]),
    (
        "resend",
        resend("email.bounced", bounce={"type": "Permanent", "subType": "General"}),
        ["invalid-address"],
    ),
    (
        "resend",
        resend("email.bounced", bounce={"type": "Transient", "subType": "MailboxFull"}),
        ["transient"],
    ),
    (
        "resend",
        resend("email.bounced", bounce={"type": "Permanent", "subType": "Suppressed"}),
        ["invalid-address/echo"],
    ),
    ("resend", resend("email.complained"), ["spam-complaint"]),
    ("resend", resend("email.sent"), ["nothing"]),
    ("resend", resend("email.opened", to=[KARI, "ola@example.org"]), ["nothing"]),
    ("resend", resend("email.bounced", to=[KARI, "ola@example.org"]), ["rejected"]),
    (
        "resend",
        {
            "type": "contact.updated",
            "created_at": "2026-03-01T10:00:00Z",
            "data": {"email": KARI, "unsubscribed": True},
        },
        ["unsubscribed"],
    ),
    ("mailersend", mailersend("activity.hard_bounced", reason=NO_USER), ["invalid-address"]),
    ("mailersend", mailersend("activity.soft_bounced", reason=FULL), ["transient"]),
    ("mailersend", mailersend("activity.spam_complaint"), ["spam-complaint"]),
    ("mailersend", mailersend("activity.unsubscribed"), ["unsubscribed"]),
    ("mailersend", mailersend("activity.delivered"), ["delivered"]),
    ("mailersend", mailersend("activity.sent"), ["nothing"]),
    (
        "zeptomail",
        zepto("hardbounce", BOUNCED | {"diagnostic_message": NO_USER}),
        ["invalid-address"],
    ),
    ("zeptomail", zepto("softbounce", BOUNCED | {"reason": FULL}, BOUNCED), ["transient"] * 2),
    ("zeptomail", zepto("email_open", {"time": "2026-03-01T10:00:00Z"}), ["opened"]),
    ("mandrill", mandrill("hard_bounce", diag=f"smtp;{NO_USER}"), ["invalid-address"]),
    ("mandrill", mandrill("soft_bounce", bounce_description="mailbox_full"), ["transient"]),
    (
        "mandrill",
        mandrill("deferral", smtp_events=[{"diag": "451 4.3.5 try later"}]),
        ["communication-failure/delayed"],
    ),
    ("mandrill", mandrill("spam"), ["spam-complaint"]),
    ("mandrill", mandrill("unsub"), ["unsubscribed"]),
    ("mandrill", mandrill("reject"), ["invalid-address/echo"]),
    ("mandrill", mandrill("send"), ["nothing"]),
    ("elasticemail", elastic("Error", "NoMailbox"), ["invalid-address"]),
    ("elasticemail", elastic("Error", "GreyListed"), ["communication-failure/delayed"]),
    ("elasticemail", elastic("AbuseReport"), ["spam-complaint"]),
    ("elasticemail", elastic("Sent"), ["delivered"]),
    ("smtp2go", smtp2go("bounce", bounce="hard", message=NO_USER), ["invalid-address"]),
    ("smtp2go", smtp2go("bounce", bounce="soft", message=FULL), ["transient"]),
    ("smtp2go", smtp2go("spam"), ["spam-complaint"]),
    ("smtp2go", smtp2go("unsubscribe"), ["unsubscribed"]),
    (
        "socketlabs",
        socketlabs("Failed", FailureType="Permanent", BounceStatus="5.1.1"),
        ["invalid-address"],
    ),
    ("socketlabs", socketlabs("Failed", FailureType=0, Reason=FULL), ["transient"]),
    ("socketlabs", socketlabs("Failed", FailureType="Suppressed"), ["invalid-address/echo"]),
    ("socketlabs", socketlabs("Complaint"), ["spam-complaint"]),
    ("socketlabs", socketlabs("Tracking", TrackingType=2), ["unsubscribed"]),
    ("socketlabs", socketlabs("Delivered"), ["delivered"]),
    (
        "powermta",
        powermta("b", dsnStatus="5.1.1 (bad destination mailbox address)", dsnDiag=NO_USER),
        ["invalid-address"],
    ),
    ("powermta", powermta("b", bounceCat="quota-issues"), ["transient"]),
    ("powermta", powermta("b", bounceCat="spam-related", dsnDiag="smtp;554 no"), ["blocked"]),
    ("powermta", powermta("rb", dsnStatus="5.0.0", dsnDiag=f"smtp;{FULL}"), ["transient"]),
    ("powermta", powermta("t", dsnStatus="4.7.0"), ["blocked/delayed"]),
    ("powermta", powermta("d", dsnStatus="2.0.0 (success)"), ["delivered"]),
    ("powermta", powermta("f"), ["spam-complaint"]),
    ("kumomta", kumomta("Bounce", NO_USER), ["invalid-address"]),
    (
        "kumomta",
        kumomta("Bounce", "550 no", bounce_classification="InactiveMailbox"),
        ["invalid-address"],
    ),
    ("kumomta", kumomta("TransientFailure", FULL), ["transient/delayed"]),
    ("kumomta", kumomta("Expiration", recipient=[KARI]), ["communication-failure"]),
    ("kumomta", kumomta("AdminBounce", "551 purged"), ["blocked/own-refusal"]),
    ("kumomta", kumomta("Reception"), ["nothing"]),
    ("azure", azure(REPORT, status="Bounced"), ["invalid-address"]),
    ("azure", azure(REPORT, status="Delivered"), ["delivered"]),
    ("azure", azure(REPORT, status="Suppressed"), ["invalid-address/echo"]),
    ("azure", azure(REPORT, status="FilteredSpam"), ["blocked"]),
    ("azure", azure(TRACKED, engagementType="view"), ["opened"]),
    (
        "azure",
        {
            "id": "1",
            "eventType": "Microsoft.EventGrid.SubscriptionValidationEvent",
            "eventTime": "2026-03-01T10:00:00Z",
            "data": {"validationCode": "x"},
        },
        ["nothing"],
    ),
]


SAMPLES = Path(cases.__file__).with_name("senders.yaml")
CASES += [
    (name, document, expected)
    for name, samples in yaml.safe_load(SAMPLES.read_text()).items()
    for document, *expected in samples
]


def test_every_sender_has_cases() -> None:
    assert set(reader.sender_names()) == {name for name, _, _ in CASES}


@pytest.mark.parametrize(
    ("name", "document", "expected"),
    [pytest.param(*case, id=f"{case[0]}-{number}") for number, case in enumerate(CASES)],
)
def test_a_documented_event_of_another_sender(
    name: str, document: dict[str, Any], expected: list[str]
) -> None:
    events = read(document, OwnFormats(), name)
    assert [in_short(event) for event in events] == expected
    for unasked in read(document, OwnFormats()):  # some have the keys of the generic form
        if isinstance(unasked, Rejection):
            assert unasked.reason.endswith(f"; --from {name} reads it")
    for event in events:
        if isinstance(event, Response | Activity | Unsubscribe):
            assert event.recipient == KARI
            assert event.source_key.startswith(f"{name}:")
            assert event.occurred_at is not None
            assert event.occurred_at.isoformat()[:19] == "2026-03-01T10:00:00"
            assert not getattr(event, "group", None)


def test_a_copy_beside_the_config_comes_first_and_is_read_unasked(tmp_path: Path) -> None:
    shipped = (SENDERS / "postal.yaml").read_text()
    changed = shipped.replace("MessageSent: delivered", "MessageSent: opened")
    (tmp_path / "our-postal.yaml").write_text(changed)
    own = formats_of(tmp_path, "formats: {postal: our-postal.yaml}\n")
    for format_ in ("auto", "postal"):
        (event,) = read(postal("MessageSent"), own, format_)
        assert in_short(event) == "opened"


def test_the_accounting_files_of_powermta_are_read_as_they_are() -> None:
    bounces = (
        b"type,timeLogged,orig,rcpt,dsnStatus,dsnDiag,bounceCat,jobId\n"
        b"b,2026-03-01 11:00:00+0100,n@e.com,kari@example.org,5.2.2 (mailbox full),552 no,quota,1\n"
    )
    [event] = read(bounces, OwnFormats(), "powermta")
    assert (event.category, event.status) == ("transient", "5.2.2")
    assert event.occurred_at.isoformat() == "2026-03-01T10:00:00+00:00"
    complaints = (
        b"type,timeLogged,origRcptTo,feedbackType\n"
        b"f,2026-03-01 11:00:00+0100,kari@example.org,abuse\n"
        b"f,2026-03-01 11:00:00+0100,kari@example.org,not-spam\n"
    )
    assert [in_short(each) for each in read(complaints, OwnFormats(), "powermta")] == [
        "spam-complaint",
        "nothing",
    ]
    for table in (bounces, complaints):
        with pytest.raises(InputError) as caught:
            read(table, OwnFormats())
        assert caught.value.hint == "--from powermta reads it"


def test_an_own_format_reads_csv_and_wins_over_what_is_built_in(tmp_path: Path) -> None:
    own = formats_of(
        tmp_path,
        """
formats:
  relay:
    only: [rcpt, said, at, kind]
    email: rcpt
    occurred_at: at
    date_format: "%d.%m.%Y %H:%M"
    diagnostic: said
    event: kind
    events: {hard: text or invalid-address, "soft | later": text or transient}
""",
    )
    table = b"RCPT;Said;At;Kind\nkari@example.org;no;01.03.2026 10:00;HARD\n"
    [event] = read(table, own)
    assert isinstance(event, Response)
    assert (event.category, event.rule) == ("invalid-address", "relay.hard")
    assert event.occurred_at.isoformat() == "2026-03-01T10:00:00+00:00"
    row = {"rcpt": KARI, "said": FULL, "at": "01.03.2026 10:00", "kind": "later"}
    assert [in_short(each) for each in read(row, own)] == ["transient"]
    [unknown] = read(row | {"kind": "odd"}, own)
    assert unknown.diagnostic.startswith("unrecognised relay event odd: ")


@pytest.mark.parametrize(
    ("mapping", "problem"),
    [
        ({"emial": "a"}, "unknown key 'emial'"),
        ({"events": "text"}, "needs 'email'"),
        ({"email": "a"}, "needs 'events'"),
        ({"email": "a..b", "events": "text"}, "'a..b' is not a path"),
        ({"email": 7, "events": "text"}, "must be a path"),
        ({"email": "a", "events": "hard"}, "unknown outcome 'hard'"),
        ({"email": "a", "events": "transiend"}, "did you mean 'transient'?"),
        ({"email": "a", "events": "transient, later"}, "unknown reason for not counting 'later'"),
        ({"email": "a", "event": "b", "events": {"x": {"bye": "c"}}}, "unknown key 'bye'"),
        ({"email": "a", "event": "b", "events": {"x": {"is": {}}}}, "needs 'by'"),
        ({"email": "a", "events": "text", "time_zone": "Olso"}, "time_zone: must be a name"),
        ({"email": "a", "events": "text", "date_format": "soon"}, "date_format: no % code"),
        ({"email": "a", "events": "text", "date_format": "%d %b"}, "it lacks the year"),
        ({"email": "a", "documents": []}, "'documents' must be a list"),
        ({"documents": [{"email": "a"}]}, "document 1: needs 'events'"),
    ],
)
def test_a_mistake_names_its_place(mapping: dict[str, Any], problem: str) -> None:
    with pytest.raises(ConfigError) as caught:
        compile_format(FormatSource("mine", mapping, "contactctl.yaml:7"))
    assert caught.value.message.startswith("contactctl.yaml:7: format 'mine'")
    assert problem in f"{caught.value.message} {caught.value.hint}"
    assert caught.value.hint


def test_a_format_may_not_have_the_name_of_a_built_in_one(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="built in"):
        formats_of(tmp_path, "formats: {ses: {email: a, events: text}}")


def test_a_format_may_not_hide_what_is_no_response(tmp_path: Path) -> None:
    own = formats_of(tmp_path, "formats: {mine: {email: a, events: nothing}}")
    assert [type(each) for each in read({"a": KARI}, own)] == [NoResponse]
