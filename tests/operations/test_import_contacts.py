"""Importing contacts into a store: what is added, updated, left alone and rejected."""

from datetime import UTC, date, datetime, timedelta
from io import BytesIO
from pathlib import Path

import pytest
from sqlalchemy import func, select, update

from contactctl.domain.errors import RefusedError
from contactctl.domain.runs import RunState
from contactctl.operations.importing.load import ImportInput, import_contacts
from contactctl.operations.importing.options import ImportOptions, Reject
from contactctl.operations.runs import cancel_run
from contactctl.operations.suppressions import add_suppression
from contactctl.store import tables
from contactctl.store.database.store import Store
from contactctl.store.runs import list_runs
from helpers.imports import KeptRejects, contacts_in, import_text, make_groups
from helpers.sessions import NOW, make_session


def test_a_row_becomes_a_contact(store: Store) -> None:
    make_groups(store, "Newsletter")
    imported = import_text(
        store,
        "email,first_name,last_name,last_opportunity,last_opened,attributes.plan,"
        "attributes.orders,attributes.vip,attributes.renewal,attributes.tier,tag,group\n"
        "Änne@Bücher.Example,Änne,O'Neil,2024-05-31,2024-06-01T08:00:00+02:00,Free,3.5,yes,"
        "2026-01-01,GOLD,eu;VIP,newsletter\n",
    )
    assert imported.counts == (1, 0, 0, 0)
    contact = contacts_in(store)["änne@xn--bcher-kva.example"]
    assert contact["email"] == "Änne@Bücher.Example"
    assert contact["email_domain"] == "xn--bcher-kva.example"
    assert (contact["first_name"], contact["first_name_folded"]) == ("Änne", "änne")
    assert contact["last_opportunity"] == date(2024, 5, 31)
    assert contact["last_opened"] == datetime(2024, 6, 1, 6, tzinfo=UTC)
    assert contact["status"] == "active"
    assert contact["attributes"] == {
        "plan": "Free",
        "orders": 3.5,
        "vip": True,
        "renewal": "2026-01-01",
        "tier": "Gold",
    }
    assert contact["attributes_folded"] == {"plan": "free", "tier": "gold"}
    assert contact["tags"] == {"eu", "VIP"}
    assert contact["groups"] == {"Newsletter": "follows"}
    assert contact["created"] == contact["updated"] == NOW + timedelta(days=1)


def test_an_address_is_the_same_contact_whatever_its_case_and_form(store: Store) -> None:
    import_text(store, "email,first_name\na@bücher.example,Anna\n")
    again = import_text(store, "email,first_name\n A@XN--BCHER-KVA.Example ,Anne\n")
    assert again.counts == (0, 1, 0, 0)
    contact = contacts_in(store)["a@xn--bcher-kva.example"]
    assert (contact["first_name"], contact["email"]) == ("Anne", "a@bücher.example")


def test_only_contacts_that_change_get_a_new_revision(store: Store) -> None:
    make_groups(store, "eu", "us")
    content = "email,first_name,attributes.plan,tag,group\na@x.no,A,free,t1,eu\nb@x.no,B,paid,,\n"
    import_text(store, content)
    later = make_session(store, now=NOW + timedelta(days=9))
    assert import_text(later, content).counts == (0, 0, 2, 0)
    changed = content.replace("B,paid,,", "B,paid,,us")
    assert import_text(later, changed).counts == (0, 1, 1, 0)
    contacts = contacts_in(store)
    assert [contacts[key]["revision"] for key in ("a@x.no", "b@x.no")] == [0, 1]
    assert contacts["a@x.no"]["updated"] == NOW + timedelta(days=1)
    assert contacts["b@x.no"]["updated"] == NOW + timedelta(days=9)


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("tag", "new"),
        ("group", "us"),
        ("attributes.plan", "paid"),
        ("last_opportunity", "2020-01-01"),
    ],
)
def test_every_kind_of_change_counts_as_updated(store: Store, column: str, value: str) -> None:
    make_groups(store, "us")
    import_text(store, "email\na@x.no\n")
    content = f"email,{column}\na@x.no,{value}\n"
    assert import_text(store, content).counts == (0, 1, 0, 0)
    assert import_text(store, content).counts == (0, 0, 1, 0)
    assert contacts_in(store)["a@x.no"]["revision"] == 1


