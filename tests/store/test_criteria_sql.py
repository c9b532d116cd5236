"""Query plans, limits, hostile values. What criteria select is test_criteria_parity's."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import func, select, text

from contactctl.domain.contacts import Status
from contactctl.domain.criteria.fields import AttributeDeclaration, FieldCatalogue, FieldType
from contactctl.domain.criteria.resolve import resolve
from contactctl.domain.criteria.tree import (
    MAX_CONDITIONS,
    MAX_DEPTH,
    MAX_VALUES,
    Criteria,
    from_flags,
    prebuilt_criteria,
)
from contactctl.store.criteria import active_where, where_clause
from contactctl.store.database.store import open_store
from contactctl.store.predicates import is_active_by_index
from contactctl.store.selections import count_matching, fields_that_leave_out
from contactctl.store.tables import contact
from helpers.contact_views import insert_views
from helpers.criteria_reference import ContactView, contact_view

NOW = datetime(2024, 3, 31, 10, tzinfo=UTC)
CATALOGUE = FieldCatalogue({"plan": AttributeDeclaration("plan", FieldType.TEXT)})


def make_contact(number: int, **values: object) -> ContactView:
    fixed = {"email_key": f"c{number}@b.example", "email_domain": "b.example"}
    defaults = {"status": Status.ACTIVE, "created": NOW, "updated": NOW}
    return contact_view(id=number, **(fixed | defaults | values))


def criteria(where=(), where_any=(), where_not=()) -> Criteria:
    return from_flags(where, where_any, where_not, CATALOGUE)


def clause(store, tree: Criteria):
    return where_clause(resolve(tree, NOW, ZoneInfo("Europe/Oslo")), store.dialect)


def ids(connection, where) -> list[int]:
    return list(
        connection.execute(select(contact.c.id).where(where).order_by(contact.c.id)).scalars()
    )


def selected(store, tree: Criteria) -> list[int]:
    with store.reading() as connection:
        return ids(connection, active_where(clause(store, tree)))


def left_out(store, tree: Criteria) -> dict[str, int]:
    with store.reading() as connection:
        resolved = resolve(tree, NOW, ZoneInfo("Europe/Oslo"))
        return count_matching(connection, resolved).left_out


def fill(store, *contacts: ContactView) -> None:
    with store.writing() as connection:
        insert_views(connection, contacts)


def test_only_active_contacts_are_selected_whether_the_index_helps_or_not(store):
    old = date(2020, 1, 1)
    fill(
        store,
        make_contact(1, company="x", last_opportunity=old),
        make_contact(2, company="x", last_opportunity=old, status=Status.INACTIVE),
    )
    assert selected(store, prebuilt_criteria()) == [1]
    assert selected(store, criteria(["company = x"])) == [1]
    with store.reading() as connection:
        assert ids(connection, is_active_by_index()) == [1]
        assert ids(connection, clause(store, criteria(["company = x"]))) == [1, 2]


def explained(store, where) -> str:
    query = select(func.count()).select_from(contact).where(where)
    compiled = query.compile(store.engine, compile_kwargs={"literal_binds": True})
    explain = "EXPLAIN QUERY PLAN " if store.dialect == "sqlite" else "EXPLAIN "
    with store.reading() as connection:
        if store.dialect == "postgresql":
            connection.execute(text("SET LOCAL enable_seqscan = off"))
        statement = f"{explain}{compiled}".replace(":", "\\:")
        return "\n".join(str(row[-1]) for row in connection.execute(text(statement)))


def test_the_prebuilt_criteria_use_the_partial_index(store):
    plan = explained(store, active_where(clause(store, prebuilt_criteria())))
    assert "contact_active_last_opportunity" in plan
    assert "last_opportunity <" in plan or "last_opportunity<" in plan


@pytest.mark.parametrize(
    "where",
    [
        ("company contains x",),
        ("last_opportunity older-than 1 year", "company contains x"),
        ("last_opportunity older-than 1 year", "attributes.plan = x"),
    ],
)
def test_sqlite_scans_in_order_where_the_partial_index_cannot_tell(sqlite_url, where):
    store = open_store(sqlite_url)
    plan = explained(store, active_where(clause(store, criteria(where))))
    store.close()
    assert plan == "SCAN contact"


HOSTILE = ["'; DROP TABLE contact; --", '"', "\\", "%", "_", ":name", "%(name)s", "?", "$1", "''"]


@pytest.mark.parametrize("value", HOSTILE)
def test_values_are_bound_and_literal(store, value):
    named = {"tags": frozenset({value}), "groups": frozenset({value})}
    fill(
        store,
        make_contact(1, company=f"a{value}b", attributes={"plan": value}, **named),
        make_contact(2, company="ab", attributes={"plan": "x"}, tags=frozenset({"x"})),
    )
    quoted = '"' + value.replace('"', '""') + '"'
    for condition in (
        *(f"company contains {quoted}", f"company starts-with {quoted[:1]}a{quoted[1:]}"),
        *(f"tag = {quoted}", f"group in {quoted},nobody", f"attributes.plan in {quoted},nobody"),
    ):
        assert selected(store, criteria([condition])) == [1]


def test_the_largest_criteria_run(store):
    fill(store, make_contact(1, company="x"), make_contact(7, company="y"))
    texts = [f"company = c{number}" for number in range(MAX_CONDITIONS - 1)]
    many = ",".join(map(str, range(MAX_VALUES)))
    assert selected(store, criteria(where_any=[*texts, "company = y"])) == [7]
    assert selected(store, criteria(where_not=[*texts, "company = y"])) == [1]
    assert left_out(store, criteria(where_any=[*texts, "company = y"])) == {"company": 0}
    assert selected(store, criteria([f"id in {many}"])) == [1, 7]
    deep = criteria(["company = y"])
    for level in range(MAX_DEPTH - 1):
        deep = Criteria(none=(deep,)) if level % 2 else Criteria(all=(deep,))
    assert selected(store, deep) == [1]


def test_the_largest_numbers_run(store):
    fill(store, make_contact(1))
    assert selected(store, criteria([f"id < {2**63 - 1}", f"id > -{2**63}"])) == [1]
    assert selected(store, criteria([f"id in {2**63 - 1},1"])) == [1]
    assert selected(store, criteria([f"responses.transient <= {2**63 - 1}"])) == [1]


def test_left_out_counts_those_whom_a_value_could_have_let_in(store):
    old = date(2020, 1, 1)
    fill(
        store,
        make_contact(1, last_opportunity=old, company="x"),
        make_contact(2, company="x"),
        make_contact(3, company="y"),  # has no opportunity, but the company is wrong anyway
        make_contact(4),
        make_contact(5, last_opportunity=old),
        make_contact(6, company="x", status=Status.INACTIVE),
    )
    tree = criteria(["last_opportunity older-than 24 months", "company = x"])
    assert selected(store, tree) == [1]
    assert left_out(store, tree) == {"last_opportunity": 2, "company": 2}
    assert left_out(store, prebuilt_criteria()) == {"last_opportunity": 3}


def test_a_missing_value_leaves_nobody_out_of_none():
    assert fields_that_leave_out(criteria(where_not=["company = x"])) == []
    assert (
        fields_that_leave_out(criteria(["company exists", "id = 1", "email = x@y.example"])) == []
    )


def test_contacts_in_no_group_are_not_left_out_of_a_group(store):
    fill(store, make_contact(1))
    assert left_out(store, criteria(where=["group = a"])) == {}
    assert left_out(store, criteria(where=["group != a"])) == {"group": 1}
    assert left_out(store, criteria(where=["group = a", "company = x"])) == {"company": 0}


@pytest.mark.parametrize(
    "tree",
    [
        criteria(where_any=["group = a", "company contains x"]),
        criteria(where_any=["group != a", "tag missing"]),
        criteria(["id > 0"], ["tag = a", "group = a", "group = b"]),
        criteria(where_not=["group != a"]),
        Criteria(none=(criteria(where_any=["group = a", "company = x"]),)),
        Criteria(any=(criteria(where_not=["group = a"]), criteria(["tag = a", "id = 1"]))),
    ],
)
def test_postgres_never_looks_sets_up_contact_by_contact(postgres_url, tree):
    store = open_store(postgres_url)
    plan = explained(store, active_where(clause(store, tree)))
    store.close()
    assert "SubPlan" not in plan
