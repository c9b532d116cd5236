"""Criteria while they are edited: what is unfinished, what moves where, and what they mean."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contactctl.builder.draft import (
    Draft,
    Group,
    Mode,
    Row,
    change_operator,
    draft_of,
    first_row,
    row_of,
)
from contactctl.builder.files import CriteriaFiles
from contactctl.domain.criteria.conditions import parse_condition
from contactctl.domain.criteria.fields import FieldCatalogue, Operator
from contactctl.domain.criteria.tree import Criteria, as_data, prebuilt_criteria
from contactctl.domain.errors import CriteriaError
from helpers.sessions import ATTRIBUTES

CATALOGUE = FieldCatalogue(ATTRIBUTES)
TEXTS = (
    "last_opportunity older-than 24 months",
    "created later-than 1 year",
    "created between 2024-01-01 and 2024-02-29",
    "attributes.orders in 1,2.5",
    "attributes.vip = true",
    "attributes.tier not-in Gold,Silver",
    'first_name in "a,b",c',
    'first_name = " padded "',
    "first_name contains 50 % off, \\_really",
    "group in newsletter,customers",
    "phone missing",
)
conditions = st.sampled_from(TEXTS).map(lambda text: parse_condition(text, CATALOGUE))


def trees(parts: st.SearchStrategy) -> st.SearchStrategy:
    lists = st.lists(parts, max_size=3).map(tuple)
    return (
        st.tuples(lists, lists, lists)
        .filter(any)
        .map(lambda b: Criteria(all=b[0], any=b[1], none=b[2]))
    )


criteria_trees = trees(st.recursive(conditions, trees, max_leaves=8))


def truth(part: object, true: frozenset[object]) -> bool:
    """What criteria mean when exactly these conditions hold."""
    if not isinstance(part, Criteria):
        return part in true
    return (
        all(truth(p, true) for p in part.all)
        and (not part.any or any(truth(p, true) for p in part.any))
        and not any(truth(p, true) for p in part.none)
    )


@given(criteria_trees, st.frozensets(conditions))
def test_a_draft_means_what_its_criteria_mean(criteria: Criteria, true: frozenset) -> None:
    again = draft_of(criteria).criteria()

    assert truth(again, true) == truth(criteria, true)
    assert as_data(draft_of(again).criteria()) == as_data(again)


@pytest.mark.parametrize("text", TEXTS)
def test_a_condition_is_the_same_after_editing_nothing(text: str) -> None:
    condition = parse_condition(text, CATALOGUE)

    assert row_of(condition).condition() == condition
    assert row_of(condition).text() == text


@pytest.mark.parametrize(
    ("field", "operator", "words", "problem"),
    [
        ("email", "=", (), "no value after '='"),
        ("email", "=", (" ",), "no value after '='"),
        ("email", "in", ("a,",), "nothing after the last comma"),
        ("id", "=", ("x",), "'x' is not a whole number, as 'id' is"),
        ("id", "between", ("1", ""), "'between' takes two values, not 1"),
        ("created", "on", ("31.5.2024",), "'31.5.2024' is not a date: write it like 2024-05-31"),
        ("group", "=", ("newsleter",), "unknown group 'newsleter': did you mean 'newsletter'?"),
    ],
)
def test_what_is_wrong_is_said_in_words(
    field: str, operator: str, words: tuple[str, ...], problem: str
) -> None:
    draft = Draft()
    row = Row(CATALOGUE.find(field), Operator(operator), words)
    draft.add(row, None)

    assert draft.problems(["newsletter"])[row].startswith(problem)


def test_an_operator_keeps_what_can_still_be_meant() -> None:
    row = row_of(parse_condition("attributes.tier = gold", CATALOGUE))
    change_operator(row, Operator.IN)
    assert row.text() == "attributes.tier in Gold"
    change_operator(row, Operator.MISSING)
    assert row.words == ()

    dated = first_row(CATALOGUE.find("created"))
    assert dated.text() == "created older-than 24 months"
    change_operator(dated, Operator.WITHIN_LAST)
    assert dated.text() == "created within-last 24 months"
    change_operator(dated, Operator.ON)
    assert dated.words == ()


def test_a_part_goes_everywhere_by_moving() -> None:
    draft = draft_of(prebuilt_criteria())
    row = next(draft.rows())
    group, other = Group(Mode.ANY), Row(CATALOGUE.find("phone"), Operator.MISSING)
    draft.add(group, draft.groups[0])
    draft.add(other, group)
    places = [draft.parent_of(row)]
    while draft.move(row, 1):
        places.append(draft.parent_of(row))
    way_back = [draft.parent_of(row)]
    while draft.move(row, -1):
        way_back.append(draft.parent_of(row))

    outermost = draft.groups
    assert places == [outermost[0], group, group, outermost[0], outermost[1], outermost[2]]
    assert way_back == places[::-1]
    assert list(draft.rows()) == [row, other]


def test_what_is_removed_is_gone_and_the_next_is_looked_at() -> None:
    draft = draft_of(prebuilt_criteria())
    first = next(draft.rows())
    second = first_row(CATALOGUE.find("phone"))
    draft.add(second, first)

    assert draft.remove(first) is second
    assert draft.remove(second) is draft.groups[0]
    with pytest.raises(CriteriaError, match="have no condition"):
        draft.criteria()


def test_hostile_text_in_an_unfinished_row_is_shown_safely() -> None:
    row = Row(CATALOGUE.find("email"), Operator.EQUALS, ("\x1b[31m",))

    assert row.text() == "email = \\x1b[31m"


def test_a_file_that_cannot_be_written_is_told(tmp_path) -> None:
    files = CriteriaFiles(tmp_path, None)

    with pytest.raises(Exception, match="cannot write no/where"):
        files.save("no/where.yaml", prebuilt_criteria())
    assert list(tmp_path.iterdir()) == []
