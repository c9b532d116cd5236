"""What files an import can read, and how: encodings, delimiters, columns, JSON lines."""

from collections.abc import Iterator
from datetime import date
from io import BytesIO
from pathlib import Path

import pytest

from contactctl.domain.errors import InputError, UsageError
from contactctl.operations.importing.columns import UNKNOWN_NAME
from contactctl.operations.importing.load import ImportInput, import_contacts
from contactctl.operations.importing.options import ImportOptions
from contactctl.store.database.store import Store, open_store
from contactctl.store.runs import list_runs
from helpers.imports import KeptRejects, contacts_in, import_text, make_groups
from helpers.sessions import make_session


@pytest.fixture
def sqlite_store(sqlite_url: str) -> Iterator[Store]:
    """For what happens before any database is asked."""
    opened = open_store(sqlite_url)
    yield opened
    opened.close()


def test_a_broken_quote_rejects_its_lines_and_no_others(store: Store) -> None:
    imported = import_text(
        store, 'email,first_name\na@x.no,"A\nb@x.no,"B"\nc@x.no,C\nd@x.no,"open\ne@x.no,E\n'
    )
    assert set(contacts_in(store)) == {"c@x.no"}
    assert [reject.line for reject in imported.rejects] == [2, 5]
    assert "lines 2 to 3" in imported.rejects[0].reason


def test_json_lines(store: Store) -> None:
    make_groups(store, "eu", "us")
    imported = import_text(
        store,
        '{"email": "a@x.no", "attributes": {"plan": "free", "orders": 3}, "tag": ["x", "y"],'
        ' "group": ["eu", "us"]}\n'
        "\n"
        '{"Email": "b@x.no", "phone": 4722000000, "attributes.vip": true, "tag": "x;y",'
        ' "attributes.orders": 1e3}\n'
        "[1]\n"
        '{"email": "c@x.no", "attributes": {"orders": "3"}}\n'
        '{"email": "d@x.no", "phone": 47.5}\n'
        '{"email": "e@x.no", "emial": "x"}\n'
        '{"email": "f@x.no", "email": "g@x.no"}\n'
        '{"email": "h@x.no", "attributes.orders": NaN}\n'
        '{"email": "i@x.no", "first_name": "\\ud800"}\n'
        '{"email": "j@x.no", "first_name": "a\\u0000b"}\n'
        '{"email": "k@x.no", "tag": ["a;b"]}\n'
        "not json\n" + "[" * 100_000 + "\n",
    )
    assert imported.counts == (2, 0, 0, 11)
    assert [reject.line for reject in imported.rejects] == list(range(4, 15))
    reasons = [reject.reason for reject in imported.rejects]
    assert reasons[1] == "attributes.orders: '3' where a number belongs"
    assert reasons[2] == "phone: 47.5 where a text belongs"
    assert imported.rejects.names == ["record"]
    assert imported.rejects[0].cells == ("[1]",)
    assert imported.rejects[2].cells == ('{"email": "d@x.no", "phone": 47.5}',)
    contacts = contacts_in(store)
    assert contacts["a@x.no"]["attributes"] == {"plan": "free", "orders": 3}
    assert contacts["a@x.no"]["tags"] == {"x", "y"}
    assert contacts["a@x.no"]["groups"] == {"eu": "follows", "us": "follows"}
    assert contacts["b@x.no"]["attributes"] == {"vip": True, "orders": 1000}
    assert contacts["b@x.no"]["phone"] == "4722000000"


@pytest.mark.parametrize(
    ("answer", "path"),
    [
        ('{"results": [{"properties": {"email": "a@x.no"}}], "paging": {}}', ".results[]"),
        ('{"data": {"total": 1, "results": [{"email": "a@x.no"}]}}', ".data.results[]"),
        ('{"links": {"self": "x"}, "members": [{"email_address": "a@x.no"}]}', ".members[]"),
    ],
)
def test_the_answer_of_an_api_is_rejected_with_the_way_in(
    sqlite_store: Store, answer: str, path: str
) -> None:
    (reject,) = import_text(sqlite_store, answer, ignore_unknown=True).rejects

    assert reject.reason == f"no email, but objects inside: `jq -c '{path}'` gives them one by one"


