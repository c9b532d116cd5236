"""What a store decides binds every config: one may be stricter, never looser."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contactctl.config.load import load_settings, load_settings_file
from contactctl.config.policy import (
    POLICY,
    POLICY_KEYS,
    as_yaml,
    bind,
    policy_changes,
    policy_document,
)
from contactctl.config.schema import scalar_keys
from contactctl.config.sections import SCHEMA
from contactctl.config.settings import LoadedSettings
from contactctl.domain.policies import Approval


def loaded(tmp_path: Path, document: Mapping[str, Any], **environ: str) -> LoadedSettings:
    path = tmp_path / "own.yaml"
    path.write_text(as_yaml(document))
    return load_settings(config_path=path, environ=environ, cwd=tmp_path)


MACHINE_KEYS = {
    *("database", "attributes", "billing", "response_rules", "formats", "verp", "heartbeat"),
    *("recipient_headers", "mailboxes", "sources", "suppression_key_file"),
}


def test_every_setting_is_either_decided_by_the_store_or_belongs_to_the_machine() -> None:
    assert set(POLICY_KEYS).isdisjoint(MACHINE_KEYS)
    assert {*POLICY_KEYS, *MACHINE_KEYS} == set(SCHEMA.shapes)
    said = [key for key in scalar_keys(SCHEMA) if key.partition(".")[0] in POLICY_KEYS]
    assert [key for key in said if key not in POLICY] == []


LOOSE = {
    "limits": {"max_contacts": 10**6, "max_percent": 100},
    "plans": {"approval": "same-operator", "expire_after": "900 days"},
    "allow_undo": True,
    "thresholds": {"blocked": {"count": 1}},
    "handling": {"transient": {"reactivate_after": "1 hours"}},
    "groups": {"News": {"bypass_system_wide": True}},
    "incident_guard": {"more_than": 10**6, "percent_of_delivered": 100},
    "allow_replaced_clock": True,
    "reset_on_delivery": True,
    "time_zone": "Asia/Tokyo",
}
STRICT = {
    "limits": {"max_contacts": 5, "max_percent": 0.5},
    "plans": {"approval": "second-operator", "expire_after": "2 hours"},
    "allow_undo": False,
    "incident_guard": {"more_than": 1, "percent_of_delivered": 1, "times_usual": 1},
    "allow_replaced_clock": False,
}


def test_what_is_looser_or_merely_different_is_not_used_and_named(tmp_path: Path) -> None:
    bound = bind(loaded(tmp_path, LOOSE), STRICT, 3)
    by_policy = load_settings_file(written(tmp_path, STRICT)).settings
    found = bound.loaded.settings
    assert (found.limits, found.plans, found.allow_undo, found.responses, found.time_zone) == (
        by_policy.limits,
        by_policy.plans,
        by_policy.allow_undo,
        by_policy.responses,
        "UTC",
    )
    assert not bound.stricter
    assert set(bound.unused) == {
        f"{key}.{below}" if isinstance(value, dict) else key
        for key, value in LOOSE.items()
        for below in (value if isinstance(value, dict) else ("",))
    }
    assert bound.loaded.origin("limits.max_percent") == "policy 3"


def test_what_is_stricter_holds_and_says_so(tmp_path: Path) -> None:
    bound = bind(loaded(tmp_path, STRICT), LOOSE, 3)
    settings = bound.loaded.settings
    assert (settings.limits.max_contacts, str(settings.limits.max_percent)) == (5, "0.5")
    assert settings.plans.approval is Approval.SECOND_OPERATOR
    assert (settings.allow_undo, settings.allow_replaced_clock) == (False, False)
    assert settings.time_zone == "Asia/Tokyo"
    assert not bound.unused
    origin = bound.loaded.origin("limits.max_contacts")
    assert origin.endswith("own.yaml:2, stricter than policy 3")


def test_a_variable_cannot_be_looser_either(tmp_path: Path) -> None:
    own = loaded(
        tmp_path, {}, CONTACTCTL_PLANS__APPROVAL="same-operator", CONTACTCTL_LIMITS__MAX_PERCENT="3"
    )
    bound = bind(own, {"plans": {"approval": "second-operator"}}, 1)
    assert bound.loaded.settings.plans.approval is Approval.SECOND_OPERATOR
    assert bound.unused == {"plans.approval": "CONTACTCTL_PLANS__APPROVAL"}
    assert list(bound.stricter) == ["limits.max_percent"]


def test_what_belongs_to_the_machine_stays_its_own(tmp_path: Path) -> None:
    own = loaded(tmp_path, {"database": "sqlite:///mine.db", "verp": "b+{local}={domain}@x.no"})
    bound = bind(own, LOOSE, 1)
    assert bound.loaded.settings.database == own.settings.database
    assert bound.loaded.settings.verp == own.settings.verp
    assert bound.loaded.origin("verp").endswith("own.yaml:2")


def test_a_warning_is_about_what_holds(tmp_path: Path) -> None:
    bypassing = {"groups": {"news": {"bypass_system_wide": True}}}
    assert bind(loaded(tmp_path, bypassing), {}, 1).loaded.warnings == ()
    [warning] = bind(loaded(tmp_path, {}), bypassing, 1).loaded.warnings
    assert warning.startswith("policy 1: groups.news: bypasses")


def written(folder: Path, document: Mapping[str, Any]) -> Path:
    path = folder / "policy.yaml"
    path.write_text(as_yaml(document))
    return path


_HOURS = st.integers(1, 2000).map(lambda n: f"{n} hours")
_PERCENT = st.one_of(st.integers(0, 100), st.integers(0, 1000).map(lambda n: n / 10))
_THRESHOLDS = st.dictionaries(
    st.sampled_from(["transient", "blocked", "unknown"]),
    st.fixed_dictionaries({"count": st.integers(1, 9)}, optional={"within": _HOURS}),
)
DOCUMENTS = st.fixed_dictionaries(
    {},
    optional={
        "time_zone": st.sampled_from(["UTC", "Europe/Oslo", "Asia/Tokyo"]),
        "limits": st.fixed_dictionaries(
            {}, optional={"max_contacts": st.integers(0, 10**6), "max_percent": _PERCENT}
        ),
        "plans": st.fixed_dictionaries(
            {},
            optional={
                "approval": st.sampled_from([str(each) for each in Approval]),
                "expire_after": _HOURS,
            },
        ),
        "allow_undo": st.booleans(),
        "thresholds": _THRESHOLDS,
        "reset_on_delivery": st.booleans(),
        "groups": st.dictionaries(
            st.sampled_from(["news", "yes", "1", "Ærø: x", "2024-01-01"]),
            st.fixed_dictionaries({}, optional={"thresholds": _THRESHOLDS}),
        ),
    },
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("policy")


@given(own=DOCUMENTS, policy=DOCUMENTS)
def test_no_config_is_ever_looser(folder: Path, own: Any, policy: Any) -> None:
    mine = loaded(folder, own)
    theirs = load_settings_file(written(folder, policy)).settings
    found = bind(mine, policy, 1).loaded.settings
    assert found.limits.max_contacts == min(
        theirs.limits.max_contacts,
        own.get("limits", {}).get("max_contacts", theirs.limits.max_contacts),
    )
    assert found.limits.max_percent <= theirs.limits.max_percent
    assert found.plans.expire_after <= theirs.plans.expire_after
    both = {own.get("plans", {}).get("approval"), str(theirs.plans.approval)}
    assert ("second-operator" in both) == (found.plans.approval is Approval.SECOND_OPERATOR)
    assert found.allow_undo == (theirs.allow_undo and own.get("allow_undo", True))
    assert found.responses.thresholds == theirs.responses.thresholds
    assert found.responses.groups == theirs.responses.groups
    assert found.time_zone == theirs.time_zone


@given(document=DOCUMENTS)
def test_what_is_exported_is_read_as_the_same(folder: Path, document: Any) -> None:
    first = policy_document(load_settings_file(written(folder, document)))
    again = policy_document(load_settings_file(written(folder, first)))
    assert policy_changes(first, again) == []
    assert policy_changes(document, again) == []
    assert {each.key for each in policy_changes({}, document)} == {
        f"{key}.{below}" if isinstance(value, dict) else key
        for key, value in document.items()
        for below in (value if isinstance(value, dict) else ("",))
    }


@pytest.mark.parametrize(
    ("own", "policy", "holds"),
    [(5, 6, 5), (6, 5, 5), ("5%", "6%", "5%"), ("6%", "5%", "5%"), (5, "50%", "50%"), ("1%", 9, 9)],
)
def test_a_day_s_limit_is_stricter_where_the_two_can_be_compared(
    tmp_path: Path, own: Any, policy: Any, holds: Any
) -> None:
    mine = loaded(tmp_path, {"limits": {"per_day": own}})
    bound = bind(mine, {"limits": {"per_day": policy}}, 1)
    assert str(bound.loaded.settings.limits.per_day) == str(holds)
