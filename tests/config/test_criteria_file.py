import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contactctl.config.criteria import criteria_as_yaml, parse_criteria, read_criteria
from contactctl.domain.criteria.conditions import Condition, parse_condition
from contactctl.domain.criteria.fields import AttributeDeclaration, FieldCatalogue, FieldType
from contactctl.domain.criteria.tree import Criteria
from contactctl.domain.errors import CriteriaError

CATALOGUE = FieldCatalogue(
    {
        "plan": AttributeDeclaration("plan", FieldType.TEXT),
        "vip": AttributeDeclaration("vip", FieldType.BOOLEAN),
        "renewal": AttributeDeclaration("renewal", FieldType.DATE),
    }
)


def parse(text: str) -> Criteria:
    return parse_criteria(text, "f.yaml", CATALOGUE)


def condition(text: str) -> Condition:
    return parse_condition(text, CATALOGUE)


def error_of(text: str) -> CriteriaError:
    with pytest.raises(CriteriaError) as caught:
        parse(text)
    return caught.value


def test_the_tree_is_read():
    text = """
name: Stale leads
all:
  - last_opportunity older-than 24 months
  - any: [group = newsletter, "attributes.plan in free,trial"]
none:
  - attributes.vip = true
"""
    assert parse(text) == Criteria(
        name="Stale leads",
        all=(
            condition("last_opportunity older-than 24 months"),
            Criteria(
                any=(condition("group = newsletter"), condition("attributes.plan in free,trial"))
            ),
        ),
        none=(condition("attributes.vip = true"),),
    )


@pytest.mark.parametrize(
    ("mapping", "text"),
    [
        ("{field: attributes.renewal, operator: before, value: 2020-01-01}",
         "attributes.renewal before 2020-01-01"),
        ("{field: attributes.vip, operator: '=', value: yes}", "attributes.vip = true"),
        ("{field: attributes.plan, operator: =, value: yes}", "attributes.plan = yes"),
        ("{field: attributes.plan, operator: =, value: 010}", "attributes.plan = 010"),
        (
            "{field: attributes.plan, operator: =, value: 'a, \"b\"'}",
            'attributes.plan = "a, ""b"""',
        ),
        ("{field: attributes.plan, operator: in, value: [no, 1.0, 'a, b']}",
         'attributes.plan in no,1.0,"a, b"'),
        ("{field: attributes.plan, operator: in, value: 'a,b'}", 'attributes.plan in "a,b"'),
        ("{field: id, operator: between, value: [1, 10]}", "id between 1 and 10"),
        ("{field: created, operator: older-than, value: 2 weeks}", "created older-than 2 weeks"),
        ("{field: group, operator: missing}", "group missing"),
    ],
)  # fmt: skip
def test_the_mapping_form_takes_values_as_written(mapping, text):
    assert parse(f"all:\n  - {mapping}\n").all == (condition(text),)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "f.yaml:1: no criteria"),
        ("# nothing\n", "f.yaml:1: no criteria"),
        ("name: x\n", "f.yaml:1: the criteria have no condition"),
        ("all:\n", "f.yaml:1: an empty group"),
        ("all: [id = 1]\nnone: []\n", "f.yaml:2: an empty group"),
        ("all:\n - any: []\n", "f.yaml:2: an empty group"),
        ("all:\n - {}\n", "f.yaml:2: the criteria have no condition"),
        ("- id = 1\n", "f.yaml:1: conditions without 'all', 'any' or 'none' above them"),
        ("id = 1\n", "f.yaml:1: conditions without 'all', 'any' or 'none' above them"),
        ("all: id = 1\n", "f.yaml:1: 'id = 1' is not in a list"),
        ("none:\n - tag = Team #1\n", "f.yaml:2: '#1' after 'tag = Team' would be a comment"),
        ("none:\n - company = x\n - {field: tag, operator: '=', value: Team #1\n }\n",
         "f.yaml:3: '#1' after 'Team' would be a comment"),
        ("none:\n - {field: tag, operator: in, value: [a, b #c\n ]}\n",
         "f.yaml:2: '#c' after 'b' would be a comment"),
        ("al: [id = 1]\n", "f.yaml:1: unknown key 'al'"),
        ("all: [id = 1]\nall: [id = 2]\n", "f.yaml:2: the key 'all' is already on line 1"),
        ("all:\n - id = 1\n -\n", "f.yaml:3: expected text, found nothing"),
        ("all:\n - 5\n", "f.yaml:2: unknown field '5'"),
        ("all:\n - [id = 1]\n", "f.yaml:2: expected text, found a list"),
        ("all:\n - id = 1\n\n - emial = x\n", "f.yaml:4: unknown field 'emial'"),
        ("all:\n - company = a: b\n", "f.yaml:2: 'company = a: ...' is not a condition"),
        ("all:\n - name: x\n   any: [id = 1]\n", "f.yaml:2: unknown key 'name'"),
        ("all:\n - {field: id}\n", "f.yaml:2: a condition without 'operator'"),
        ("all:\n - field: id\n   operator: '='\n   value: [1, 2]\n",
         "f.yaml:4: '=' takes one value, not 2"),
        ("all:\n - field: id\n   operator: older-than\n   value: 1\n",
         "f.yaml:3: 'older-than' does not fit 'id', which is a number"),
        ("all:\n - {field: id, operator: '=', value: null}\n", "f.yaml:2: no value after '='"),
        ("all:\n - {field: company, operator: '=', value: ''}\n", "f.yaml:2: an empty text"),
        ("all:\n - {field: company, operator: '=', value: \"a\\nb\"}\n",
         "f.yaml:2: a control character, or invalid UTF-8, in 'a\\x0ab'"),
        ("all:\n - {field: id, operator: '=', vlaue: 1}\n", "f.yaml:2: unknown key 'vlaue'"),
        ("any: ["  * 40 + "id = 1" + "]" * 40, "f.yaml:1: criteria nested deeper than 32 levels"),
        ("all: [" + "id = 1, " * 501 + "]", "f.yaml:1: 501 conditions"),
        ("all: [&x id = 1, *x]", "f.yaml:1: anchors (&) and aliases (*) are not accepted"),
    ],
)  # fmt: skip
def test_a_mistake_is_an_error_at_its_line(text, message):
    assert error_of(text).message == message