@pytest.mark.parametrize(
    ("content", "options", "error", "words", "hint"),
    [
        ("phone\n1\n", {}, InputError, "no column gives the field 'email'", "--map 'COLUMN=email'"),
        ("email,emial\n", {}, InputError, "'emial'", "did you mean 'email'?"),
        ("email,Email\n", {}, InputError, "the header has 'email' twice", "--ignore"),
        ("email,x\n", {"renames": {"x": "email"}}, InputError, "two columns give", ""),
        ("email,frist name\n", {}, InputError, "'frist name'", "did you mean 'first_name'?"),
        (
            "email,x\n",
            {"renames": {"x": "updated"}},
            InputError,
            "when a contact changes",
            "--ignore",
        ),
        ("email,attributes.nix\n", {}, InputError, "'attributes.nix'", "--map"),
        ("", {}, InputError, "no header", ""),
        ("email,a;b\n", {}, InputError, "more than one of comma", "--delimiter"),
        ("email\n", {"renames": {"Mail": "email"}}, UsageError, "no column 'Mail'", "email"),
        ("Mail\n", {"renames": {"Mail": "emial"}}, UsageError, "unknown field", "'email'?"),
        ("Last Order\n", {"renames": {"last oder": "phone"}}, UsageError, "", "'Last Order'?"),
        ("email\n", {"ignored": frozenset({"x"})}, UsageError, "--ignore: the file has no", ""),
        ("email\n", {"date_formats": ("%Q",)}, UsageError, "--date-format '%Q'", "strptime"),
        ("email\n", {"date_formats": ("%d.%d.%Y",)}, UsageError, "'%d.%d.%Y'", "strptime"),
        ("email\n", {"date_formats": ("%d.%m",)}, UsageError, "year, month or day", "strptime"),
        ("email\n", {"date_formats": ("%Y-%m-03",)}, UsageError, "'%Y-%m-03'", "strptime"),
        ("email\n", {"column_date_formats": {"email": ("",)}}, UsageError, "% code", "strptime"),
        ("email\n", {"date_formats": ("dd/mm/yyyy",)}, UsageError, "no % code", "write %d/%m/%Y"),
        ("email\n", {"date_formats": ("YYYYMMDD",)}, UsageError, "no % code", "write %Y%m%d"),
        ("email\n", {"date_formats": ("dd/mm",)}, UsageError, "no % code", "strptime"),
        ("email\n", {"encoding": "klingon"}, UsageError, "unknown encoding", "utf-8"),
        ("email\n", {"encoding": "hex"}, UsageError, "unknown encoding", "utf-8"),
        ("email\n", {"encoding": "undefined"}, UsageError, "unknown encoding", "utf-8"),
        ("email\n", {"encoding": "punycode"}, UsageError, "unknown encoding", "utf-8"),
        ("email\n", {"encoding": "idna"}, UsageError, "unknown encoding", "utf-8"),
        ("email\n", {"encoding": "a\0b"}, UsageError, "unknown encoding", "utf-8"),
        ("email\n", {"encoding": "utf-8\udcff"}, UsageError, "unknown encoding", "utf-8"),
    ],
)
def test_files_that_are_refused_whole(
    sqlite_store: Store,
    content: str,
    options: dict[str, object],
    error: type[UsageError],
    words: str,
    hint: str,
) -> None:
    with pytest.raises(error) as caught:
        import_text(sqlite_store, content, **options)
    assert words in caught.value.message
    assert hint in caught.value.hint
    with sqlite_store.reading() as connection:
        assert list_runs(connection, limit=1) == []


@pytest.mark.parametrize(
    ("content", "lines"),
    [
        ('[{"email": "a@x.no"}, {"email": "b@x.no", "tag": ["x,y"]}]', []),
        ('[\n {\n  "email": "a@x.no"\n },\n {"email": "b@x.no", "tag": ["x,y"]}\n]\n', []),
        ('{\n"email": "a@x.no"\n}\n{\n"email": "b@x.no",\n"tag": ["x,y"]}\n', []),
        ('[{"email": "a@x.no"},\n5, {"email": "b@x.no", "tag": ["x,y"]}, {"x": 7}]', [2, 2]),
        ('[{"email": "a@x.no"},\n{"email": "b@x.no", "tag": ["x,y"]},\n{"email": "c@x.', [3, 3]),
    ],
)
def test_json_arrays_and_objects_over_several_lines(
    sqlite_store: Store, content: str, lines: list[int]
) -> None:
    imported = import_text(sqlite_store, content)
    found = {key: contact["tags"] for key, contact in contacts_in(sqlite_store).items()}
    assert found == {"a@x.no": set(), "b@x.no": {"x,y"}}
    assert [reject.line for reject in imported.rejects] == lines


