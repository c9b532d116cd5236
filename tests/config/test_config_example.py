"""The example config loads, its samples too; the reference names every key."""

import re
from pathlib import Path

from contactctl.config.database import example_text
from contactctl.config.load import load_settings_file, variable_name
from contactctl.config.schema import ByName, ListOf, Section, scalar_keys
from contactctl.config.sections import SCHEMA
from contactctl.domain.policies import IncidentGuard, Limits, PlanPolicy
from contactctl.domain.responses import Category
from contactctl.responses.rules import parse_rules

PROJECT = Path(__file__).parents[2]
REFERENCE = (PROJECT / "docs/reference/config.md").read_text(encoding="utf-8")


def keys_of(shape, key=""):
    """The dotted keys below `key`, itself where it holds a value."""
    if isinstance(shape, Section):
        return {k for n, s in shape.shapes.items() for k in keys_of(s, f"{key}.{n}" if key else n)}
    if isinstance(shape, ByName):
        return keys_of(shape.shape, f"{key}.{shape.placeholder}")
    return {key, *keys_of(shape.element, key)} if isinstance(shape, ListOf) else {key}


def documented_keys():
    return set(re.findall(r"^\| `([A-Za-z_.]+)` \|", REFERENCE, re.MULTILINE))


def test_the_example_of_the_project_is_the_one_that_init_writes():
    assert (PROJECT / "config.example.yaml").read_text(encoding="utf-8") == example_text()


def test_the_example_loads_as_it_stands(load):
    loaded = load_settings_file(PROJECT / "config.example.yaml")
    settings = loaded.settings
    assert loaded.warnings == ()
    assert loaded.origin("database") == "default"
    assert (settings.limits, settings.plans) == (Limits(), PlanPolicy())
    assert settings.responses.incident_guard == IncidentGuard()
    assert set(settings.responses.thresholds) == set(Category) - {Category.BLOCKED}
    assert settings.responses.thresholds[Category.INVALID_ADDRESS].count == 1
    recommended = {Category.TRANSIENT, Category.UNKNOWN, Category.COMMUNICATION_FAILURE}
    assert set(settings.responses.handling) == recommended


def test_the_example_loads_with_every_sample_taken_over(load, full_example):
    loaded = load(full_example)
    settings = loaded.settings
    assert loaded.warnings == ()
    assert settings.database == "postgresql://contactctl@db.example.com/marketing"
    assert set(settings.mailboxes) == {"bounces", "complaints", "office"}
    assert settings.responses.group("newsletter").deactivate == "group"
    rules = parse_rules(settings.response_rules.mappings, origin=settings.response_rules.origin)
    assert [rule.id for rule in rules] == ["our-relay-quarantine"]


def test_the_full_example_has_every_section(full_example):
    written = {line.partition(":")[0] for line in full_example.splitlines() if line[:1].isalpha()}
    assert written == set(SCHEMA.shapes)


def test_init_can_name_the_database_in_the_example(load):
    url = 'sqlite:////srv/a # "b"/ø.db'
    loaded = load(example_text(url))
    assert loaded.settings.database == url
    assert loaded.origin("database").startswith("contactctl.yaml:")


def test_every_key_is_documented_and_no_other():
    variables = {"CONTACTCTL_DATABASE_URL", "CONTACTCTL_CONFIG", "CONTACTCTL_TIME_ZONE"}
    variables |= {"CONTACTCTL_KEY", "CONTACTCTL_SECTION__KEY", "CONTACTCTL_NOW", "CONTACTCTL_DEBUG"}
    assert documented_keys() == keys_of(SCHEMA) | variables


def test_the_documented_variables_follow_the_general_form():
    names = {variable_name(key) for key in scalar_keys(SCHEMA)}
    examples = {"CONTACTCTL_TIME_ZONE", "CONTACTCTL_ALLOW_UNDO", "CONTACTCTL_LIMITS__MAX_CONTACTS"}
    assert {*examples, "CONTACTCTL_DATABASE_URL"} <= names
    assert all(f"`{example}" in REFERENCE for example in examples)


def test_what_has_no_fixed_name_cannot_be_set_by_a_variable():
    assert set(scalar_keys(SCHEMA)) == {
        "database",
        "time_zone",
        "billing.currency",
        "limits.max_contacts",
        "limits.max_percent",
        "limits.per_day",
        "plans.expire_after",
        "plans.approval",
        "allow_undo",
        "allow_replaced_clock",
        "reset_on_delivery",
        "allow_not_recommended",
        "heartbeat.url",
        "machine_click_seconds",
        "keep_deliveries",
        "unsubscribes",
        "incident_guard.within",
        "incident_guard.more_than",
        "incident_guard.times_usual",
        "incident_guard.percent_of_delivered",
        "response_rules",
        "verp",
        "suppression_key_file",
    }