def test_an_error_says_what_to_write():
    assert error_of("all:\n - emial = x").hint == "did you mean 'email'?"
    assert "at least one" in error_of("all: []").hint
    assert "quotes" in error_of("all:\n - company = a: b").hint
    assert "quotes" in error_of("all:\n - company = a #b").hint
    for text in ("and: [id = 1]", "where: [id = 1]", "id = 1"):
        assert "all" in error_of(text).hint and "any" not in error_of(text).hint
    assert error_of("OR: [id = 1]").hint == "did you mean 'any'?"
    assert error_of("all:\n - not: [id = 1]").hint == "did you mean 'none'?"


@pytest.mark.parametrize(
    "line", ["id = 1 # one", "id = 1 ## one", "id = 1  #\n", "'id = 1' #1", "id = 1 # a #b\r\n"]
)
def test_a_comment_that_nobody_takes_for_text_is_one(line):
    assert parse(f"all:\n - {line}").all == (condition("id = 1"),)


def test_criteria_come_from_a_stream_too():
    stream = io.BytesIO(b"any: [group = caf\xc3\xa9]")
    assert read_criteria(stream, "standard input", CATALOGUE).any == (condition("group = café"),)


texts = st.text(st.characters(exclude_categories=["Cc", "Cs"]), min_size=1, max_size=12)
conditions = st.one_of(
    st.builds(Condition, st.just(CATALOGUE.find("company")),
              st.just(condition("company = x").operator), st.tuples(texts)),
    st.builds(Condition, st.just(CATALOGUE.find("tag")),
              st.just(condition("tag in x").operator), st.lists(texts, min_size=1).map(tuple)),
)  # fmt: skip


def nested(parts):
    branch = st.lists(parts, max_size=2).map(tuple)
    branches = st.tuples(branch, branch, branch).filter(any)
    return branches.map(lambda b: Criteria(all=b[0], any=b[1], none=b[2]))


@given(nested(st.recursive(conditions, nested, max_leaves=6)), texts)
def test_what_is_written_reads_back_as_the_same(criteria, name):
    named = Criteria(name, criteria.all, criteria.any, criteria.none)
    assert parse(criteria_as_yaml(named)) == named