@pytest.mark.parametrize("encoding", ["cp1252", "utf-16", "utf-8-sig"])
def test_json_arrays_in_other_encodings(sqlite_store: Store, encoding: str) -> None:
    content = '[\n{"email": "a@x.no", "first_name": "Åse"},\n{"email": "b@x.no"}\n]'.encode(
        encoding
    )
    import_text(sqlite_store, content, encoding=encoding)
    found = {key: contact["first_name"] for key, contact in contacts_in(sqlite_store).items()}
    assert found == {"a@x.no": "Åse", "b@x.no": None}


def test_an_array_of_nobody(sqlite_store: Store) -> None:
    assert import_text(sqlite_store, " [ ]\n").counts == (0, 0, 0, 0)


def test_addresses_with_a_name_or_a_scheme(sqlite_store: Store) -> None:
    content = 'email\nAnn <a@x.no>\nmailto:b@x.no\n"""Lee, C"" <c@x.no>"\n<d@x.no>\n'
    assert not list(import_text(sqlite_store, content + "a@x.no <e@x.no>\n").rejects)[1:]
    assert list(contacts_in(sqlite_store)) == ["a@x.no", "b@x.no", "c@x.no", "d@x.no"]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("a@x.no,Ann\nb@x.no,Bo\n", "the first line is a contact"),
        ("<!DOCTYPE html><html><body>Log in</body></html>", "a web page"),
        ("BEGIN:VCARD\nEMAIL:a@x.no\nEND:VCARD\n", "a vCard file"),
    ],
)
def test_what_is_no_table_with_a_header_is_told(
    sqlite_store: Store, content: str, words: str
) -> None:
    with pytest.raises(InputError, match="no column gives the field 'email'") as caught:
        import_text(sqlite_store, content)
    assert words in caught.value.hint


@pytest.mark.parametrize(
    ("content", "line"),
    [
        ("Customers 2024\n\nemail\na@x.no\n", 3),
        ('Notes:\n"Some addresses are missing, see the help"\n\nFirst Name,Email Address\n', 4),
        ("Email list of 27.11.2026\nRows: 2\nName;E-Mail;Ort\nAnn;a@x.no;Oslo\n", 3),
        ("Report,Contacts\nGenerated,2026-11-27\nid,name,email\n1,Ann,a@x.no\n", 3),
    ],
)
def test_notes_above_the_header_are_told_with_its_line(
    sqlite_store: Store, content: str, line: int
) -> None:
    with pytest.raises(InputError, match=f"line {line} names the columns") as caught:
        import_text(sqlite_store, content)
    assert f"tail -n +{line} FILE" in caught.value.hint
    rest = "".join(content.splitlines(keepends=True)[line - 1 :])
    assert import_text(sqlite_store, rest).rejects == []


def test_a_cell_without_end_below_another_header_is_no_error_of_the_program(
    sqlite_store: Store,
) -> None:
    with pytest.raises(InputError, match="no column gives the field 'email'"):
        import_text(sqlite_store, f"who\n{'x' * 1_100_000}\n")


@pytest.mark.parametrize(
    "name", ["E-Mail", "Email Address", "mail", "Courriel", "メールアドレス", "Email 1"]
)
def test_a_column_called_as_addresses_are_gives_them(sqlite_store: Store, name: str) -> None:
    imported = import_text(sqlite_store, f"{name},Name\na@x.no,Ann\n")
    assert (imported.rejects, list(contacts_in(sqlite_store))) == ([], ["a@x.no"])
    assert f"'{name}' gives the email" in imported.result.notes
    with pytest.raises(InputError, match="no column gives the field 'email'"):
        import_text(sqlite_store, f"{name},Customer Email\nb@x.no,c@x.no\n")
    beside = import_text(sqlite_store, f"email,{name}\nb@x.no,c@x.no\n")
    assert list(contacts_in(sqlite_store)) == ["a@x.no", "b@x.no"]
    assert name in beside.result.columns_left_out


def test_a_key_of_json_that_may_be_the_address_is_named_in_the_way_in(sqlite_store: Store) -> None:
    (reject,) = import_text(sqlite_store, '{"mail": "a@x.no"}\n').rejects
    assert "unknown column 'mail'" in reject.reason


