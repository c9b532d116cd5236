"""Contacts that come in inactive, and those whose status an import leaves alone."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from contactctl.domain.criteria.fields import FieldCatalogue
from contactctl.domain.errors import InputError, UsageError
from contactctl.operations.importing.columns import exported_names
from contactctl.operations.importing.options import parse_rule
from contactctl.operations.importing.status import (
    answers_a_question,
    answers_about_mail,
    looks_like_consent,
    looks_like_opt_out,
)
from contactctl.store import tables
from contactctl.store.database.store import Store
from contactctl.store.runs import list_runs
from helpers.imports import contacts_in, import_text, make_groups
from helpers.sessions import NOW


def deactivations_in(store: Store) -> list[tuple[str, int, str, str, datetime]]:
    """Every open deactivation: address, group id, origin, category, start."""
    d = tables.deactivation
    statement = (
        select(tables.contact.c.email_key, d.c.group_id, d.c.origin, d.c.category, d.c.started_at)
        .join(d, d.c.contact_id == tables.contact.c.id)
        .where(d.c.ended_at.is_(None))
        .order_by(tables.contact.c.email_key, d.c.group_id, d.c.category)
    )
    with store.reading() as connection:
        return [tuple(row) for row in connection.execute(statement)]


def statuses(store: Store) -> dict[str, str]:
    return {key: contact["status"] for key, contact in contacts_in(store).items()}


def test_our_own_status_makes_a_new_contact_inactive(store: Store) -> None:
    imported = import_text(
        store, '{"email": "a@x.no", "status": "inactive"}\n{"email": "b@x.no"}\n'
    )
    assert statuses(store) == {"a@x.no": "inactive", "b@x.no": "active"}
    assert imported.result.counts.created_inactive == 1
    later = NOW + timedelta(days=1)
    assert deactivations_in(store) == [("a@x.no", 0, "import", "", later)]
    with store.reading() as connection:
        run = list_runs(connection, limit=1)[0]
    assert run.message == "created 2 (1 inactive), updated 0"


def test_what_a_full_export_says_comes_in_as_it_was(store: Store) -> None:
    imported = import_text(
        store,
        "email,group,created,status,deactivated,deactivation_origin,deactivation_category,"
        "group_active,group_inactive\n"
        "a@x.no,News;Offers;eu,2020-01-02T03:04:05Z,inactive,2024-02-03T04:05:06Z,"
        "bulk;threshold,spam-complaint,News,Offers\n"
        "b@x.no,eu,2020-01-02T03:04:05Z,active,,,,,eu\n"
        "c@x.no,,2020-01-02T03:04:05Z,inactive,2999-01-01T00:00:00Z,threshold,transient,,\n",
    )
    assert imported.counts == (3, 0, 0, 0)
    contacts = contacts_in(store)
    assert contacts["a@x.no"]["groups"] == {"News": "active", "Offers": "inactive", "eu": "follows"}
    assert contacts["b@x.no"]["groups"] == {"eu": "inactive"}
    assert contacts["a@x.no"]["created"] == datetime(2020, 1, 2, 3, 4, 5, tzinfo=UTC)
    assert statuses(store) == {"a@x.no": "inactive", "b@x.no": "active", "c@x.no": "inactive"}
    since, now = datetime(2024, 2, 3, 4, 5, 6, tzinfo=UTC), NOW + timedelta(days=1)
    found = [
        (key, origin, category, at) for key, _, origin, category, at in deactivations_in(store)
    ]
    assert found == [
        ("a@x.no", "import", "", since),
        ("a@x.no", "import", "spam-complaint", since),
        ("a@x.no", "import", "", now),  # in the group Offers
        ("b@x.no", "import", "", now),
        ("c@x.no", "import", "transient", now),  # nothing began in the future
    ]


def test_contacts_that_are_there_keep_their_status_and_overrides(store: Store) -> None:
    make_groups(store, "news", "eu")
    import_text(store, "email,group,status\nactive@x.no,news,\nother@x.no,,\ngone@x.no,,inactive\n")
    before = deactivations_in(store)
    imported = import_text(
        store,
        "email,status,first_name,group,group_active,group_inactive\n"
        "active@x.no,inactive,A,,,\n"
        "gone@x.no,active,G,eu,eu,\n"
        "other@x.no,active,O,,,news\n",
    )
    assert imported.counts == (0, 3, 0, 0)
    assert imported.result.counts.left_active == 1
    assert imported.result.counts.left_inactive == 1
    assert imported.result.counts.joined_inactive == 1
    assert imported.result.active_lines == (2,)
    assert statuses(store) == {
        "active@x.no": "active",
        "gone@x.no": "inactive",
        "other@x.no": "active",
    }
    assert deactivations_in(store) == before
    contacts = contacts_in(store)
    assert contacts["gone@x.no"]["groups"]["eu"] == "follows"  # no override that brings mail
    assert contacts["other@x.no"]["groups"] == {}  # not a member where it must not get mail


@pytest.mark.parametrize("batch_rows", [1, 10])
def test_one_of_several_rows_that_says_inactive_is_enough(store: Store, batch_rows: int) -> None:
    rule = parse_rule("Status!=subscribed", "spam-complaint")
    content = "email,Status\na@x.no,subscribed\nA@x.no,cleaned\na@x.no,subscribed\n"
    import_text(store, content, inactive=(rule,), batch_rows=batch_rows)
    assert statuses(store) == {"a@x.no": "inactive"}
    assert [row[3] for row in deactivations_in(store)] == ["spam-complaint"]


def test_a_dry_run_counts_the_same_and_leaves_nothing(store: Store) -> None:
    content = "email,status\na@x.no,inactive\nb@x.no,active\n"
    rehearsed = import_text(store, content, dry_run=True)
    assert contacts_in(store) == {}
    assert deactivations_in(store) == []
    done = import_text(store, content)
    assert rehearsed.result.counts == done.result.counts
    assert done.result.counts.created_inactive == 1


@pytest.mark.parametrize(
    ("rule", "inactive"),
    [
        ("Status=unsubscribed,Cleaned", {"u", "c"}),
        ("Status!=subscribed", {"u", "c", "none"}),
        ("Status", {"s", "u", "c"}),
        ('Status=""', {"none"}),
        ('Status="",Cleaned', {"c", "none"}),
        ('Status="a, b",unsubscribed', {"u"}),
    ],
)
def test_values_that_mean_inactive(store: Store, rule: str, inactive: set[str]) -> None:
    content = "email,Status\ns@x.no,subscribed\nu@x.no, UNSUBSCRIBED \nc@x.no,cleaned\nnone@x.no,\n"
    import_text(store, content, inactive=(parse_rule(rule),))
    found = {key for key, status in statuses(store).items() if status == "inactive"}
    assert found == {f"{name}@x.no" for name in inactive}


def test_everybody_new_can_come_in_inactive(store: Store) -> None:
    import_text(
        store,
        "email,Status\na@x.no,whatever\n",
        all_inactive=True,
        inactive_reason="invalid-address",
    )
    assert [row[2:4] for row in deactivations_in(store)] == [("import", "invalid-address")]


def test_values_that_nobody_named_are_told(store: Store) -> None:
    content = "email,Status\na@x.no,pending\nb@x.no,cleaned\nc@x.no,\nd@x.no,pending\n"
    rules = (parse_rule("Status=cleaned"), parse_rule("Status=blocked"))
    notes = import_text(store, content, inactive=rules).result.notes
    assert "taken as active by 'Status': 'pending' (2), no value (1)" in notes
    assert "--inactive-when 'Status=blocked' fits no row" in notes


def test_a_column_with_a_rule_still_gives_its_field(store: Store) -> None:
    rule = parse_rule("source=bought")
    import_text(store, "email,source\na@x.no,bought\n", inactive=(rule,))
    assert contacts_in(store)["a@x.no"]["source"] == "bought"
    assert statuses(store) == {"a@x.no": "inactive"}


def test_names_that_look_like_consent() -> None:
    for name in [
        *(
            "Status",
            "STATUS",
            "Unsubscribed",
            "unsubscribed_at",
            "blacklisted",
            "EMAIL_BLACKLISTED",
        ),
        *(
            "opt-out",
            "OptedOut",
            "opted_out_of_email",
            "HasOptedOutOfEmail",
            "DNC",
            "do not contact",
        ),
        *("doNotEmail", "Consent", "GDPR consent", "Email Marketing Consent", "accepts_marketing"),
        *("Accepts Email Marketing", "Email hard bounce reason", "bouncecount", "CLEAN_TIME"),
        *(
            "Email Opt In",
            "opt_in_time",
            "is_subscribed",
            "subscription status",
            "marketing status",
        ),
        *(
            "Abgemeldet am",
            "Einwilligung",
            "Werbesperre",
            "désinscrit",
            "Désabonné",
            "consentement",
        ),
        *("Baja", "dado de baja", "descadastrado", "disiscritto", "consenso", "uitgeschreven"),
        *("Avmeldt", "samtykke", "Frameldt", "avregistrerad", "Statut", "Estado", "stato"),
        *(
            "отписан",
            "согласие",
            "退订时间",
            "配信停止",
            "Zgoda marketingowa",
            "souhlas",
            "leiratkozott",
        ),
        *("Marketing contact status", "Suppressed", "spam report", "complaint_date", "newsletter"),
        *("Stop Time", "Removed on", "deleted_at", "Cancelled At", "suspended_at", "On Hold"),
        *("Do not allow Bulk Emails", "donotbulkemail", "Uitschrijfdatum", "Date Cancelled"),
        *("IsBounceback", "activated"),
    ]:
        assert looks_like_consent(name), name


def test_names_that_do_not() -> None:
    for name in [
        *(
            "first_name",
            "City",
            "State",
            "Country",
            "Order status",
            "Marital status",
            "Lead Status",
        ),
        *("avg order value", "Average order", "Date Subscribed", "Company", "Lifecycle Stage"),
        *("Customer ID", "Orders", "Notes", "Title", "Website", "Language", "Birthday", "Option"),
        *("optimum", "MEMBER_RATING", "Score", "tags", "consultant", "Stadt", "constant", "Zip"),
        *("Allowance", "Cancelation policy", "Deleted items", "Left handed", "Stopover", "Holder"),
    ]:
        assert not looks_like_consent(name), name


@pytest.mark.parametrize(
    ("name", "cells"),
    [
        *(("Kan mailes", "ja nei"), ("Tilmeldt", "ja nej"), ("Mag gemaild worden", "ja nee")),
        *(("is_active", "1 0"), ("email_valid", "t f"), ("Mailable", "Y N"), ("Mail OK", "Y N")),
        *(("購読", "1 0"), ("メール配信", "可 不可"), ("수신거부", "Y N"), ("ביטול", "1")),
        *(
            ("Mailing", "allowed denied"),
            ("ZeroBounce", "valid invalid"),
            ("Nieuwsbrief", "ja"),
            ("Email Suspended", "0"),
        ),
    ],
)
def test_columns_about_mail_that_answer_yes_or_no(name: str, cells: str) -> None:
    assert (
        answers_about_mail(name, set(cells.split()))
        or looks_like_consent(name)
        or (answers_a_question(set(cells.split())))
    )


@pytest.mark.parametrize(
    ("cells", "is_answer"),
    [
        *(("x |", True), ("1 0", True), ("TRUE FALSE", True), ("да нет", True), ("YES NO |", True)),
        *(("NO SE", False), ("NO |", False), ("da ne no", False), ("1 0 2", False), ("M F", False)),
        *(("1", False), ("|", False), ("2019-01-01 |", False), ("×", False)),
    ],
)
def test_what_answers_a_question(cells: str, *, is_answer: bool) -> None:
    assert answers_a_question(set(cells.replace("|", "").split(" "))) is is_answer


def test_a_form_answered_in_sentences_stops_the_import(store: Store) -> None:
    asked = 'email,Anything else?\na@x.no,"Yes, please"\nb@x.no,No thanks\nc@x.no,\n'
    with pytest.raises(InputError, match=r"'Anything else[?]' may say who gets mail"):
        import_text(store, asked)
    told = 'email,Anything else?\na@x.no,"Yes, please"\nb@x.no,Call me\n'
    assert import_text(store, told).rejects == []


def test_the_hint_names_the_column_that_says_most(store: Store) -> None:
    """A date of confirmation says less than a state."""
    with pytest.raises(InputError) as caught:
        import_text(
            store,
            "email,Confirmed At,Global Status\n"
            "a@x.no,2024-03-14,subscribed\nb@x.no,2024-03-14,unsubscribed\n",
        )
    assert "--inactive-when 'Global Status=VALUE,VALUE'" in caught.value.hint


def test_a_column_of_answers_stops_the_import_until_it_is_left_out(store: Store) -> None:
    content = "email,Odepsán\na@x.no,1\nb@x.no,\n"
    with pytest.raises(InputError, match="'Odepsán' may say who gets mail") as caught:
        import_text(store, content)
    assert "--ignore 'Odepsán'" in caught.value.hint
    import_text(store, content, ignored=frozenset({"odepsán"}))
    import_text(store, content, ignore_unknown=True)
    with pytest.raises(InputError, match="'Email OK' looks like consent"):
        import_text(store, "email,Email OK\na@x.no,1\n", ignore_unknown=True)


def test_values_that_say_so_whatever_the_column_is_called() -> None:
    assert looks_like_opt_out(" Hard-Bounced ")
    assert looks_like_opt_out("Désabonné")
    assert not looks_like_opt_out("active")
    assert looks_like_opt_out("Unqualified - opted out")
    assert not looks_like_opt_out("Bounce Street 1")
    assert not looks_like_opt_out("asked why he was not subscribed to our list")


@pytest.mark.parametrize(
    "content",
    [
        "email,Status\na@x.no,unsubscribed\n",
        "email,status\na@x.no,blocklisted\n",
        "email,blacklisted\na@x.no,0\n",
        "email,Kind\na@x.no,member\nb@x.no,Unsubscribed\n",
        "email,state\na@x.no,active\nb@x.no,cancelled\n",
        "email,Bulk\na@x.no,Allow\nb@x.no,Do Not Allow\n",
        "email,Reason\na@x.no,unsubscribe\n",
        "email,Mailing hold\na@x.no,No\nb@x.no,On Hold Bounce\n",
        '{"email": "a@x.no", "subscribed": false}\n',
        '{"email": "a@x.no", "kind": "bounced"}\n',
        '{"email": "a@x.no"}\n{"email": "b@x.no", "status": "unsubscribed"}\n',
    ],
)
def test_what_looks_like_consent_stops_the_import(store: Store, content: str) -> None:
    with pytest.raises(InputError, match="like consent or status"):
        import_text(store, content, ignore_unknown=True)
    assert contacts_in(store) == {}
    with store.reading() as connection:
        assert list_runs(connection, limit=1) == []


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        (['{"email": "b@x.no", "unsubscribed": true}'], "'unsubscribed' looks like consent"),
        (['{"email": "b@x.no", "status": "cleaned"}'], "'cleaned' is neither active nor inactive"),
    ],
)
def test_what_only_later_rows_have_is_rejected(store: Store, lines: list[str], words: str) -> None:
    content = "\n".join(['{"email": "a@x.no"}', *lines, '{"email": "c@x.no"}'])
    imported = import_text(store, content, batch_rows=1)
    assert [words in reject.reason for reject in imported.rejects] == [True]
    assert statuses(store) == {"a@x.no": "active", "c@x.no": "active"}


def test_a_rule_on_a_key_that_no_object_has_is_a_mistake(store: Store) -> None:
    with pytest.raises(UsageError, match="no object has the key 'Stauts'") as caught:
        import_text(
            store,
            '{"email": "a@x.no", "state": "gone"}\n',
            inactive=(parse_rule("Stauts=gone"),),
        )
    assert "state" in caught.value.hint
    import_text(store, '{"email": "a@x.no", "in": 0}\n', inactive=(parse_rule("in=0"),))
    assert statuses(store) == {"a@x.no": "inactive"}


def test_nobody_is_created_by_an_update_only(store: Store) -> None:
    import_text(store, "email\na@x.no\n")
    imported = import_text(
        store, "email,first_name\nA@x.no,Ann\nb@x.no,Bo\n\nb@x.no,B\n", update_only=True
    )
    assert imported.counts == (0, 1, 0, 2)
    assert {(reject.line, reject.reason) for reject in imported.rejects} == {
        (3, "no contact has this address (--update-only)"),
        (5, "no contact has this address (--update-only)"),
    }
    assert contacts_in(store)["a@x.no"]["first_name"] == "Ann"


def test_created_is_set_once(store: Store) -> None:
    import_text(store, "email,created\na@x.no,2020-01-02\n")
    import_text(store, "email,created\na@x.no,2021-01-02\n")
    assert contacts_in(store)["a@x.no"]["created"] == datetime(2020, 1, 2, tzinfo=UTC)


def test_a_plain_export_has_nothing_of_the_status() -> None:
    names = exported_names(FieldCatalogue(), full=False)
    assert not {"status", "created", "group_active", "deactivated"} & set(names)
    assert {*names, "status", "created", "group_active"} < {
        *exported_names(FieldCatalogue(), full=True)
    }
