"""The documented form for senders of one's own"""

import io
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contactctl.domain.errors import InputError, UsageError
from contactctl.domain.responses import (
    Activity,
    ActivityKind,
    Category,
    Event,
    Rejection,
    Response,
    Unsubscribe,
)
from contactctl.responses.classify import cached, default_classifier
from contactctl.responses.formats.mapping import Context
from contactctl.responses.generic import GenericOptions, GenericReader
from contactctl.responses.read import read_events

CLASSIFY = cached(default_classifier())
ROW = {
    "email": "Kari@example.org",
    "category": "transient",
    "occurred_at": "2026-03-01T11:00:00+01:00",
    "group": "newsletter",
    "channel": "email",
    "id": "17",
}


def read(row: dict[str, object]) -> Event:
    [event] = GenericReader().read(row, Context("place", CLASSIFY))
    return event


def test_every_key() -> None:
    assert read(ROW) == Response(
        source="place",
        source_key="generic:17:a9f4fc6f6c4eb059d2105d59eb9d0174",
        recipient="Kari@example.org",
        category=Category.TRANSIENT,
        rule="generic.category",
        occurred_at=datetime(2026, 3, 1, 10, tzinfo=UTC),
        group="newsletter",
    )


def test_the_key_is_the_same_for_the_same_address_and_does_not_tell_it() -> None:
    verp = "bounce+kari=example.org@returns.example.net"
    keys = [read(ROW | {"email": each, "id": verp}).source_key for each in ("a@b.no", "A@B.no")]
    assert keys[0] == keys[1] != read(ROW | {"email": "c@b.no", "id": verp}).source_key
    assert not any(sign in keys[0] for sign in ("@", "kari", "b.no"))


@pytest.mark.parametrize("category", Category)
def test_every_category_however_it_is_written(category: Category) -> None:
    for written in (category, category.title().replace("-", " "), category.replace("-", "_")):
        assert read(ROW | {"category": written}).category is category


@pytest.mark.parametrize(
    ("said", "by_machine"),
    [
        ({"filteredEvent": True}, True),
        ({"is_bot": "1", "user_agent": "Mozilla/5.0 (Windows NT 10.0)"}, True),
        ({"bot": ""}, False),
        ({"user_agent": "python-requests/2.31"}, True),
        ({"User Agent": "Mozilla/5.0 (Windows NT 10.0) Chrome/120"}, False),
    ],
)
def test_who_opened(said: dict[str, object], by_machine: bool) -> None:
    event = read({"email": "kari@example.org", "event": "open"} | said)
    assert isinstance(event, Activity)
    assert event.by_machine is by_machine


@pytest.mark.parametrize("kind", ActivityKind)
def test_signs_of_life(kind: ActivityKind) -> None:
    event = read(ROW | {"category": kind})
    assert isinstance(event, Activity)
    assert event.kind is kind


@pytest.mark.parametrize(
    ("given", "category", "rule"),
    [
        ({"status": "5.1.1"}, Category.INVALID_ADDRESS, "status-5.1.1"),
        ({"status": "4.2.2"}, Category.TRANSIENT, "status-4.2.2"),
        ({"diagnostic": "wherefore art thou"}, Category.UNKNOWN, "generic.unknown"),
        ({"diagnostic": "421 4.7.0 zzz", "category": ""}, Category.BLOCKED, "status-4.7.0"),
        ({"status": "5.1.1", "category": "blocked"}, Category.BLOCKED, "generic.category"),
    ],
)
def test_without_a_category_text_and_status_decide(given, category, rule) -> None:
    event = read({"email": "kari@example.org"} | given)
    assert (event.category, event.rule, event.counts) == (category, rule, True)


def read_with(row: dict[str, object], **options: object) -> Event:
    [event] = GenericReader(GenericOptions(**options)).read(row, Context("place", CLASSIFY))
    return event


@pytest.mark.parametrize(
    "row",
    [
        {"email": "kari@example.org", "status": "5.1.1", "timestamp": 1772359200},
        {"Email Address": "kari@example.org", "status": "5.1.1", "created": "2026-03-01T10:00:00Z"},
        {"recipient": "kari@example.org", "status": "5.1.1", "created_at": 1772359200000},
        {"EMAIL": "kari@example.org", "Status": "5.1.1", "Date": "Sun, 01 Mar 2026 10:00:00 GMT"},
        {
            "address": "kari@example.org",
            "status": "550",
            "reason": "5.1.1 user unknown",
            "time": "2026-03-01 10:00:00",
        },
    ],
)
def test_the_other_names_of_a_field(row: dict[str, object]) -> None:
    event = read(row)
    assert (event.category, event.status) == (Category.INVALID_ADDRESS, "5.1.1")
    assert event.occurred_at == datetime(2026, 3, 1, 10, tzinfo=UTC)