def test_a_device_without_end_is_refused(sqlite_store: Store) -> None:
    given = ImportInput(Path("/dev/zero"), BytesIO(), ImportOptions())
    with pytest.raises(InputError, match="it is a device, not a file"):
        import_contacts(make_session(sqlite_store), given, KeptRejects())


def test_a_wrong_encoding_is_refused_whole_with_its_place(sqlite_store: Store) -> None:
    good = "email\n" + "".join(f"c{number}@x.no\n" for number in range(100_000))
    content = good.encode() + "æ@x.no\n".encode("latin-1")
    with pytest.raises(InputError) as caught:
        import_text(sqlite_store, content)
    assert f"line 100002, byte {len(good) + 1}: not valid utf-8" in caught.value.message
    assert contacts_in(sqlite_store) == {}
    assert import_text(sqlite_store, content, encoding="latin-1").counts[0] == 100_001


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
def test_byte_order_marks(sqlite_store: Store, encoding: str) -> None:
    content = "email,first_name\na@x.no,Åse\n".encode(encoding)
    if encoding.startswith("utf-16"):
        with pytest.raises(InputError, match="UTF-16") as caught:
            import_text(sqlite_store, content)
        assert caught.value.hint == f"add --encoding {encoding}"
        import_text(sqlite_store, content, encoding=encoding)
    else:
        import_text(sqlite_store, content)
    assert contacts_in(sqlite_store)["a@x.no"]["first_name"] == "Åse"


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_delimiters_are_detected(sqlite_store: Store, delimiter: str) -> None:
    content = f'email{delimiter}"first_name"\r\na@x.no{delimiter}"A{delimiter}B"\r\n'
    import_text(sqlite_store, content)
    assert contacts_in(sqlite_store)["a@x.no"]["first_name"] == f"A{delimiter}B"


def test_a_shop_export_with_other_names_and_dates(store: Store) -> None:
    imported = import_text(
        store,
        "Customer ID,Email,First Purchase,Last Purchase,Orders\n"
        "00001,Customer.00001@example.net,19970101,19970131,1\n",
        renames={"last purchase": "last_opportunity", "Orders": "attributes.orders"},
        ignored=frozenset({"Customer ID", "First Purchase"}),
        column_date_formats={"Last Purchase": ("%Y%m%d",)},
    )
    assert imported.counts == (1, 0, 0, 0)
    contact = contacts_in(store)["customer.00001@example.net"]
    assert contact["last_opportunity"] == date(1997, 1, 31)
    assert contact["attributes"] == {"orders": 1}


def test_columns_without_a_field_are_left_out_and_said(store: Store) -> None:
    imported = import_text(store, "email,Shoe size,updated,First Name\na@x.no,1,2020-01-01,A\n")
    assert imported.counts == (1, 0, 0, 0)
    assert imported.result.columns_left_out == {
        "Shoe size": UNKNOWN_NAME,
        "updated": "it is set when a contact changes",
    }
    contact = contacts_in(store)["a@x.no"]
    assert (contact["status"], contact["first_name"]) == ("active", "A")


def test_keys_without_a_field_in_json_lines_are_left_out_and_said(store: Store) -> None:
    imported = import_text(store, '{"email": "a@x.no"}\n{"email": "b@x.no", "shoe": 43}\n')
    assert imported.counts == (2, 0, 0, 0)
    assert imported.result.columns_left_out == {"shoe": UNKNOWN_NAME}


def test_ignore_unknown_says_nothing(sqlite_store: Store) -> None:
    imported = import_text(sqlite_store, "email,x,emial\na@x.no,1,2\n", ignore_unknown=True)
    assert set(contacts_in(sqlite_store)) == {"a@x.no"}
    assert imported.result.columns_left_out == {}


def test_defused_cells_come_back_as_they_were(sqlite_store: Store) -> None:
    import_text(sqlite_store, "email,first_name,phone\na@x.no,'=1+1,'+47 22\nb@x.no,'t Hart,\n")
    contacts = contacts_in(sqlite_store)
    assert contacts["a@x.no"]["first_name"] == "=1+1"
    assert contacts["a@x.no"]["phone"] == "+47 22"
    assert contacts["b@x.no"]["first_name"] == "'t Hart"