def test_an_empty_cell_keeps_what_is_stored(store: Store) -> None:
    import_text(store, "email,first_name,company,attributes.plan\na@x.no,Anna,Acme,free\n")
    again = import_text(store, "email,first_name,company,attributes.plan\na@x.no,,ACME,\n")
    assert again.counts == (0, 1, 0, 0)
    contact = contacts_in(store)["a@x.no"]
    assert (contact["first_name"], contact["company"]) == ("Anna", "ACME")
    assert contact["attributes"] == {"plan": "free"}


def test_empty_clears_makes_empty_cells_missing(store: Store) -> None:
    header = "email,first_name,last_opened,attributes.plan,attributes.orders,tag"
    import_text(store, f"{header}\na@x.no,Anna,2024-01-01,free,3,t1\n")
    again = import_text(store, f"{header}\na@x.no,,,,4,\n", empty_clears=True)
    assert again.counts == (0, 1, 0, 0)
    contact = contacts_in(store)["a@x.no"]
    assert contact["first_name"] is contact["first_name_folded"] is contact["last_opened"] is None
    assert (contact["attributes"], contact["attributes_folded"]) == ({"orders": 4}, {})
    assert contact["tags"] == {"t1"}
    again = import_text(store, f"{header}\na@x.no,,,,4,\n", empty_clears=True)
    assert again.counts == (0, 0, 1, 0)


def test_empty_clears_leaves_keys_that_json_does_not_give(store: Store) -> None:
    import_text(store, '{"email": "a@x.no", "first_name": "A", "company": "C", "phone": "1"}')
    import_text(store, '{"email": "a@x.no", "first_name": null, "phone": ""}', empty_clears=True)
    contact = contacts_in(store)["a@x.no"]
    assert (contact["first_name"], contact["company"], contact["phone"]) == (None, "C", None)


def test_attributes_are_merged(store: Store) -> None:
    import_text(store, "email,attributes.plan,attributes.vip\na@x.no,Free,no\n")
    import_text(store, "email,attributes.orders,attributes.vip\na@x.no,7,yes\n")
    contact = contacts_in(store)["a@x.no"]
    assert contact["attributes"] == {"plan": "Free", "orders": 7, "vip": True}
    assert contact["attributes_folded"] == {"plan": "free"}


def test_status_overrides_and_deactivations_stay(store: Store) -> None:
    make_groups(store, "eu")
    import_text(store, "email,group\na@x.no,eu\n")
    with store.writing() as connection:
        connection.execute(update(tables.contact).values(status="inactive"))
        connection.execute(update(tables.membership).values(state="inactive"))
    assert import_text(store, "email,first_name,group\na@x.no,A,eu\n").counts == (0, 1, 0, 0)
    contact = contacts_in(store)["a@x.no"]
    assert (contact["status"], contact["groups"]) == ("inactive", {"eu": "inactive"})


@pytest.mark.parametrize("batch_rows", [1, 2, 3, 100])
def test_of_rows_with_one_address_the_later_wins_each_counted(
    store: Store, batch_rows: int
) -> None:
    content = (
        "email,first_name,company,tag\n"
        "a@x.no,A1,C1,t1\n"
        "b@x.no,B,,\n"
        "A@x.no,A2,,t2\n"
        "a@X.no,A2,,t2\n"
        "a@x.no,A1,C1,\n"
    )
    assert import_text(store, content, batch_rows=batch_rows).counts == (2, 2, 1, 0)
    contact = contacts_in(store)["a@x.no"]
    assert (contact["first_name"], contact["company"]) == ("A1", "C1")
    assert contact["tags"] == {"t1", "t2"}


@pytest.mark.parametrize("batch_rows", [1, 2, 100])
def test_a_dry_run_counts_the_same_and_writes_nothing(store: Store, batch_rows: int) -> None:
    import_text(store, "email,first_name\na@x.no,A\nb@x.no,B\n")
    before = contacts_in(store)
    content = (
        "email,first_name,group\na@x.no,A2,eu\nb@x.no,B,\nc@x.no,C,eu\nc@x.no,D,us\nnobody,X,\n"
    )
    options = {"batch_rows": batch_rows, "create_groups": True}
    rehearsed = import_text(store, content, dry_run=True, **options)
    assert contacts_in(store) == before
    with store.reading() as connection:
        assert len(list_runs(connection, limit=10)) == 1
        assert connection.execute(select(func.count()).select_from(tables.group)).scalar() == 0
    assert rehearsed.result.run is None
    real = import_text(store, content, **options)
    assert rehearsed.counts == real.counts == (1, 2, 1, 1)
    assert rehearsed.result.groups_created == real.result.groups_created == ("eu", "us")


