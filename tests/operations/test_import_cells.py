"""Cells as programs write them: dates, names, null words, invisible characters."""

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, date, datetime

import pytest

from contactctl.domain.errors import InputError
from contactctl.store.database.store import Store, open_store
from helpers.imports import contacts_in, import_text
from helpers.sessions import NOW


@pytest.fixture
def sqlite_store(sqlite_url: str) -> Iterator[Store]:
    """How a file is read does not depend on the database."""
    with closing(open_store(sqlite_url)) as store:
        yield store


DATES = """email,last_opportunity
a@x.no,11/1/16
b@x.no,11/1/2016
c@x.no,0000-00-00
e@x.no,42675
f@x.no,2016-11-01 15:00:00
g@x.no,2016-11-01T15:00:00Z
h@x.no,1/1
i@x.no,NULL
k@x.no,"Nov 1, 2016"
l@x.no,1477958400
"""


def test_dates_of_many_kinds_are_read_by_formats_in_order(store: Store) -> None:
    formats = ("iso", "%m/%d/%Y", "%m/%d/%y", "%b %d, %Y", "epoch", "excel")
    imported = import_text(
        store, DATES, date_formats=formats, nulls=frozenset({"NULL", "0000-00-00"})
    )
    assert [reject.line for reject in imported.rejects] == [8]
    days = {key[0]: contact["last_opportunity"] for key, contact in contacts_in(store).items()}
    assert days == dict.fromkeys("abefgkl", date(2016, 11, 1)) | dict.fromkeys("ci")
    assert "'last_opportunity' has two-digit years: '11/1/16' was read as 2016-11-01" in (
        imported.result.notes
    )


def test_a_column_has_formats_of_its_own(store: Store) -> None:
    import_text(
        store,
        "email,last_opportunity,last_opened\na@x.no,01.11.2016,1477958400\n",
        date_formats=("epoch",),
        column_date_formats={"Last_Opportunity": ("iso", "%d.%m.%Y")},
    )
    contact = contacts_in(store)["a@x.no"]
    assert contact["last_opportunity"] == date(2016, 11, 1)
    assert contact["last_opened"] == datetime(2016, 11, 1, tzinfo=UTC)


def test_numbers_in_json_lines_are_dates_where_the_format_says_so(store: Store) -> None:
    record = '{"email": "a@x.no", "last_opened": 1477958400, "last_opportunity": 42675}\n'
    import_text(store, record, date_formats=("epoch", "excel"))
    contact = contacts_in(store)["a@x.no"]
    assert contact["last_opportunity"] == date(2016, 11, 1)
    reason = import_text(store, record).rejects[0].reason
    assert "'42675' is not a date" in reason


def test_dates_still_to_come_are_told(store: Store) -> None:
    day = NOW.date().replace(year=NOW.year + 2)
    notes = import_text(
        store,
        "email,last_opportunity,last_opened,attributes.renewal\n"
        f"a@x.no,{day},{day},{day}\nb@x.no,{day},2020-01-01,\nc@x.no,2020-01-01,,\n",
    ).result.notes
    assert notes == (
        "dates in the future in 'last_opportunity': 2",
        "dates in the future in 'last_opened': 1",
    )


TAGS = """email,tag
a@x.no,vip
b@x.no,"vip,oslo"
c@x.no,\"\"\"vip\"\",\"\"oslo\"\"\"
d@x.no,
e@x.no,vip;oslo
"""


def test_a_comma_or_a_quote_in_a_tag_is_an_error_until_something_is_said(store: Store) -> None:
    imported = import_text(store, TAGS)
    assert [reject.line for reject in imported.rejects] == [3, 4]
    assert contacts_in(store)["e@x.no"]["tags"] == {"vip", "oslo"}


@pytest.mark.parametrize(
    ("separator", "tags"),
    [
        (",", {"a": {"vip"}, "b": {"vip", "oslo"}, "c": {"vip", "oslo"}, "d": set()}),
        (";", {"a": {"vip"}, "b": {"vip,oslo"}, "d": set(), "e": {"vip", "oslo"}}),
    ],
)
def test_names_are_taken_apart_as_told(
    store: Store, separator: str, tags: dict[str, set[str]]
) -> None:
    import_text(store, TAGS, separators={"tag": separator})
    found = {key[0]: contact["tags"] for key, contact in contacts_in(store).items()}
    assert found == tags


