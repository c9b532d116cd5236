"""What each key accepts, and what is said about values that do not fit."""

from datetime import timedelta
from decimal import Decimal

import pytest

from contactctl.domain.criteria.fields import AttributeDeclaration, FieldType
from contactctl.domain.errors import ConfigError
from contactctl.domain.policies import (
    Approval,
    Billing,
    BillingTier,
    GroupPolicy,
    HandlingAction,
    HandlingRule,
    IncidentGuard,
    Scope,
    Threshold,
)
from contactctl.domain.responses import Category


def error_of(load, yaml):
    with pytest.raises(ConfigError) as error:
        load(yaml)
    return error.value


def test_the_outline_of_the_design_is_read_whole(load):
    settings = load("""\
        database: postgresql://host/db
        time_zone: Europe/Oslo
        attributes: {plan: text, orders: number, vip: boolean, renewal: date, tier: [Gold, ÅL]}
        billing:
          currency: NOK
          tiers: [{up_to: 1000, price: 29.10}, {price: 249}]
        limits: {max_contacts: 0, max_percent: 12.5%}
        plans: {expire_after: 2 weeks, approval: second-operator}
        allow_undo: true
        thresholds:
          invalid-address: {count: 1}
          transient: {count: 5, within: 30 days}
        reset_on_delivery: true
        handling:
          transient: {reactivate_after: 10 days}
          invalid-address: {remove_from_group_after: 90 days}
        groups:
          News v1.2:
            thresholds: {blocked: {count: 3}}
            handling: {unknown: {reactivate_after: 1 day}}
            deactivate: group
        incident_guard: {within: 6 hours, more_than: 3, times_usual: 2, percent_of_delivered: 5}
        verp: 'bounce+{local}={domain}@returns.example.com'
        recipient_headers: [X-ListMember]
        """).settings
    assert settings.database == "postgresql://host/db"
    assert settings.time_zone == "Europe/Oslo"
    assert settings.attributes == {
        "plan": AttributeDeclaration("plan", FieldType.TEXT),
        "orders": AttributeDeclaration("orders", FieldType.NUMBER),
        "vip": AttributeDeclaration("vip", FieldType.BOOLEAN),
        "renewal": AttributeDeclaration("renewal", FieldType.DATE),
        "tier": AttributeDeclaration("tier", FieldType.CHOICE, ("gold", "ål")),
    }
    tiers = (BillingTier(1000, Decimal("29.10")), BillingTier(None, Decimal(249)))
    assert settings.billing == Billing("NOK", tiers)
    assert str(settings.billing.tiers[0].price) == "29.10"
    assert (settings.limits.max_contacts, settings.limits.max_percent) == (0, Decimal("12.5"))
    assert settings.plans.expire_after == timedelta(days=14)
    assert settings.plans.approval is Approval.SECOND_OPERATOR
    assert settings.allow_undo is True
    policy = settings.responses
    assert policy.reset_on_delivery is True
    assert policy.thresholds == {
        Category.INVALID_ADDRESS: Threshold(1, None),
        Category.TRANSIENT: Threshold(5, timedelta(days=30)),
    }
    assert policy.handling == {
        Category.TRANSIENT: HandlingRule(HandlingAction.REACTIVATE, timedelta(days=10)),
        Category.INVALID_ADDRESS: HandlingRule(
            HandlingAction.REMOVE_FROM_GROUP, timedelta(days=90)
        ),
    }
    assert policy.groups == {
        "news v1.2": GroupPolicy(
            "News v1.2",
            {Category.BLOCKED: Threshold(3)},
            {Category.UNKNOWN: HandlingRule(HandlingAction.REACTIVATE, timedelta(days=1))},
            Scope.GROUP,
        )
    }
    assert policy.incident_guard == IncidentGuard(timedelta(hours=6), 3, 2, Decimal(5))
    assert settings.verp == "bounce+{local}={domain}@returns.example.com"
    assert settings.recipient_headers == ("X-ListMember",)


@pytest.mark.parametrize(
    ("yaml", "line", "unknown", "suggestion"),
    [
        ("limit: {max_contacts: 1}", 1, "'limit'", "'limits'"),
        ("limits:\n  max_contact: 1", 2, "'max_contact' in 'limits'", "'max_contacts'"),
        ("plans: {approve: x}", 1, "'approve' in 'plans'", "'approval'"),
        ("billing:\n  tiers:\n    - prize: 1", 3, "'prize' in 'billing.tiers'", "'price'"),
        (
            "groups:\n  a:\n    thresholds:\n      blocked: {counts: 1}",
            4,
            "'counts' in 'groups.a.thresholds.blocked'",
            "'count'",
        ),
        ("mailboxes: {a: {uri: x}}", 1, "'uri' in 'mailboxes.a'", "'url'"),
    ],
)
def test_an_unknown_key_is_an_error_with_a_did_you_mean(load, yaml, line, unknown, suggestion):
    error = error_of(load, yaml)
    assert error.message == f"contactctl.yaml:{line}: unknown key {unknown}"
    assert error.hint == f"did you mean {suggestion}?"