def test_a_field_s_own_name_comes_first() -> None:
    event = read(ROW | {"timestamp": 1, "created_by": "me", "reason": "x", "address": "a@b.no"})
    assert event.recipient == ROW["email"]
    assert event.occurred_at == datetime(2026, 3, 1, 10, tzinfo=UTC)


@pytest.mark.parametrize(
    ("key", "meant"),
    [
        ("statsu", "status"),
        ("emial", "email"),
        ("occured_at", "occurred_at"),
        ("timestmap", "occurred_at"),
    ],
)
def test_a_mistyped_key_is_an_error_that_says_what_helps(key: str, meant: str) -> None:
    row: dict[str, object] = {"email": "kari@example.org", "diagnostic": "552 5.2.2 full"}
    row = {name: value for name, value in row.items() if name != meant} | {key: "a@b.no"}
    event = read(row)
    assert isinstance(event, Rejection)
    assert f"unknown key '{key}': did you mean '{meant}'?" in event.reason
    header = ",".join(row).encode()
    with pytest.raises(InputError, match=f"did you mean '{meant}'"):
        list(read_events([io.BytesIO(header + b"\nx,y\n")], default_classifier(), format="csv"))
    left_out = read_with(row | {"email": "kari@example.org"}, renames={key: ""})
    assert isinstance(left_out, Response)
    assert left_out.occurred_at is None


def test_what_is_far_from_any_name_is_ignored() -> None:
    row = {"email": "kari@example.org", "status": "5.1.1", "uid": 7, "campaign": "x", "ip": "y"}
    assert isinstance(read(row), Response)


def test_a_mapping_as_an_import_has_it() -> None:
    document = {
        "to": {"mail": "kari@example.org"},
        "said": ["552 5.2.2 full"],
        "On.Day": "1.3.2026",
    }
    event = read_with(
        document,
        renames={"to.mail": "email", "said[]": "diagnostic", "On.Day": "occurred_at"},
        date_format="%d.%m.%Y",
    )
    assert (event.category, event.recipient) == (Category.TRANSIENT, "kari@example.org")
    assert event.occurred_at == datetime(2026, 3, 1, tzinfo=UTC)
    assert isinstance(
        read_with({"email": "a@b.no", "time": "1.3."}, date_format="%d.%m.%Y"), Rejection
    )


def test_one_category_for_all() -> None:
    assert read_with({"email": "a@b.no", "category": "x"}, category="blocked").category == "blocked"
    assert isinstance(read_with({"email": "a@b.no"}, category="unsubscribed"), Unsubscribe)


@pytest.mark.parametrize(
    "options",
    [
        {"renames": {"a": "emial"}},
        {"renames": {"a": "email", "b": "email"}},
        {"renames": {"a..b": "email"}},
        {"category": "blokked"},
        {"date_format": "soon"},
        {"date_format": "%d.%m. %H:%M"},  # of which year?
    ],
)
def test_a_mistake_on_the_command_line(options: dict[str, object]) -> None:
    with pytest.raises(UsageError):
        GenericOptions(**options)


@pytest.mark.parametrize("status", ["2.0.0", "250", "2.0.0 (success)", "250 2.0.0 OK", "Delivered"])
def test_a_status_of_success_is_a_delivery(status: str) -> None:
    assert read({"email": "kari@example.org", "status": status}).kind is ActivityKind.DELIVERED