def test_groups_are_taken_apart_alike(store: Store) -> None:
    content = 'email,group\na@x.no,"News,Offers"\n'
    assert "contains a comma" in import_text(store, content).rejects[0].reason
    assert import_text(store, content, separators={"group": ","}).counts == (1, 0, 0, 0)
    assert set(contacts_in(store)["a@x.no"]["groups"]) == {"News", "Offers"}


def test_a_list_in_json_needs_no_splitting(store: Store) -> None:
    import_text(store, '{"email": "a@x.no", "tag": ["vip, oslo", "5\\" disk"]}\n')
    assert contacts_in(store)["a@x.no"]["tags"] == {"vip, oslo", '5" disk'}


def test_null_words_are_told_or_read_as_missing(store: Store) -> None:
    content = "email,company,phone,attributes.plan\na@x.no,NULL,\\N,n/a\nb@x.no,N/A,None,free\n"
    notes = import_text(store, content, dry_run=True).result.notes
    assert set(notes) == {
        "'company' has 'NULL' (1), 'N/A' (1), stored as text; --null NULL reads it as missing",
        "'phone' has '\\N' (1), 'None' (1), stored as text; --null '\\N' reads it as missing",
        "'attributes.plan' has 'n/a' (1), stored as text; --null n/a reads it as missing",
    }
    nulls = frozenset({"NULL", r"\N", "None", "N/A", "n/a"})
    assert import_text(store, content, nulls=nulls).result.notes == ()
    contact = contacts_in(store)["a@x.no"]
    assert (contact["company"], contact["phone"], contact["attributes"]) == (None, None, {})


def test_what_a_spreadsheet_has_spoiled_is_told(store: Store) -> None:
    rows = ("a@x.no,4.41E+11,#REF!", "b@x.no,4.41E+11,BASE+", "c@x.no,4790000000.0,v2.0")
    content = "\n".join(("email,phone,company", *rows, "d@x.no,########,###"))
    assert set(import_text(store, content, dry_run=True).result.notes) == {
        "'phone' has texts that another program has changed, stored as they are: '4.41E+11' (2),"
        " '4790000000.0' (1), '########' (1)",
        "'company' has texts that another program has changed, stored as they are: '###' (1)",
        "'company' has '#REF!' (1), stored as text; --null '#REF!' reads it as missing",
    }


@pytest.mark.parametrize(
    ("cell", "is_told"),
    [
        *(("Ã…se", True), ("MÃ¼ller", True), ("â‚¬ 5", True), ("A\ufffdse", True), ("????", True)),
        *(("Smith &amp; Co", True), ("O&#39;Brien", True), ("Ð˜Ð²Ð°Ð½", True)),
        *(
            ("Åse", False),
            ("À «La Table»", False),
            ("AT&T; Co", False),
            ("É ou È", False),
            ("?", False),
        ),
    ],
)
def test_texts_in_the_wrong_encoding_are_told(store: Store, cell: str, is_told: bool) -> None:
    notes = import_text(store, f"email,company\na@x.no,{cell}\n", dry_run=True).result.notes
    assert bool(notes) is is_told


@pytest.mark.parametrize(
    ("field", "date", "is_told"),
    [
        *(
            ("last_opportunity", f"{day}", True)
            for day in ("1970-01-01", "1899-12-30", "1753-01-01")
        ),
        *(("last_opened", "1970-01-01T00:00:00Z", True), ("created", "1900-01-01", True)),
        *(("last_opportunity", "1971-01-01", False), ("attributes.renewal", "1970-01-01", False)),
    ],
)
def test_dates_that_may_mean_never_are_told(
    store: Store, field: str, date: str, is_told: bool
) -> None:
    content = f"email,{field}\na@x.no,{date}\nb@x.no,2024-05-31\n"
    notes = import_text(store, content, dry_run=True).result.notes
    assert notes == is_told * (
        f"'{field}' has dates that may mean never: '{date}' (1); --null {date} reads it as missing",
    )