def test_an_unknown_key_like_no_other_gets_the_list_of_keys(load):
    assert (
        error_of(load, "limits: {xyz: 1}").hint == "known keys: max_contacts, max_percent, per_day"
    )


@pytest.mark.parametrize(
    ("yaml", "problem"),
    [
        # database
        ("database: 5", "database: must be a URL such as"),
        ("database: contacts.db", "database: must be a URL: for this file sqlite:///contacts.db"),
        ("database: oracle://x/y", "database: 'oracle' is not a supported database"),
        ("database: sqlite://contacts.db", "database: needs a file: sqlite:///"),
        ("database: 'sqlite:///'", "database: needs a file"),
        ("database: sqlite:///folder/", "database: needs a file"),
        ("database: 'sqlite:///:memory:'", "database: a database in memory"),
        ("database: sqlite:///a.db?mode=ro", "database: an SQLite URL takes no options"),
        ("database: postgresql://host", "database: needs a database name"),
        ("database: postgresql://host/?application_name=x", "database: needs a database name"),
        ("database: 'postgresql://me:a@b/c@host/db'", "write @ : / ? # in a password as %40"),
        ("database: 'postgresql://me:a/b@host/db'", "write @ : / ? # in a password as %40"),
        ("database: 'postgresql://me:a?b#@host/db'", "write @ : / ? # in a password as %40"),
        ("database: postgresql://host:54x/db", "must look like postgresql://user@host:5432/"),
        ("database: 'postgresql://[::1/db'", "must look like postgresql://user@host:5432/"),
        ('database: "sqlite:///a\\tb"', "database: must be a URL"),
        # time zone
        ("time_zone: Europe/Olso", "'Europe/Olso': did you mean 'Europe/Oslo'?"),
        ("time_zone: Europe", "time_zone: must be a time zone such as Europe/Oslo, not 'Europe'"),
        ("time_zone: ../etc/passwd", "time_zone: must be a time zone"),
        ("time_zone: 2", "time_zone: must be a time zone such as Europe/Oslo, not '2'"),
        # attributes
        ("attributes: {plan: txt}", "'txt': did you mean 'text'?"),
        ("attributes: {plan: choice}", "attributes.plan: must be one of text, number, boolean,"),
        ("attributes: {plan: integer}", "not 'integer': did you mean 'number'"),
        ("attributes: {plan: {a: b}}", "a list of choices, not a mapping"),
        ("attributes: {plan: []}", "attributes.plan: needs at least one choice"),
        ("attributes: {plan: [Gold, gold]}", "attributes.plan: has the same choice twice"),
        ("attributes: {plan: [yes, true]}", "must be text, not true (quote it if it is text)"),
        ("attributes: {plan: [[a]]}", "attributes.plan: must be text, not a list"),
        ("attributes: {Plan: text}", "attributes.Plan: an attribute name consists of"),
        ("attributes: {'a b': text}", "attributes.a b: an attribute name consists of"),
        ("attributes: {1st: text}", "attributes.1st: an attribute name consists of"),
        # billing
        ("billing: {currency: dollar}", "billing.currency: must be a currency code such as USD"),
        ("billing: {tiers: 5}", "billing.tiers: must be a list"),
        ("billing: {tiers: [{up_to: 5}]}", "billing.tiers: needs 'price'"),
        ("billing: {tiers: [{up_to: 5, price: 1}]}", "billing: the last tier, and only the last"),
        ("billing: {tiers: [{price: 1}, {price: 2}]}", "billing: the last tier, and only the"),
        ("billing: {tiers: [{price: 1}, {up_to: 1, price: 2}]}", "billing: the last tier, and"),
        (
            "billing: {tiers: [{up_to: 5, price: 1}, {up_to: 5, price: 2}, {price: 3}]}",
            "billing: the tiers must ascend",
        ),
        ("billing: {tiers: [{price: -1}]}", "must be a price of 0 or more, not '-1'"),
        ("billing: {tiers: [{price: .nan}]}", "must be a price of 0 or more, not '.nan'"),
        ("billing: {tiers: [{up_to: 0, price: 1}]}", "a whole number of at least 1, not '0'"),
        # limits
        ("limits:", "limits: must be a mapping"),
        ("limits: 5", "limits: must be a mapping"),
        ("limits: {max_contacts: many}", "must be a whole number of at least 0, not 'many'"),
        ("limits: {max_contacts: 1.5}", "must be a whole number of at least 0, not '1.5'"),
        ("limits: {max_contacts: -1}", "must be a whole number of at least 0, not '-1'"),
        ("limits: {max_contacts: true}", "must be a whole number of at least 0, not true"),
        ("limits: {max_contacts: }", "must be a whole number of at least 0, not nothing"),
        ("limits: {max_contacts: 1e999999999}", "must be a whole number of at most 1000000000"),
        (
            "limits: {max_contacts: 1e-9999999999999999999}",
            "of at least 0, not '1e-",
        ),
        ("limits: {max_percent: 1e-9999999999999999999}", "must be a percentage from 0 to 100"),
        ("limits: {max_percent: 101}", "must be a percentage from 0 to 100, not '101'"),
        ("limits: {max_percent: -0.1}", "must be a percentage from 0 to 100, not '-0.1'"),
        ("limits: {max_percent: '%'}", "must be a percentage from 0 to 100, not '%'"),
        ("limits: {max_percent: nan}", "must be a percentage from 0 to 100, not 'nan'"),
        ("limits: {max_contacts: [1]}", "must be a whole number of at least 0, not a list"),
        ("limits: {max_percent: inf}", "must be a percentage from 0 to 100, not 'inf'"),
        # plans
        ("plans: {expire_after: 24}", "plans.expire_after: must be a duration such as"),
        ("plans: {expire_after: 2 months}", "plans.expire_after: must be a duration such as"),
        (
            "plans: {approval: second operator}",
            "not 'second operator': did you mean 'second-operator'?",
        ),
        ("plans: {approval: [a]}", "must be one of same-operator, second-operator, not a list"),
        ("allow_undo: 'yes'", "allow_undo: must be true or false, not 'yes'"),
        ("allow_undo: 1", "allow_undo: must be true or false, not '1'"),
        # thresholds, handling
        ("thresholds: {hard: {count: 1}}", "thresholds.hard: not a response category: one of"),
        ("thresholds: {block: {count: 1}}", "not a response category: did you mean 'blocked'?"),
        ("thresholds: {blocked: {count: 0}}", "must be a whole number of at least 1, not '0'"),
        (
            "thresholds: {blocked: {count: 1000000001}}",
            "must be a whole number of at most 10000000",
        ),
        ("thresholds: {blocked: {within: 1 day}}", "blocked: needs 'count'"),
        ("thresholds: {blocked: 3}", "thresholds.blocked: must be a mapping"),
        ("thresholds: {blocked: {count: 1, within: 0 days}}", "must be a duration such as"),
        ("handling: {unknown: {}}", "handling.unknown: needs exactly one of"),
        (
            "handling: {unknown: {reactivate_after: 1 day, remove_from_group_after: 1 day}}",
            "handling.unknown: needs exactly one of",
        ),
        # groups
        ("groups: {a: {deactivate: nowhere}}", "must be one of system-wide, group, not 'nowhere'"),
        ("groups: {News: {}, news: {}}", "groups.news: this name occurs twice"),
        ("groups: {' ': {}}", "must be text, not ' '"),
        ("incident_guard: {percent_of_delivered: 200}", "a percentage from 0 to 100, not '200'"),
        # files
        ("suppression_key_file: ''", "suppression_key_file: must be text, not ''"),
        ('suppression_key_file: "a\\0b"', "suppression_key_file: must be text"),
        ("suppression_key_file: ~nobody-has-this-name/x", "the home folder of '~' is unknown"),
    ],
)
def test_a_value_that_does_not_fit_is_an_error_with_its_place(load, yaml, problem):
    message = error_of(load, yaml).message
    assert message.startswith("contactctl.yaml:1: ")
    assert problem in message


