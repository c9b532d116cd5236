import shlex

import pytest

from contactctl.domain.criteria.conditions import parse_condition
from contactctl.domain.criteria.fields import FieldCatalogue
from contactctl.domain.criteria.tree import (
    MAX_CONDITIONS,
    MAX_DEPTH,
    MAX_VALUES,
    Criteria,
    as_data,
    as_flags,
    check_size,
    excluding_conditions,
    from_flags,
    including_missing,
    prebuilt_criteria,
)
from contactctl.domain.errors import CriteriaError

CATALOGUE = FieldCatalogue()


def condition(text: str):
    return parse_condition(text, CATALOGUE)


def criteria(where=(), where_any=(), where_not=()) -> Criteria:
    return from_flags(where, where_any, where_not, CATALOGUE)


def test_flags_fill_the_three_branches():
    built = criteria(["id > 1"], ["tag = a", "tag = b"], ["group missing"])
    assert built.all == (condition("id > 1"),)
    assert built.any == (condition("tag = a"), condition("tag = b"))
    assert built.none == (condition("group missing"),)


def test_an_error_in_a_flag_names_the_flag():
    with pytest.raises(CriteriaError) as caught:
        criteria(where_not=["emial = x"])
    assert caught.value.message == "--where-not 'emial = x': unknown field 'emial'"
    assert caught.value.hint == "did you mean 'email'?"


def test_without_a_condition_there_are_no_criteria():
    with pytest.raises(CriteriaError, match="have no condition"):
        criteria()


def test_the_prebuilt_criteria():
    assert as_data(prebuilt_criteria())["all"] == ["last_opportunity older-than 24 months"]


def test_flags_to_copy_read_back_as_the_same():
    built = criteria(["company = O'Brien"], ['tag in "a, b",c'], ["id = 1"])
    words = shlex.split(as_flags(built) or "")
    assert words == [
        *("--where", "company = O'Brien"),
        *("--where-any", 'tag in "a, b",c'),
        *("--where-not", "id = 1"),
    ]


def test_nested_criteria_have_no_flags():
    assert as_flags(Criteria(all=(criteria(["id = 1"]),))) is None


def test_as_data_keeps_the_shape():
    inner = Criteria(any=(condition("tag = a"),))
    tree = Criteria("Mine", all=(condition("id = 1"), inner), none=(condition("tag = b"),))
    assert as_data(tree) == {
        "name": "Mine",
        "all": ["id = 1", {"any": ["tag = a"]}],
        "none": ["tag = b"],
    }


def test_conditions_that_are_true_without_the_value():
    tree = Criteria(
        all=(condition("tag = a"), condition("tag != b"), condition("tag missing")),
        none=(
            condition("tag in C,d"),
            condition("tag not-in e,f"),
            Criteria(any=(condition("tag = g"),), none=(condition("tag = h"),)),
        ),
    )
    excluding = [each for each in excluding_conditions(tree) if each.values]
    assert [each.values for each in excluding] == [("b",), ("C", "d"), ("g",)]


@pytest.mark.parametrize(
    ("built", "hint"),
    [
        (
            criteria(["last_opportunity older-than 2 years"]),
            "instead of --where 'last_opportunity older-than 2 years' write --where-any "
            "'last_opportunity older-than 2 years' --where-any 'last_opportunity missing'",
        ),
        (
            criteria(where_any=["tag = a", "last_opportunity older-than 2 years"]),
            "add --where-any 'last_opportunity missing'",
        ),
        (
            criteria(["last_opportunity older-than 2 years"], ["tag = a"]),
            "in a criteria file, under all: "
            'any: ["last_opportunity older-than 2 years", "last_opportunity missing"]',
        ),
        (criteria(where_not=["last_opportunity older-than 2 years"]), ""),
        (criteria(["last_opportunity exists"]), ""),
        (criteria(["tag = a"]), ""),
    ],
)
def test_how_to_include_contacts_without_a_value(built, hint):
    assert including_missing(built, "last_opportunity") == hint


def nested(depth: int) -> Criteria:
    tree = criteria(["id = 1"])
    for _ in range(depth - 1):
        tree = Criteria(all=(tree,))
    return tree


def test_sizes_at_their_limits():
    check_size(nested(MAX_DEPTH))
    check_size(criteria(["id = 1"] * MAX_CONDITIONS))
    many = ",".join(["7"] * MAX_VALUES)
    check_size(criteria([f"id in {many}"]))


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: check_size(nested(MAX_DEPTH + 1)), "nested deeper than 32 levels"),
        (lambda: criteria(["id = 1"] * (MAX_CONDITIONS + 1)), "501 conditions"),
        (lambda: criteria(["id in " + "7," * MAX_VALUES + "7"]), "10001 values"),
    ],
)
def test_sizes_over_their_limits(build, message):
    with pytest.raises(CriteriaError, match=message):
        build()
