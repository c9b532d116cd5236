"""SQLite, Postgres and the Python reference select the same contacts, whatever the criteria."""

import random
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import false, select

from contactctl.domain.contacts import Status
from contactctl.domain.criteria.conditions import Condition, build_condition
from contactctl.domain.criteria.fields import (
    COUNT_FIELDS,
    DEACTIVATION_RUN_FIELD,
    OPERATORS,
    USAGES,
    AttributeDeclaration,
    Field,
    FieldCatalogue,
    FieldType,
    Operator,
    Takes,
)
from contactctl.domain.criteria.resolve import ResolvedCriteria, resolve
from contactctl.domain.criteria.tree import Criteria
from contactctl.domain.responses import NOT_COUNTED
from contactctl.domain.text import fold
from contactctl.store.criteria import where_clause
from contactctl.store.database.store import Store, open_store
from contactctl.store.fields import GIVEN_COLUMNS
from contactctl.store.selections import (
    Counted,
    count_matching,
    fields_that_leave_out,
    first_matching,
    ids_where,
)
from contactctl.store.tables import contact
from helpers import databases
from helpers.contact_views import insert_views
from helpers.criteria_reference import ContactView, matches, present_values
from helpers.thorough import examples

OSLO = ZoneInfo("Europe/Oslo")
# the hour after the clocks go forward, on a day that not every month has
NOW = datetime(2024, 3, 31, 1, 30, tzinfo=UTC)

TEXTS = [
    *("Straße", "STRASSE", "strasse", "İstanbul", "istanbul", "ſet", "SET", "Σίσυφος", "ΣΊΣΥΦΟΣ"),
    *("caf\u00e9", "CAFE\u0301", "cafe", "100%", "100", "a_b", "axb", "a\\b", "a\\%", "O'Brien"),
    *('say "x"', "a, b", " padded ", "'; DROP TABLE contact; --", "東京", "🙂", "ı", "I", "ﬁn"),
]
WRONG_TYPES = [
    "n/a",
    "",
    0,
    1,
    3.5,
    -2,
    True,
    False,
    None,
    [],
    ["x"],
    {"a": 1},
    "2024-03-31",
    "true",
]
ATTRIBUTES = [
    AttributeDeclaration("plan", FieldType.TEXT),
    AttributeDeclaration("tier", FieldType.CHOICE, ("Gold", "Straße", "silver")),
    AttributeDeclaration("orders", FieldType.NUMBER),
    AttributeDeclaration("vip", FieldType.BOOLEAN),
    AttributeDeclaration("renewal", FieldType.DATE),
]
CATALOGUE = FieldCatalogue({declared.name: declared for declared in ATTRIBUTES})
GROUPS = ["Newsletter", "Straße", "100%", "VIP"]
TAGS = ["red", "Ärger", "a_b", "O'Brien"]
ORIGINS = ["bulk", "individual", "threshold", "import"]
CATEGORIES = ["transient", "blocked", "spam-complaint"]
DATES = [
    *(date(2024, 3, 31), date(2024, 3, 30), date(2024, 4, 1), date(2024, 2, 29), date(2024, 2, 28)),
    *(
        date(2023, 3, 31),
        date(2022, 3, 31),
        date(2022, 3, 30),
        date(2024, 4, 30),
        date(2025, 3, 31),
    ),
]
NUMBERS = [0, 1, -1, 2, 3.5, -2.25, 10, 1000000, 0.1, 2**53, -(2**53)]
INSTANTS = [
    datetime(day.year, day.month, day.day, hour, minute, tzinfo=UTC) + timedelta(microseconds=tick)
    for day in DATES
    for hour, minute in ((0, 0), (1, 30), (22, 0), (23, 0))
    for tick in (-1, 0)
]
ISO_DATES = [day.isoformat() for day in DATES] + ["2024-02-31", "2024-13-01", "2024-1-1", "x"]
ATTRIBUTE_VALUES = {
    "plan": TEXTS,
    "tier": ["gold", "GOLD", "STRASSE", "Silver", "platinum"],
    "orders": [*NUMBERS, 10**400, 5e-324],
    "vip": [True, False],
    "renewal": ISO_DATES,
}


COUNTS = [0, 1, 2, 10]
VALUES = {
    FieldType.TEXT: TEXTS,
    FieldType.DATE: DATES,
    FieldType.INSTANT: INSTANTS,
    FieldType.NUMBER: COUNTS,
}


def values_of(name: str) -> list:
    """What a column may hold, by its field's type; telephone numbers are too alike for TEXTS."""
    return ["+47 1", "12"] if name == "phone" else VALUES[CATALOGUE.find(name).type]


