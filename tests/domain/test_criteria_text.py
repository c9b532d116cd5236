from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contactctl.domain.criteria.conditions import Condition, format_condition, parse_condition
from contactctl.domain.criteria.fields import (
    OPERATORS,
    USAGES,
    AttributeDeclaration,
    FieldCatalogue,
    FieldType,
    Operator,
    Takes,
)
from contactctl.domain.criteria.values import Span, Unit
from contactctl.domain.errors import CriteriaError
from contactctl.domain.text import show_safely

DECLARED = {
    "plan": FieldType.TEXT,
    "orders": FieldType.NUMBER,
    "vip": FieldType.BOOLEAN,
    "renewal": FieldType.DATE,
}
CATALOGUE = FieldCatalogue(
    {name: AttributeDeclaration(name, kind) for name, kind in DECLARED.items()}
    | {"tier": AttributeDeclaration("tier", FieldType.CHOICE, ("Gold", "silver"))}
)


def parse(text: str) -> Condition:
    return parse_condition(text, CATALOGUE)


def error_of(text: str) -> CriteriaError:
    with pytest.raises(CriteriaError) as caught:
        parse(text)
    return caught.value


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("last_opportunity older-than 24 months", (Span(24, Unit.MONTHS),)),
        ("last_opportunity within-next 1 Year", (Span(1, Unit.YEARS),)),
        ("created on 2024-05-31", (date(2024, 5, 31),)),
        ("created after 2024-05-31T14:30:00+02:00", (datetime(2024, 5, 31, 12, 30, tzinfo=UTC),)),
        ("created after 2024-05-31 14:30z", (datetime(2024, 5, 31, 14, 30, tzinfo=UTC),)),
        ("attributes.renewal between 2024-01-01 and 2024-02-01",
         (date(2024, 1, 1), date(2024, 2, 1))),
        ("id between 1,5", (1, 5)),
        ("id in 1, 2 ,3", (1, 2, 3)),
        ("attributes.orders >= -2.5", (-2.5,)),
        ("attributes.orders < 1e3", (1000.0,)),
        ("attributes.vip = YES", (True,)),
        ("attributes.vip = 1", (True,)),
        ("attributes.vip = 0", (False,)),
        ("created on 20240531", (date(2024, 5, 31),)),
        ("created on 2024-W22-5", (date(2024, 5, 31),)),
        ("attributes.tier = gold", ("Gold",)),
        ("STATUS = Active", ("active",)),
        ("group missing", ()),
        ("company = 'Smith, Jones & Sons'", ("Smith, Jones & Sons",)),
        ("company contains Smith, Jones", ("Smith, Jones",)),
        ("company = Group in Motion", ("Group in Motion",)),
        ("source = https://x.example/?id=5&tag=3", ("https://x.example/?id=5&tag=3",)),
        ("company = O'Brien", ("O'Brien",)),
        ("company = 'O''Brien, Ltd'", ("O'Brien, Ltd",)),
        ('company = " padded "', (" padded ",)),
        ("attributes.plan in free,'a, b',\"say \"\"x\"\"\"", ("free", "a, b", 'say "x"')),
        ("company contains 100%_\\", ("100%_\\",)),
        ("company = Research and Development in Oslo", ("Research and Development in Oslo",)),
        ("company = 'a or tag = b'", ("a or tag = b",)),
        ("company not-in x,'a or tag = b',\"[y]\"", ("x", "a or tag = b", "[y]")),
        ("company = [a]", ("[a]",)),
        ("attributes.orders = 0.30", (0.3,)),
        ("created after 9000-12-31T23:59-01:00", (datetime(9001, 1, 1, 0, 59, tzinfo=UTC),)),
        ("  tag   not-in   a  ,  b  ", ("a", "b")),
        ("company = '; DROP TABLE contact", None),
    ],
)  # fmt: skip
def test_values_are_typed_by_the_field(text, values):
    if values is None:
        assert error_of(text).message == "no closing ' in ''; DROP TABLE contact'"
    else:
        assert parse(text).values == values


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("", "an empty condition", "write FIELD OPERATOR [VALUE]"),
        ("email", "no operator after 'email'", "operators of a text: ="),
        ("emial = x", "unknown field 'emial'", "did you mean 'email'?"),
        ("Last Opportunity exists", "unknown field 'Last'", "last_name, last_opportunity, "),
        ("last-opportunity exists", "unknown field", "did you mean 'last_opportunity'?"),
        ("plan = x", "unknown field 'plan'", "did you mean 'attributes.plan'?"),
        ("attributes.plam = x", "unknown field 'attributes.plam'", "'attributes.plan'?"),
        ("attributes.zzz = x", "unknown field 'attributes.zzz'", "declare it in the config"),
        ("zzz = x", "unknown field 'zzz'", "`contactctl fields` lists every field"),
        ("\x1b[31m = x", "unknown field '\\x1b[31m'", "contactctl fields"),
        ("id>5", "no space around the operator in 'id>5'", "write 'id > 5'"),
        ("email == x", "unknown operator '==' after 'email'", "did you mean '='?"),
        ("email conatins x", "unknown operator 'conatins'", "did you mean 'contains'?"),
        ("last_opportunity = 2020-01-01", "'=' does not fit 'last_opportunity'", "use 'on'"),
        ("created < 2020-01-01", "'<' does not fit 'created'", "use 'before' with a date"),
        ("created > 24 months", "'>' does not fit 'created'", "'within-last' with a span"),
        (
            "attributes.plan < 9",
            "'<' does not fit 'attributes.plan'",
            "`plan: number` in the config",
        ),
        ("tag contains x", "'contains' does not fit 'tag'", "use '=', which tests for a member"),
        ("email <> x", "unknown operator '<>' after 'email'", "did you mean '!='?"),
        ("email like x", "unknown operator 'like' after 'email'", "did you mean 'contains'?"),
        (
            "email like %@x.example",
            "unknown operator 'like'",
            "did you mean 'ends-with @x.example'",
        ),
        ("company like %ab%", "unknown operator 'like'", "did you mean 'contains ab'?"),
        ("last_opened is null", "unknown operator 'is'", "did you mean 'missing'?"),
        ("last_opened never", "unknown operator 'never'", "did you mean 'missing'?"),
        ("company is not empty", "unknown operator 'is'", "did you mean 'exists'?"),
        ("company is x", "unknown operator 'is'", "did you mean '='?"),
        ("tag not in a,b", "unknown operator 'not' after 'tag'", "did you mean 'not-in'?"),
        ("tag is not a", "unknown operator 'is'", "did you mean '!='?"),
        ("tag has a", "unknown operator 'has'", "did you mean '='?"),
        ("company starts with a", "unknown operator 'starts'", "did you mean 'starts-with'?"),
        ("created within last 30 days", "unknown operator 'within'", "'within-last'?"),
        ("created in the last 30 days", "'in' does not fit 'created', which is an instant", ""),
        ("created older than 30 days", "unknown operator 'older'", "'older-than'?"),
        ("created more than 30 days ago", "unknown operator 'more'", "'older-than'?"),
        ("attributes.orders more than 3", "unknown operator 'more'", "did you mean '>'?"),
        ("created since 2024-01-01", "unknown operator 'since'", "did you mean 'between', which"),
        ("created on-or-after 2024-01-01", "unknown operator 'on-or-after'", "'between', which"),
        ("attributes.orders from 3", "unknown operator 'from'", "'between', which"),
        ("created on yesterday", "'yesterday' is not a date", "'within-last 30 days'"),
        ("created before 2 days ago", "'2 days ago' is neither", "'older-than 30 days'"),
        ("last_opportunity after -1 month", "'-1 month' is not a date", "'within-last 30 days'"),
        ("NOT tag = vip", "'NOT' at the start of a condition", "--where-not"),
        ("or tag = vip", "'or' at the start of a condition", "--where-any"),
        ("email != *@x.example", "'*' in the value '*@x.example'", "'ends-with @x.example' finds"),
        ("company != A*", "'*' in the value 'A*' does not stand", "'starts-with A' finds it"),
        ("company not-in A*,b", "'*' in the value 'A*' does not stand", "needs quotes"),
        ("company contains %ab%", "'%' in the value '%ab%'", "'contains ab' finds it"),
        ("email != '*@x.example'", "'*@x.example' is not an email address", "'contains'"),
        ("company != “A”", "typographic quotes around '“A”'", 'or "“A”" if'),
        ("company not-in b, «A», c", "typographic quotes around '«A»'", "without quotes"),
        ("company != `A`", "typographic quotes around '`A`'", "without quotes"),
        ("tag != $TAG", "nothing has filled in '$TAG'", "double quotes"),
        ("tag not-in a, {{ tag }}", "nothing has filled in '{{ tag }}'", "needs quotes"),
        ("tag != ${TAG}", "nothing has filled in '${TAG}'", "needs quotes"),
        ("company != a or tag = b", "another condition in the value: 'tag = b'", "quotes"),
        ("company != a and not tag=b", "another condition in the value: 'tag=b'", "quotes"),
        ("company != a; tag missing", "another condition in the value: '; tag missing'", "quotes"),
        ("company != a group = b", "another condition in the value: 'group = b'", "quotes"),
        ("company != a - tag = b", "another condition in the value: 'tag = b'", "quotes"),
        ("company != a, b", "a ',' in the value 'a, b'", "'not-in' take several"),
        ("company != a; b", "a ';' in the value 'a; b'", "needs quotes"),
        ("tag not-in a; b", "a ';' in the value 'a; b'", "needs quotes"),
        ("email != ann@example", "'ann@example' is not an email address: the domain", "'contains'"),
        ("email not-in ann@example.com,bo", "'bo' is not an email address", "'contains'"),
        ("email_domain != example", "'example' is not an email domain", "'ends-with'"),
        ("tag not-in a, b AND attributes.vip = true", "another condition in the value", "quotes"),
        ("tag not-in [a,b]", "a bracket at the start of a list", "write a,b"),
        ("attributes.orders >= 1e-400", "the number '1e-400' has more digits", "at most 15"),
        ("attributes.orders > 9007199254740993.0", "the number '9007199254740993.0' has", "15"),
        ("created after 9002-01-01T00:00Z", "the year of '9002-01-01T00:00Z' is out", ""),
        ("email older-than 3 days", "'older-than' does not fit 'email', which is a text", "= !="),
        ("email =", "no value after '='", "write 'email = VALUE'"),
        ("email missing x", "'missing' takes no value", "write 'email missing'"),
        ("id between 1", "'between' takes two values, not 1", "write 'id between A and B'"),
        ("id between 5 and 1", "5 comes after 1", "the lower value first"),
        ("id = 1.5", "'1.5' is not a whole number, as 'id' is", ""),
        ("id = 9223372036854775808", "the number '9223372036854775808' is too large", ""),
        ("attributes.orders = n/a", "'n/a' is not a number", "12.5"),
        ("attributes.orders = nan", "'nan' is not a number", "12.5"),
        ("attributes.orders = 1e999", "the number '1e999' is too large", ""),
        ("attributes.vip = maybe", "'maybe' is neither true nor false", ""),
        (
            "attributes.tier = gol",
            "'gol' is not a choice of 'attributes.tier'",
            "did you mean 'gold'?",
        ),
        (
            "attributes.tier = x",
            "'x' is not a choice of 'attributes.tier'",
            "choices: Gold, silver",
        ),
        (
            "deactivation_category = spam-complain",
            "'spam-complain' is not a choice",
            "'spam-complaint'?",
        ),
        (
            "deactivation_category = unsubscribed",
            "'unsubscribed' is not a choice",
            "'deactivation_origin = unsubscribe'?",
        ),
        ("created on 2024-02-30", "'2024-02-30' is not a calendar day", ""),
        ("created on 2024-02", "'2024-02' is not a date", "a month is 'between 2024-05-01 and"),
        ("created on 2024-2-3", "'2024-2-3' is not a date", "2024-05-31"),
        ("created on 2024-01-01T00:00Z", "'2024-01-01T00:00Z' is not a date", "2024-05-31"),
        ("created after 2024-05-31T14:30", "'2024-05-31T14:30' is neither", "with the offset"),
        ("created after 2024-05-31T25:00Z", "'2024-05-31T25:00Z' is not a calendar time", ""),
        ("created before 0999-12-31", "the year of '0999-12-31' is out of range", "1000 to 9000"),
        ("created older-than 24 mons", "unknown unit 'mons'", "did you mean 'months'?"),
        ("created older-than 24 xx", "unknown unit 'xx'", "units: days, weeks, months, years"),
        ("created older-than 90 minutes", "unknown unit 'minutes'", "units: days, weeks"),
        ("created older-than soon", "'soon' is not a span of time", "24 months"),
        ("created older-than -1 days", "'-1 days' is not a span of time", "24 months"),
        ("created older-than 201 years", "'201 years' is too long", "at most 200 years"),
        ("tag in a,,b", "nothing before a comma", "a comma in a value needs quotes"),
        ("tag in a,", "nothing after the last comma", ""),
        ("tag in 'a' b", "text after the closing quote: 'b'", ""),
        ("tag = 'a','b'", "text after the closing quote: ','b''", "'in' takes several values"),
        ("tag = ''", "an empty text", "use 'missing'"),
        ("tag = a\x00b", "a control character, or invalid UTF-8, in 'a\\x00b'", ""),
        ("tag = \udcff", "a control character, or invalid UTF-8, in '\\udcff'", ""),
        ("tag = " + "x" * 1001, "a text of 1001 characters", "at most 1000"),
        ("tag in " + "x," * 2**19 + "x", "a condition of 1048584 characters", ""),
    ],
)
def test_a_mistake_is_named_with_a_way_out(text, message, hint):
    error = error_of(text)
    assert error.message.startswith(message)
    assert hint in error.hint
    assert "\n" not in error.message + error.hint