def test_columns_that_look_mistyped_are_told_at_once(sqlite_store: Store) -> None:
    with pytest.raises(InputError, match="'Tags'; unknown column 'Created At'") as caught:
        import_text(sqlite_store, "email,Tags,Created At\na@x.no,vip,2024-05-31\n")
    assert "--map Tags=tag" in caught.value.hint
    assert "--map 'Created At=created'" in caught.value.hint
    (reject,) = import_text(sqlite_store, '{"email": "a@x.no", "tags": "vip"}\n').rejects
    assert "(did you mean 'tag'? give it a field with --map tags=tag" in reject.reason


def test_a_blank_before_a_quote_is_no_part_of_the_cell(store: Store) -> None:
    import_text(store, 'email, company, phone\na@x.no, "Smith, Ann", "1"\n')
    contact = contacts_in(store)["a@x.no"]
    assert (contact["company"], contact["phone"]) == ("Smith, Ann", "1")


def test_a_declared_attribute_is_known_by_its_bare_name(store: Store) -> None:
    import_text(store, "email,Plan,ORDERS\na@x.no,free,3\n")
    assert contacts_in(store)["a@x.no"]["attributes"] == {"plan": "free", "orders": 3}


def test_a_null_word_where_a_number_belongs_says_the_way_out(store: Store) -> None:
    imported = import_text(store, "email,attributes.orders\na@x.no,NULL\n")
    assert "(--null NULL reads it as missing)" in imported.rejects[0].reason


INVISIBLE = "\u00ad\u200b\u200c\u200d\u200e\u2060\ufeff\ufe0f\u180e\u034f\u115f\u3164\u2028\u00a0"


@pytest.mark.parametrize("character", INVISIBLE)
def test_an_invisible_character_makes_no_second_contact(
    sqlite_store: Store, character: str
) -> None:
    inside = f"x{character}y@example.com"
    around = f"{character}xy@example.com{character}"
    imported = import_text(sqlite_store, f"email,tag\n{inside},\n{around},vip{character}\n")
    assert f"U+{ord(character):04X}" in imported.rejects[0].reason
    assert "(character 2)" in imported.rejects[0].reason
    assert contacts_in(sqlite_store)["xy@example.com"]["email"] == "xy@example.com"
    assert contacts_in(sqlite_store)["xy@example.com"]["tags"] == {"vip"}


def test_what_belongs_inside_a_text_stays(sqlite_store: Store) -> None:
    name = "می\u200cخواهم 👩\u200d💻 x"
    import_text(sqlite_store, f"email,first_name\na@x.no,\u200b{name}\u2060\n")
    assert contacts_in(sqlite_store)["a@x.no"]["first_name"] == name


@pytest.mark.parametrize(
    "content",
    [
        "sep=;\nemail;first_name\na@x.no;Ann, A\n",
        '"sep=;"\r\nemail;first_name\r\na@x.no;Ann, A\r\n',
        "SEP=;;\nemail;first_name\na@x.no;Ann, A\n",
        "\ufeffsep=|\nemail|first_name\na@x.no|Ann, A\n",
        "sep=\t\nemail\tfirst_name\na@x.no\tAnn, A\n",
        '\n\nemail,first_name\n\na@x.no,"Ann, A"\n,\n  , \n',
        'email,first_name,,\na@x.no,"Ann, A",,\n,,,\n',
        'email,first_name\na@x.no,"Ann, A",,,\n',
        "\u200bemail;\ufefffirst_name\na@x.no;Ann, A\n",
        'email\tfirst_name\na@x.no\t"Ann, A"\n\t\n',
    ],
)
def test_what_spreadsheets_add_is_left_out(sqlite_store: Store, content: str) -> None:
    imported = import_text(sqlite_store, content)
    assert imported.counts == (1, 0, 0, 0)
    assert contacts_in(sqlite_store)["a@x.no"]["first_name"] == "Ann, A"


def test_lines_are_counted_as_the_file_has_them(sqlite_store: Store) -> None:
    content = "sep=;\n\nemail;first_name\n;\nbad;x\na@x.no;Ann;y\n"
    assert [each.line for each in import_text(sqlite_store, content).rejects] == [5, 6]