@pytest.mark.parametrize(
    "pattern",
    [
        "5",
        "bounce@returns.example",
        "bounce+{local}@returns.example",
        "bounce+{local}{domain}@returns.example",
        "bounce+{local}={domain}={x}@returns.example",
        "bounce+{local}={domain}",
        "bounce@{local}={domain}",
    ],
)
def test_a_verp_pattern_holds_the_parts_of_the_recipient_before_the_at(load, pattern):
    assert "verp: must be an address pattern" in error_of(load, f"verp: '{pattern}'").message


@pytest.mark.parametrize(
    ("url", "normalised"),
    [
        ("sqlite:////srv/a.db", "sqlite:////srv/a.db"),
        ("sqlite+pysqlite:////srv/a.db", "sqlite:////srv/a.db"),
        ("postgres://me@host:5433/db", "postgresql://me@host:5433/db"),
        ("postgresql+psycopg://host/db?sslmode=require", "postgresql://host/db?sslmode=require"),
        ("postgresql:///db?host=/run/postgresql", "postgresql:///db?host=/run/postgresql"),
        ("postgresql://me:a%40b@[::1]:5433/db", "postgresql://me:a%40b@[::1]:5433/db"),
        ("postgresql://me:a:b@host/db", "postgresql://me:a:b@host/db"),
        ("sqlite:////srv/100%25.db", "sqlite:////srv/100%25.db"),
        ("sqlite:////srv/100%.db", "sqlite:////srv/100%25.db"),
        ("sqlite:////srv/a%20b%3F.db", "sqlite:////srv/a b%3F.db"),
    ],
)
def test_database_urls_are_normalised(load, url, normalised):
    assert load(f"database: {url}").settings.database == normalised