def make_contact(number: int, rng: random.Random) -> ContactView:
    def maybe(values: list):
        return rng.choice(values) if rng.random() < 0.7 else None

    def some(values: list) -> frozenset[str]:
        return frozenset(rng.sample(values, rng.choice((0, 0, 1, 2))))

    deactivated = maybe(INSTANTS) if rng.random() < 0.5 else None
    origins = frozenset(rng.sample(ORIGINS, 2)) if deactivated else frozenset()
    categories = some(CATEGORIES) if deactivated else frozenset()
    number_of_reasons = len(origins) * max(1, len(categories))
    unsubscribed = maybe(INSTANTS)
    domain = rng.choice(["example.com", "a_b.example", "xn--mnchen-3ya.example"])
    return ContactView(
        id=number,
        email_key=f"{fold(rng.choice(TEXTS))}{number}@{domain}",
        email_domain=domain,
        status=Status.INACTIVE if deactivated else Status.ACTIVE,
        created=rng.choice(INSTANTS),
        updated=rng.choice(INSTANTS),
        values=make_values(maybe),
        tags=some(TAGS),
        groups=some(GROUPS),
        deactivated=deactivated,
        deactivation_origins=origins,
        deactivation_categories=categories,
        deactivation_runs=frozenset(str(10 + n) for n in range(number_of_reasons)),
        reactivated=maybe(INSTANTS),
        unsubscribed=unsubscribed,
        unsubscribed_from=some(GROUPS) if unsubscribed else frozenset(),
        response_counts={category: rng.choice((0, 1, 2, 3)) for category in CATEGORIES},
        responses_not_counted=some(list(NOT_COUNTED)),
        attributes=make_attributes(rng),
    )


def make_values(maybe: Callable[[list], Any]) -> dict[str, Any]:
    given = {name: maybe(values_of(name)) for name in GIVEN_COLUMNS}
    counts = {name: given[name] or 0 for name in COUNT_FIELDS}
    signs = [at for name in ("last_opened", "last_clicked") if (at := given[name]) is not None]
    return given | counts | {"last_engaged": max(signs, default=None)}


def make_attributes(rng: random.Random) -> dict[str, object]:
    attributes = {}
    for name, values in ATTRIBUTE_VALUES.items():
        kind = rng.random()
        if kind < 0.6:
            attributes[name] = rng.choice(values)
        elif kind < 0.8:
            attributes[name] = rng.choice(WRONG_TYPES)
    return attributes


CONTACTS = [make_contact(number, random.Random(number)) for number in range(1, 301)]