texts = st.text(st.characters(exclude_categories=["Cc", "Cs"]), min_size=1, max_size=20) | (
    st.lists(
        st.sampled_from(
            ["or", "AND", "tag", "=", "attributes.x", "in", "[", "'", " ", "*a", "%", "«"]
        ),
        min_size=1,
    ).map(" ".join)
)
days = st.dates(date(1000, 1, 1), date(9000, 12, 31))
instants = st.datetimes(datetime(999, 1, 1), datetime(9001, 12, 31), timezones=st.just(UTC))  # noqa: DTZ001
spans = st.builds(Span, st.integers(0, 200), st.sampled_from(Unit))
numbers = st.integers(-(2**63), 2**63 - 1)
VALUES = {
    FieldType.TEXT: texts,
    FieldType.SET: texts,
    FieldType.NUMBER: numbers | st.floats(allow_nan=False, allow_infinity=False),
    FieldType.BOOLEAN: st.booleans(),
    FieldType.DATE: days,
    FieldType.INSTANT: days | instants,
}


ADDRESSES = {
    "email": ["ann@example.com", "o'b+x=y@x.example", "A@MÜNCHEN.example"],
    "email_domain": ["example.com", "München.example"],
}
WHOLE_VALUES = (Operator.EQUALS, Operator.NOT_EQUALS, Operator.IN, Operator.NOT_IN)


