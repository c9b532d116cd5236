"""Checks of the response policy across keys: what is refused, and what gets a warning."""

from collections.abc import Iterator

from contactctl.config.nodes import Setting
from contactctl.domain.handling import NOT_TO_REACTIVATE
from contactctl.domain.policies import BYPASS_WARNING, ResponsePolicy


def policy_warnings(config: Setting, policy: ResponsePolicy) -> list[str]:
    """The warnings of every check; ConfigError for reactivations that are not recommended.

    `config` is the whole config, already read successfully into `policy`.
    """
    return [
        *_not_recommended(config, allowed=policy.allow_not_recommended),
        *_bypasses(config, policy),
    ]


def _not_recommended(config: Setting, *, allowed: bool) -> Iterator[str]:
    for rule in _reactivations(config):
        problem = f"automatic reactivation of {rule.name} is not recommended"
        if not allowed:
            raise rule.error(
                problem,
                hint="remove the rule; `allow_not_recommended: true` accepts the harm it does",
            )
        yield f"{rule.place}: {rule.key}: {problem}"


def _reactivations(config: Setting) -> Iterator[Setting]:
    for handling in _handling_sections(config):
        for category in NOT_TO_REACTIVATE:
            rule = handling.mapping().get(category)
            if rule is not None and "reactivate_after" in rule.mapping():
                yield rule


def _handling_sections(config: Setting) -> Iterator[Setting]:
    if "handling" in config.mapping():
        yield config.mapping()["handling"]
    for group in _groups(config):
        if "handling" in group.mapping():
            yield group.mapping()["handling"]


def _bypasses(config: Setting, policy: ResponsePolicy) -> Iterator[str]:
    for group in _groups(config):
        if policy.group(group.name).bypass_system_wide:
            yield f"{group.place}: {group.key}: {BYPASS_WARNING}"


def _groups(config: Setting) -> Iterator[Setting]:
    groups = config.mapping().get("groups")
    if groups is not None:
        yield from groups.mapping().values()