@pytest.mark.parametrize(
    "value",
    [
        *("sqlite:///${HOME}/a.db", "sqlite:///$HOME/a.db", "sqlite:///{{ db }}.db"),
        *("postgresql://${DB_HOST}/x", "postgresql://h/${DB_NAME}"),
    ],
)
def test_a_placeholder_that_nothing_fills_in_is_refused(load, value):
    assert "which nothing fills in" in error_of(load, f"database: '{value}'").message


def test_a_dollar_in_a_password_or_a_name_is_none(load):
    for url in ("postgresql://u:a${b}c@h/x", "sqlite:////a$b.db"):
        assert load(f"database: '{url}'").settings.database == url


def test_a_tilde_is_the_home_folder(load, monkeypatch):
    monkeypatch.setenv("HOME", "/home/me")
    settings = load("database: sqlite:///~/a.db\nsuppression_key_file: ~/key").settings
    assert settings.database == "sqlite:////home/me/a.db"
    assert str(settings.suppression_key_file) == "/home/me/key"


@pytest.mark.parametrize("category", ["spam-complaint", "invalid-address"])
@pytest.mark.parametrize("indent", ["", "groups:\n  news:\n    "])
def test_reactivating_what_is_not_recommended_needs_a_word(load, category, indent):
    rule = f"handling: {{{category}: {{reactivate_after: 9 days}}}}\n"
    yaml = indent + rule
    key = f"{'groups.news.' if indent else ''}handling.{category}"
    place = f"contactctl.yaml:{3 if indent else 1}"
    problem = f"{place}: {key}: automatic reactivation of {category} is not recommended"
    error = error_of(load, yaml)
    assert error.message == problem
    assert "allow_not_recommended: true" in error.hint
    assert load(yaml + "allow_not_recommended: true\n").warnings == (problem,)


def test_removing_what_is_not_recommended_to_reactivate_is_fine(load):
    yaml = "handling: {spam-complaint: {remove_from_group_after: 9 days}}"
    assert load(yaml).warnings == ()


def test_a_group_that_bypasses_system_wide_deactivation_is_warned_of(load):
    loaded = load("""\
        groups:
          quiet: {bypass_system_wide: false}
          loud: {bypass_system_wide: true}
        """)
    assert len(loaded.warnings) == 1
    assert loaded.warnings[0].startswith("contactctl.yaml:3: groups.loud: bypasses system-wide")
    assert loaded.settings.responses.group("LOUD").bypass_system_wide


RULE = "{id: ours, category: blocked, text: [held by us]}"


def test_response_rules_stand_in_the_config(load):
    rules = load(f"response_rules:\n  - {RULE}\n").settings.response_rules
    assert rules.origin == "contactctl.yaml:1"
    assert rules.mappings == ({"id": "ours", "category": "blocked", "text": ["held by us"]},)


def test_response_rules_stand_in_a_file_beside_the_config(load, project):
    (project / "rules.yaml").write_text(f"- {RULE}\n")
    rules = load("response_rules: rules.yaml\n").settings.response_rules
    assert rules.origin == str(project / "rules.yaml")
    assert [rule["id"] for rule in rules.mappings] == ["ours"]


@pytest.mark.parametrize(
    ("yaml", "rules", "problem"),
    [
        ("response_rules: rules.yaml", "a: b", "rules.yaml:1: must be a list"),
        ("response_rules: rules.yaml", "- a\n", "rules.yaml:1: must be a mapping"),
        ("response_rules: gone.yaml", "", "cannot read"),
        ("response_rules: [a]", "", "contactctl.yaml:1: response_rules: must be a mapping"),
        ("response_rules: 5", "", "response_rules: must be text, not '5'"),
    ],
)
def test_response_rules_of_another_kind_are_errors(load, project, yaml, rules, problem):
    (project / "rules.yaml").write_text(rules)
    assert problem in error_of(load, yaml).message


@pytest.mark.parametrize("name", ["'X Member'", "'X-Member:'", "''", "7"])
def test_a_recipient_header_is_the_name_of_a_field(load, name):
    message = error_of(load, f"recipient_headers: [{name}]").message
    assert "must be a header field's name" in message
