"""Settings of groups: stored, read back, outranked by the config."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contactctl.domain.groups import (
    format_group_settings,
    format_threshold,
    parse_group_settings,
    parse_threshold,
    with_stored_groups,
)
from contactctl.domain.policies import GroupPolicy, ResponsePolicy, Scope, Threshold
from contactctl.domain.responses import Category

thresholds = st.builds(
    lambda count, within, through: parse_threshold(
        (f"{count} within {within} days" if within else f"{count}")
        + (f", through {through}" if through else "")
    ),
    st.integers(1, 99),
    st.integers(0, 400),
    st.integers(0, 99),
)
policies = st.builds(
    GroupPolicy,
    st.just("news"),
    thresholds=st.dictionaries(st.sampled_from(Category), thresholds),
    deactivate=st.sampled_from(Scope),
    bypass_system_wide=st.booleans(),
)


@given(policies)
def test_what_is_stored_is_read_back(policy: GroupPolicy) -> None:
    assert parse_group_settings("news", format_group_settings(policy)) == policy


@given(thresholds)
def test_thresholds_are_written_as_they_are_read(threshold: Threshold) -> None:
    assert parse_threshold(format_threshold(threshold)) == threshold


@pytest.mark.parametrize(
    "text",
    ["", "0", "-1", "x", "3 in 5 days", "3 within", "3 within 1 month", "9" * 10, "9" * 5000],
)
def test_what_is_no_threshold_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is no"):
        parse_threshold(text)


def test_a_group_that_the_config_names_is_as_the_config_says_as_a_whole() -> None:
    configured = GroupPolicy("News", deactivate=Scope.GROUP)
    stored = GroupPolicy("news", bypass_system_wide=True)
    other = GroupPolicy("other", bypass_system_wide=True)

    merged = with_stored_groups(
        ResponsePolicy(groups={"news": configured}), {"news": stored, "other": other}
    )

    assert (merged.group("NEWS"), merged.group("Other")) == (configured, other)