# what programs write into a column called status, event, type or category, and what follows
WORDS = [
    ({"status": "550 5.1.1 User unknown"}, "invalid-address"),
    ({"status": "5.2.2 (mailbox full)"}, "transient"),
    ({"status": "smtp;554 5.7.1 spam"}, "blocked"),
    ({"status": "550-5.1.1"}, "invalid-address"),
    ({"status": "#5.1.1"}, "invalid-address"),
    ({"status": "Mailbox full"}, "transient"),
    ({"status": "bounced"}, "'bounced' gives no reason"),
    ({"status": "bounced", "reason": "user unknown"}, "invalid-address"),
    ({"status": "Hard Bounce"}, "invalid-address"),
    ({"status": "hard_bounce", "reason": "mailbox full"}, "transient"),
    ({"type": "SoftBounce"}, "transient"),
    ({"event": "Bounce", "status": "5.1.1"}, "invalid-address"),
    ({"event": "bounce"}, "'bounce' gives no reason"),
    ({"reason": "Bounce"}, "'bounce' gives no reason"),
    ({"event": "bounce", "type": "newsletter"}, "'bounce' gives no reason"),
    ({"reason": "None given"}, "'None given' may be no bounce's reason"),
    ({"reason": "Too many emails"}, "'Too many emails' may be no bounce's reason"),
    ({"event": "bounced", "bounce_type": "soft"}, "transient"),
    ({"event": "email.hard_bounced"}, "invalid-address"),
    ({"reason": "vacation", "diagnosticcode": "I am away", "replycode": ""}, "nothing"),
    ({"action": "delayed", "reason": "timed out", "deliverystatus": "4.4.1"}, "delayed"),
    ({"status": "bounced", "At work": "2026-03-01 10:00"}, "is 'At work' its time?"),
    ({"event": "Unsubscribed contact"}, "unsubscribed"),
    ({"event": "users.messages.email.MarkedAsSpam"}, "spam-complaint"),
    ({"event": "contact.unsubscribed_from_list"}, "event 'contact.unsubscribed_from_list' is not"),
    ({"event": "emailUnknown"}, "needs a category"),
    ({"event": "sms.delivered"}, "needs a category"),
    ({"event": "bounced", "bounce_detail": "bad_mailbox"}, "invalid-address"),
    ({"event": "bounced", "reason": "bounce", "error": "550 5.1.1 no user"}, "invalid-address"),
    ({"event": "bounced", "reason": "", "response": "550 5.1.1 no user"}, "invalid-address"),
    ({"event": "delivered", "message": "Order 550 5.1.1 is ready"}, "delivered"),
    ({"event": "unsubscribe_all", "type": "open"}, "event 'unsubscribe_all' is not known"),
    ({"event": "complaint", "sentAt": "2026-03-01T10:00:00Z"}, "is 'sentAt' its time?"),
    ({"event": "complaint", "When": "Nov 27, 2025"}, "is 'When' its time?"),
    ({"event": "deferred", "reason": "450 4.7.1 greylisted"}, "delayed"),
    ({"event": "dropped", "reason": "Bounced Address"}, "echo"),
    ({"event": "drop", "reason": "blacklisted"}, "echo"),
    ({"event": "delivered", "status": "250"}, "delivered"),
    ({"event": "sent", "status": 200}, "nothing"),
    ({"event": "spam report"}, "spam-complaint"),
    ({"status": "Complained"}, "spam-complaint"),
    ({"category": "abuse-report"}, "spam-complaint"),
    ({"status": "Unsubscribed"}, "unsubscribed"),
    ({"event": "opt-out", "reason": "no longer wanted"}, "unsubscribed"),
    ({"event": "delivered", "reason": "250 2.0.0 OK id=1"}, "delivered"),
    ({"event": "delivered", "status": "550", "reason": "user unknown"}, "invalid-address"),
    ({"reason": "250 2.0.0 OK id=1"}, "delivered"),
    ({"type": "newsletter", "status": "5.1.1"}, "invalid-address"),
    ({"event_type": "queued"}, "nothing"),
    ({"event": "sent", "reason": "550 5.1.1 user unknown"}, "invalid-address"),
    ({"status": "processed", "reason": "452 4.2.2 mailbox full"}, "transient"),
    ({"event": "delivered", "reason": "550 5.1.1 user unknown"}, "invalid-address"),
    ({"event": "sent", "reason": "250 2.0.0 queued as 554 4A1B"}, "nothing"),
    ({"status": "frobnicated"}, "'frobnicated' gives no reason"),
]


@pytest.mark.parametrize(("said", "meant"), WORDS)
def test_the_words_of_senders(said: dict[str, object], meant: str) -> None:
    events = GenericReader().read({"email": "kari@example.org"} | said, Context("x", CLASSIFY))
    for event in events:
        if isinstance(event, Rejection):
            found = event.reason
        elif isinstance(event, Response):
            found = event.not_counted or event.category
        else:
            found = event.kind if isinstance(event, Activity) else "unsubscribed"
        assert found.startswith(meant)
    assert bool(events) is (meant != "nothing")


