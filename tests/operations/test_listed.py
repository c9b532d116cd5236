"""A list of addresses selects exactly the contacts that have them, and creates nobody."""

import gzip
import io
from pathlib import Path

import pytest

from contactctl.domain.errors import InputError
from contactctl.operations.address_lists import EmailsFile
from contactctl.operations.criteria import CriteriaSource, Selection, preview, select_contacts
from contactctl.operations.plans import plan_deactivation, select_any
from contactctl.output.rejects import EmailsRejects
from contactctl.store.database.store import Store
from helpers.contacts import seed_contacts
from helpers.dumps import dump
from helpers.sessions import make_session

ANN, BO = "chloe.ekstrom.198@mail4.example.com", "nobody@example.org"


def select(store: Store, content: bytes, *where: str) -> tuple[Selection, EmailsRejects]:
    """What the list in standard input selects, and what it has that selects nobody."""
    rejects = EmailsRejects(None)
    emails = EmailsFile("-", None, io.BytesIO(content), rejects)
    source = CriteriaSource(where=where, emails=emails)
    return select_contacts(make_session(store), source), rejects


def emails_of(store: Store, selection: Selection) -> list[str]:
    return [row["email"] for row in preview(make_session(store), selection).rows]


def test_lists_as_programs_write_them_select_the_one_contact(store: Store) -> None:
    seed_contacts(store, 200)
    before = dump(store)
    for content in [
        ANN.encode(),
        f"\ufeff{ANN}\r\n".encode(),
        f"  {ANN.upper()}\t\n\n\n".encode(),
        f"{ANN}\n{ANN}\n".encode(),
        f"E-Mail\n{ANN}\n".encode(),
        f'name;"Email Address";city\n"Lee; Ann";{ANN};Bern\n'.encode(),
        f"sep=;\nname;email\nAnn;{ANN}\n".encode(),
        f"E-Mail-Adresse;Grund\n{ANN};Beschwerde\n".encode(),
        f"Motif,Adresse courriel\nplainte,{ANN}\n".encode(),
        f"{ANN},\n".encode(),
        f"{ANN},Ann,Lee\n".encode(),
        f'"{ANN}"\n'.encode(),
        gzip.compress(f"{ANN}\n".encode(), mtime=0),
        f"\u200b{ANN}\u00a0\n".encode(),
    ]:
        selection, rejects = select(store, content)

        assert emails_of(store, selection) == [ANN], content
        assert rejects.number == 0, content
        assert dump(store) == before, content


def test_who_is_unknown_or_unreadable_is_said_with_the_line(store: Store) -> None:
    seed_contacts(store, 200)
    content = f"{BO}\n{ANN}\nAnn {ANN}\nann@\nNOBODY@example.org\n".encode()

    selection, rejects = select(store, content)

    assert emails_of(store, selection) == [ANN]
    assert (rejects.number, rejects.first[-1]) == (3, f"line 1: no contact has this address: {BO}")
    kept = selection.kept().emails
    assert kept is not None
    assert (kept.addresses, kept.unknown, kept.unreadable) == (2, 1, 2)
    assert selection.lines == [
        "email is one of the 2 in standard input (1 of them unknown, 2 lines unreadable)"
    ]


def test_a_list_narrows_criteria_and_who_is_left_out(store: Store) -> None:
    seed_contacts(store, 200)
    with store.reading() as connection:
        everybody = preview(make_session(store), select(store, ANN.encode(), "id <= 200")[0])
    assert connection.closed
    assert everybody.count == 1

    narrowed, _ = select(store, ANN.encode(), "last_opportunity older-than 24 months")

    shown = preview(make_session(store), narrowed)
    assert sum(shown.left_out.values()) <= 1
    assert shown.count + sum(shown.left_out.values()) <= 1
    assert narrowed.lines[0].startswith("last_opportunity older-than 24 months")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty"),
        (b"email\n", "has no address"),
        (b"name,city\nAnn,Bern\n", "no column is known to contain addresses"),
        (b"mail 1,mail 2\na@x.no,b@x.no\n", "no column is known to contain addresses"),
        (b"# people\na@x.no\n", "begins with a comment"),
        (b'{"Suppressions": [{"EmailAddress": "ann@example.com"}]}', "is JSON, not a list"),
        (b"ann@example.com, bo@example.com\n", "several addresses in one line"),
        (b"b\xf6@example.com\n", "not valid utf-8"),
        ("ann@example.com\n".encode("utf-16"), "is UTF-16 text"),
    ],
)
def test_a_list_that_cannot_be_used_says_what_to_do(
    store: Store, content: bytes, message: str
) -> None:
    with pytest.raises(InputError, match=message) as caught:
        select(store, content)
    assert caught.value.hint
    assert "--" not in caught.value.hint


def test_a_plan_by_a_list_holds_exactly_its_active_contacts(store: Store) -> None:
    seed_contacts(store, 200)
    selection, _ = select(store, f"{ANN}\n{BO}\n".encode())

    run = plan_deactivation(make_session(store), selection, reason="asked by mail")

    assert run is not None
    assert run.planned == 1
    kept = run.details.selected
    assert kept is not None
    assert kept.emails is not None
    assert kept.emails.unknown == 1


def test_more_addresses_than_an_in_list_may_have(store: Store) -> None:
    seed_contacts(store, 200)
    content = "\n".join([*(f"n{number}@example.org" for number in range(70_000)), ANN]).encode()
    source = CriteriaSource(emails=EmailsFile("-", None, io.BytesIO(content), EmailsRejects(None)))

    selection = select_any(make_session(store), source)

    assert emails_of(store, selection) == [ANN]


def test_a_file_for_the_rejects_is_complete_when_the_list_was_read(
    store: Store, tmp_path: Path
) -> None:
    rejects = EmailsRejects(tmp_path / "rejects.csv")
    emails = EmailsFile("-", None, io.BytesIO(b"=zed@example.com\n"), rejects)
    select_contacts(make_session(store), CriteriaSource(emails=emails))
    written = (tmp_path / "rejects.csv").read_text().splitlines()
    assert written[0] == "line,reason,address"
    assert written[1].startswith("1,no contact has this address")