def test_rejected_rows_are_told_with_line_reason_and_cells(store: Store) -> None:
    imported = import_text(
        store,
        "email,attributes.orders,attributes.tier,last_opportunity,group\n"
        "good@x.no,1,gold,2024-01-31,\n"
        "not an address,1,,,\n"
        ",1,,,\n"
        "a@x.no,many,,,\n"
        'b@x.no,1,"bro\nnze",,\n'
        "c@x.no,1,,31/01/2024,\n"
        "d@x.no,1,,,eu\n"
        "e@x.no,1\n"
        "f@x.no,1,,,\x00\n"
        "\n"
        "last@x.no,2,,,\n",
        create_groups=False,
    )
    assert imported.counts == (2, 0, 0, 8)
    reasons = {reject.line: reject.reason for reject in imported.rejects}
    assert list(reasons) == [3, 4, 5, 6, 8, 9, 10, 11]
    for line, words in {
        3: "email: an address cannot contain U+0020 SPACE (character 4)",
        4: "no email",
        5: "attributes.orders: 'many' is not a number",
        6: "attributes.tier: 'bro\\x0anze' is not one of Gold, Silver",
        8: "last_opportunity: '31/01/2024' is not a date",
        9: "no group 'eu'",
        10: "2 cells where the header has 5",
        11: "NUL",
    }.items():
        assert words in reasons[line]
    assert imported.rejects[2].cells == ("a@x.no", "many", "", "", "")


def test_unknown_groups_are_created_unless_they_must_not(store: Store) -> None:
    content = "email,group\na@x.no,Norway|eu\nb@x.no,NORWAY\n"
    assert import_text(store, content, create_groups=False).counts == (0, 0, 0, 2)
    imported = import_text(store, content)
    assert imported.counts == (2, 0, 0, 0)
    assert imported.result.groups_created == ("Norway", "eu")
    assert contacts_in(store)["b@x.no"]["groups"] == {"Norway": "follows"}


def test_suppressed_addresses_are_rejected(store: Store, tmp_path: Path) -> None:
    session = make_session(store, suppression_key_file=tmp_path / "key")
    for gone in ("gone@x.no", "lost@x.no"):
        add_suppression(session, gone)
    imported = import_text(
        session, "email,tag,group\na@x.no,t,g\nGone@X.no,t,h\nno address\nlost@x.no,t,h\n"
    )
    assert imported.counts == (1, 0, 0, 3)
    assert [(each.line, "suppressed" in each.reason) for each in imported.rejects] == [
        (3, True),
        (4, False),
        (5, True),
    ]
    assert imported.rejects[0].cells == ("Gone@X.no", "t", "h")
    assert imported.result.groups_created == ("g",)
    assert set(contacts_in(store)) == {"a@x.no"}


HOSTILE = [
    "\x1b[31mred\x07",
    "[bold]x[/bold]",
    "mail \u202egro.live",
    "=1+1",
    "Robert'); DROP TABLE contact;--",
    'quote " backslash \\ percent % underscore _',
    "\\N",
    "tab\tnewline\nreturn\rend",
    "{null}",
    "💥",
]


def test_hostile_text_is_stored_as_it_is(store: Store) -> None:
    import csv
    from io import StringIO

    content = StringIO()
    writer = csv.writer(content)
    writer.writerow(["email", "first_name", "attributes.plan", "tag"])
    for number, value in enumerate(HOSTILE):
        tag = value.translate(dict.fromkeys(map(ord, ';|,"')))
        writer.writerow([f"c{number}@x.no", value, value, tag])
    assert import_text(store, content.getvalue()).counts == (len(HOSTILE), 0, 0, 0)
    contacts = contacts_in(store)
    for number, value in enumerate(HOSTILE):
        contact = contacts[f"c{number}@x.no"]
        assert contact["first_name"] == value
        assert contact["attributes"]["plan"] == value


def test_a_cancelled_import_stops(store: Store) -> None:
    session = make_session(store)

    class Cancel(KeptRejects):
        def add(self, reject: Reject) -> None:
            with store.reading() as connection:
                cancel_run(session, list_runs(connection, limit=1)[0].id)

    given = ImportInput(None, BytesIO(b"email\na@x.no\nbad\nc@x.no\n"), ImportOptions(batch_rows=2))
    with pytest.raises(RefusedError, match="is now cancelled"):
        import_contacts(session, given, Cancel())
    with store.reading() as connection:
        run = list_runs(connection, limit=1)[0]
    assert (run.state, run.planned, run.changed) == (RunState.CANCELLED, 2, 1)
    assert set(contacts_in(store)) == {"a@x.no"}