@pytest.mark.parametrize("channel", ["sms", "push", "in-app", "SMS"])
def test_other_channels_are_kept_and_do_not_count(channel: str) -> None:
    event = read(ROW | {"channel": channel})
    assert (event.channel, event.counts, event.not_counted) == (channel.lower(), False, "channel")


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"email": ""}, "no email"),
        ({"email": ["kari@example.org"]}, "a list is not an email address"),
        ({"email": "kari\x1b" + "i" * 99}, r"'kari\x1bi"),
        ({"category": "angry"}, "unknown category 'angry'; one of invalid-address"),
        ({"category": "Transent"}, "unknown category 'transent'; did you mean 'transient'?"),
        ({"category": ""}, "needs a category, a status or a diagnostic"),
        ({"channel": "emial"}, "unknown channel 'emial'; did you mean 'email'?"),
        ({"occurred_at": "yesterday"}, "occurred_at 'yesterday' is not ISO 8601"),
        ({"occurred_at": 99}, "occurred_at 99 is not ISO 8601"),
    ],
)
def test_a_value_that_does_not_fit_is_named(change: dict[str, object], reason: str) -> None:
    event = read(ROW | change)
    assert isinstance(event, Rejection)
    assert reason in event.reason


def test_without_an_id_the_content_is_the_key() -> None:
    row = {key: value for key, value in ROW.items() if key != "id"}
    keys = {read(row | {"email": address}).source_key for address in ("a@b.no", "A@b.no", "c@d.no")}
    assert len(keys) == 2
    assert read(row).source_key == read(dict(reversed(row.items()))).source_key
    assert read(row).source_key != read(row | {"occurred_at": 1772359201}).source_key


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(), inner, max_size=2),
)


@given(st.dictionaries(st.sampled_from([*ROW, "status", "diagnostic"]), ANYTHING))
def test_no_row_crashes_it(row: dict[str, object]) -> None:
    read(row)
    read({"email": "a@b.no"} | row)


@pytest.mark.parametrize(
    "row",
    [
        {"email": "kari@example.org", "List-Unsubscribe": "One-Click", "group": "news"},
        {"email": "kari@example.org", "body": "List-Unsubscribe=One-Click", "group": "news"},
        {
            "email": "kari@example.org",
            "body": '--b\r\nContent-Disposition: form-data; name="List-Unsubscribe"\r\n\r\n'
            "One-Click\r\n--b--",
            "group": "news",
        },
        {"email": "kari@example.org", "body": " list-unsubscribe=one-click\r\n", "group": "news"},
        {"email": "kari@example.org", "body": "List-Unsubscribe=One%2DClick", "group": "news"},
        {"email": "kari@example.org", "list_unsubscribe": "One-Click", "group": "news"},
        {"email": "kari@example.org", "form": {"List-Unsubscribe": "One-Click"}, "group": "news"},
        {"email": "kari@example.org", "category": "unsubscribe", "group": "news"},
        {"email": "kari@example.org", "category": "Opt out", "group": "news"},
    ],
)
def test_a_one_click_post_or_a_word_for_it_is_an_unsubscribe(row: dict[str, object]) -> None:
    event = read(dict(row))
    assert isinstance(event, Unsubscribe)
    assert (event.recipient, event.group, event.resubscribed) == ("kari@example.org", "news", False)


@pytest.mark.parametrize(
    "said",
    [
        {"event": "unsubscribed_from_topic", "status": "250"},
        {"event": "complaint_received", "reason": "550 5.1.1 no such user"},
        {"status": "opted_out_by_user"},
    ],
)
def test_a_new_word_for_a_wish_or_a_complaint_is_an_error(said: dict[str, object]) -> None:
    event = read({"email": "kari@example.org", **said})
    assert isinstance(event, Rejection)
    assert "is not known" in event.reason


def test_a_further_name_of_a_field_that_is_given_is_no_mistyped_other() -> None:
    event = read(
        {
            "EMAIL": "kari@example.org",
            "EVENT": "bounced",
            "BOUNCE_REASON": "user unknown",
            "RESPONSE": "550 5.1.1 user unknown",
            "event_date": "2026-03-01T10:00:00Z",
        }
    )
    assert (event.category, event.occurred_at.day) == ("invalid-address", 1)


def test_the_header_field_of_a_mail_is_no_wish() -> None:
    row = {"email": "kari@example.org", "status": "5.1.1", "List-Unsubscribe": "<mailto:x@e.org>"}
    event = read(dict(row))
    assert isinstance(event, Response)
    back = read({"email": "k@e.org", "category": "resubscribed"})
    assert isinstance(back, Unsubscribe)
    assert back.resubscribed