@pytest.fixture(scope="module")
def stores(
    sqlite_template: Path,
    postgres_server_url: str,
    postgres_template: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[list[Store]]:
    """The same contacts on SQLite and on Postgres; only read from here on."""
    postgres_url = databases.create_database(postgres_server_url, postgres_template)
    sqlite_url = databases.copy_sqlite(sqlite_template, tmp_path_factory.mktemp("parity"))
    opened = [open_store(sqlite_url), open_store(postgres_url)]
    for store in opened:
        with store.writing() as connection:
            insert_views(connection, CONTACTS)
    yield opened
    for store in opened:
        store.close()
    databases.drop_database(postgres_server_url, postgres_url)


def words_for(field: Field) -> st.SearchStrategy[str]:
    if field.choices:
        return st.sampled_from([*field.choices, *map(str.upper, field.choices)])
    if field.name == DEACTIVATION_RUN_FIELD:
        return st.sampled_from(["10", "11", "012", "1"])
    pools = {
        FieldType.TEXT: TEXTS + [text[:2] for text in TEXTS] + [text.upper() for text in TEXTS],
        FieldType.SET: [*GROUPS, *TAGS, "strasse", "ÄRGER", "nobody"],
        FieldType.NUMBER: ["0", "1", "2", "3", "150"]
        if field.is_whole_number
        else [str(number) for number in NUMBERS],
        FieldType.BOOLEAN: ["true", "false"],
        FieldType.DATE: [day.isoformat() for day in DATES],
        FieldType.INSTANT: [day.isoformat() for day in DATES]
        + [moment.isoformat() for moment in INSTANTS],
    }
    return st.sampled_from(pools[field.type])


# nothing else is compared with these fields as a whole
ADDRESSES = {
    "email": ["strasse2@example.com", "AXB6@example.com", "nobody@example.com"],
    "email_domain": ["example.com", "EXAMPLE.com", "MÜNCHEN.example", "other.example"],
}
WHOLE_VALUES = (Operator.EQUALS, Operator.NOT_EQUALS, Operator.IN, Operator.NOT_IN)
SPANS = st.builds(
    "{} {}".format,
    st.sampled_from([0, 1, 2, 12, 24, 30]),
    st.sampled_from(["days", "weeks", "months", "years"]),
)


@st.composite
def conditions(draw: st.DrawFn) -> Condition:
    field = draw(st.sampled_from(CATALOGUE.fields()))
    return draw(conditions_with(field, draw(st.sampled_from(OPERATORS[field.type]))))


@st.composite
def conditions_with(draw: st.DrawFn, field: Field, operator: Operator) -> Condition:
    word = words_for(field)
    if operator in WHOLE_VALUES and field.name in ADDRESSES:
        word = st.sampled_from(ADDRESSES[field.name])
    if operator is Operator.ON:
        word = st.sampled_from([day.isoformat() for day in DATES])
    words = {
        Takes.NOTHING: st.just([]),
        Takes.ONE: st.lists(word, min_size=1, max_size=1),
        Takes.SEVERAL: st.lists(word, min_size=1, max_size=4),
        Takes.RANGE: st.lists(word, min_size=2, max_size=2).map(in_order(field)),
        Takes.SPAN: st.lists(SPANS, min_size=1, max_size=1),
    }[USAGES[operator].takes]
    return build_condition(field, operator, draw(words))


def in_order(field: Field):
    key = float if field.type is FieldType.NUMBER else str
    return lambda words: sorted(words, key=key)


def criteria() -> st.SearchStrategy[Criteria]:
    return st.recursive(conditions(), nested, max_leaves=8).map(
        lambda part: part if isinstance(part, Criteria) else Criteria(all=(part,))
    )


def nested(parts: st.SearchStrategy) -> st.SearchStrategy[Criteria]:
    branch = st.lists(parts, max_size=3).map(tuple)
    branches = st.tuples(branch, branch, branch).filter(any)
    return branches.map(lambda b: Criteria(all=b[0], any=b[1], none=b[2]))


def selected_ids(store: Store, resolved: ResolvedCriteria) -> set[int]:
    query = select(contact.c.id).where(where_clause(resolved, store.dialect))
    with store.reading() as connection:
        return set(connection.execute(query).scalars())


thorough = settings(
    max_examples=examples(250),
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)


@thorough
@given(criteria())
def test_every_database_selects_what_the_reference_selects(stores, tree):
    resolved = resolve(tree, NOW, OSLO)
    expected = {view.id for view in CONTACTS if matches(resolved, view)}
    for store in stores:
        assert selected_ids(store, resolved) == expected, store.dialect


@thorough
@given(conditions())
def test_a_condition_under_none_selects_exactly_the_others(stores, condition):
    chosen = resolve(Criteria(all=(condition,)), NOW, OSLO)
    others = resolve(Criteria(none=(condition,)), NOW, OSLO)
    everybody = {view.id for view in CONTACTS}
    for store in stores:
        assert selected_ids(store, others) == everybody - selected_ids(store, chosen)


@settings(thorough, max_examples=examples(100))
@given(criteria())
def test_the_databases_count_matching_and_left_out_as_the_reference_does(stores, tree):
    resolved = resolve(tree, NOW, OSLO)
    left_out = {f.name: count_by_reference(resolved, f) for f in fields_that_leave_out(tree)}
    active = [view for view in CONTACTS if view.status is Status.ACTIVE]
    matching = sorted(view.id for view in active if matches(resolved, view))
    expected = Counted(len(active), len(matching), left_out)
    for store in stores:
        with store.reading() as connection:
            assert count_matching(connection, resolved) == expected
            # nobody would be found but nearby
            first = first_matching(connection, ids_where(false()), len(matching), "id", resolved)
            assert [row["id"] for row in first] == matching


def count_by_reference(resolved: ResolvedCriteria, field: Field) -> int:
    return sum(
        view.status is Status.ACTIVE
        and not present_values(field, view)
        and not matches(resolved, view)
        and matches(resolved, view, let_missing_pass=True)
        for view in CONTACTS
    )


def test_missing_means_the_same_everywhere(stores):
    for field in CATALOGUE.fields():
        expected = {view.id for view in CONTACTS if not present_values(field, view)}
        assert bool(expected) is not field.always_present, field
        is_missing = resolve(Criteria(all=(Condition(field, Operator.MISSING),)), NOW, OSLO)
        for store in stores:
            assert selected_ids(store, is_missing) == expected, field


@pytest.mark.parametrize("field", CATALOGUE.fields(), ids=lambda field: field.name)
@settings(thorough, max_examples=examples(8, least=2))
@given(data=st.data())
def test_every_operator_of_every_field(stores, field, data):
    for operator in OPERATORS[field.type]:
        condition = data.draw(conditions_with(field, operator))
        resolved = resolve(Criteria(all=(condition,)), NOW, OSLO)
        expected = {view.id for view in CONTACTS if matches(resolved, view)}
        for store in stores:
            assert selected_ids(store, resolved) == expected, store.dialect