@st.composite
def conditions(draw: st.DrawFn) -> Condition:
    field = draw(st.sampled_from(CATALOGUE.fields()))
    operator = draw(st.sampled_from(OPERATORS[field.type]))
    value = st.sampled_from(field.choices) if field.choices else VALUES[field.type]
    value = numbers if field.is_whole_number else value
    value = numbers.map(str) if field.name == "deactivation_run" else value
    value = days if operator is Operator.ON else value
    if field.name in ADDRESSES and operator in WHOLE_VALUES:
        value = st.sampled_from(ADDRESSES[field.name])
    match USAGES[operator].takes:
        case Takes.NOTHING:
            values = ()
        case Takes.SPAN:
            values = (draw(spans),)
        case Takes.SEVERAL:
            values = tuple(draw(st.lists(value, min_size=1, max_size=4)))
        case Takes.RANGE:
            values = tuple(sorted(draw(st.lists(value, min_size=2, max_size=2)), key=str))
            values = values[:1] * 2 if type(values[0]) is type(values[1]) else values
        case Takes.ONE:
            values = (draw(value),)
    return Condition(field, operator, values)


@given(conditions())
def test_a_printed_condition_reads_back_as_the_same(condition):
    assert parse(format_condition(condition)) == condition


@given(st.text(max_size=60) | st.builds("{} {} {}".format, texts, st.sampled_from(Operator), texts))
def test_any_text_is_a_condition_or_a_criteria_error(text):
    try:
        condition = parse(text)
    except CriteriaError as error:
        assert show_safely(error.message + error.hint) == error.message + error.hint
    else:
        assert parse(format_condition(condition)) == condition


def test_a_list_of_a_mebibyte_is_read_in_one_pass():
    assert len(parse("tag in " + ",".join(["'a,b'"] * 100_000)).values) == 100_000
