"""The schema of the config: every key, and what its value must be."""

import re
from collections.abc import Callable, Iterator
from dataclasses import fields
from datetime import timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any

from contactctl.config.schema import ByName, ListOf, Placed, Scalar, Section, Setting, read_yaml
from contactctl.config.settings import FormatMapping, Heartbeat, ResponseRules, Settings
from contactctl.config.sources import (
    SOURCE,
    database_url,
    file_path,
    make_mailbox,
    parse_mailbox_url,
)
from contactctl.config.values import (
    boolean,
    currency,
    daily_limit,
    duration,
    environment_name,
    header_name,
    one_of,
    percentage,
    price,
    quoted,
    text,
    time_zone,
    verp_pattern,
    web_address,
    whole_number,
)
from contactctl.domain import policies
from contactctl.domain.criteria.fields import AttributeDeclaration, FieldType, did_you_mean
from contactctl.domain.handling import NOT_TO_REACTIVATE
from contactctl.domain.responses import Category
from contactctl.domain.sources import AfterFetch
from contactctl.domain.text import fold

_ATTRIBUTE_TYPES = {
    str(kind): kind
    for kind in (FieldType.TEXT, FieldType.NUMBER, FieldType.BOOLEAN, FieldType.DATE)
}
# what databases, JSON Schema and CRMs call them
_OTHER_NAMES = {
    **dict.fromkeys(("string", "str", "varchar", "char"), FieldType.TEXT),
    **dict.fromkeys(("integer", "int", "float", "double", "decimal", "numeric"), FieldType.NUMBER),
    **dict.fromkeys(("bool", "flag", "checkbox", "yes-no"), FieldType.BOOLEAN),
    **dict.fromkeys(("datetime", "timestamp", "instant", "time"), FieldType.DATE),
}
_ATTRIBUTE_NAME = re.compile(r"[a-z][a-z0-9_]{0,62}\Z")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*\Z")


def _attribute_name(name: str) -> str:
    if not _ATTRIBUTE_NAME.match(name):
        raise ValueError("an attribute name consists of a-z, 0-9 and _, and starts with a letter")
    return name


def _attribute(node: Setting) -> AttributeDeclaration:
    if isinstance(node.value, list):
        return AttributeDeclaration(node.name, FieldType.CHOICE, _choices(node.plain()))
    if not isinstance(node.value, str) or node.value not in _ATTRIBUTE_TYPES:
        known = ", ".join(_ATTRIBUTE_TYPES)
        problem = f"must be one of {known} or a list of choices, not {quoted(node.value)}"
        meant = str(node.value).casefold()
        close = did_you_mean(_OTHER_NAMES.get(meant, meant), list(_ATTRIBUTE_TYPES))
        raise ValueError(f"{problem}: {close}" if close else problem)
    return AttributeDeclaration(node.name, _ATTRIBUTE_TYPES[node.value])


def _choices(values: list[Any]) -> tuple[str, ...]:
    choices = tuple(fold(text(value)) for value in values)
    if not choices:
        raise ValueError("needs at least one choice")
    if len(set(choices)) < len(choices):
        raise ValueError("has the same choice twice (case is ignored)")
    return choices


def _tier(*, price: Decimal, up_to: int | None = None) -> policies.BillingTier:
    return policies.BillingTier(up_to, price)


def _billing(
    *, currency: str = "USD", tiers: tuple[policies.BillingTier, ...] = ()
) -> policies.Billing:
    bounds = [tier.up_to for tier in tiers]
    closed = [bound for bound in bounds if bound is not None]
    if bounds and (bounds[-1] is not None or len(closed) != len(bounds) - 1):
        raise ValueError("the last tier, and only the last, must be without 'up_to'")
    if any(lower >= upper for lower, upper in pairwise(closed)):
        raise ValueError("the tiers must ascend: each 'up_to' must be greater than the one before")
    return policies.Billing(currency, tiers)


def _handling_rule(
    *, reactivate_after: timedelta | None = None, remove_from_group_after: timedelta | None = None
) -> policies.HandlingRule:
    if reactivate_after and not remove_from_group_after:
        return policies.HandlingRule(policies.HandlingAction.REACTIVATE, reactivate_after)
    if remove_from_group_after and not reactivate_after:
        return policies.HandlingRule(
            policies.HandlingAction.REMOVE_FROM_GROUP, remove_from_group_after
        )
    raise ValueError("needs exactly one of 'reactivate_after' and 'remove_from_group_after'")


def _category(name: str) -> Category:
    known = [category.value for category in Category]
    if name not in known:
        close = did_you_mean(name, known) or f"one of {', '.join(known)}"
        raise ValueError(f"not a response category: {close}")
    return Category(name)


def _group_key(name: str) -> str:
    return fold(text(name))


def _name_of(what: str) -> Callable[[str], str]:
    def parse(name: str) -> str:
        if not _NAME.match(name):
            raise ValueError(f"a {what}'s name is made of letters, digits, - and _")
        return name

    return parse


def _response_rules(node: Setting) -> ResponseRules:
    if isinstance(node.value, list):
        return ResponseRules(tuple(_rule_mappings(node)), node.place)
    path = file_path(node)
    return ResponseRules(tuple(_rule_mappings(read_yaml(path, str(path)))), str(path))


def _rule_mappings(node: Setting) -> list[dict[str, Any]]:
    for rule in node.items():
        rule.mapping()
    rules: list[dict[str, Any]] = node.plain()
    return rules


def _format(node: Setting) -> FormatMapping:
    """A mapping, or the path of a file that holds one."""
    if isinstance(node.value, str):
        path = file_path(node)
        node = read_yaml(path, str(path))
    node.mapping()
    return FormatMapping(node.plain(), node.place)


def _settings(**values: Any) -> Settings:
    policy = {
        each.name: values.pop(each.name)
        for each in fields(policies.ResponsePolicy)
        if each.name in values
    }
    return Settings(responses=policies.ResponsePolicy(**policy), **values)


_THRESHOLDS = ByName(
    "CATEGORY",
    _category,
    Section(
        policies.Threshold,
        {
            "count": Scalar(whole_number(1)),
            "within": Scalar(duration),
            "days_apart": Scalar(whole_number(0)),
            "over_at_least": Scalar(duration),
            "through_count": Scalar(whole_number(1)),
        },
        needs=("count",),
    ),
)
_HANDLING = ByName(
    "CATEGORY",
    _category,
    Section(
        _handling_rule,
        {"reactivate_after": Scalar(duration), "remove_from_group_after": Scalar(duration)},
    ),
)
_TIER = Section(_tier, {"up_to": Scalar(whole_number(1)), "price": Scalar(price)}, needs=("price",))
_GROUP = Section(
    policies.GroupPolicy,
    {
        "thresholds": _THRESHOLDS,
        "handling": _HANDLING,
        "deactivate": Scalar(one_of(policies.Scope)),
        "bypass_system_wide": Scalar(boolean),
    },
    named=True,
)
_MAILBOX = Section(
    make_mailbox,
    {
        "url": Scalar(parse_mailbox_url),
        "password_file": Placed(file_path),
        "password_env": Scalar(environment_name),
        "token_command": Scalar(text),
        "after_fetch": Scalar(one_of(AfterFetch)),
        "processed_folder": Scalar(text),
        "ca_file": Placed(file_path),
    },
    named=True,
)

SCHEMA = Section(
    _settings,
    {
        "database": Placed(database_url),
        "time_zone": Scalar(time_zone),
        "attributes": ByName("NAME", _attribute_name, Placed(_attribute)),
        "billing": Section(_billing, {"currency": Scalar(currency), "tiers": ListOf(_TIER)}),
        "limits": Section(
            policies.Limits,
            {
                "max_contacts": Scalar(whole_number(0)),
                "max_percent": Scalar(percentage),
                "per_day": Scalar(daily_limit),
            },
        ),
        "plans": Section(
            policies.PlanPolicy,
            {"expire_after": Scalar(duration), "approval": Scalar(one_of(policies.Approval))},
        ),
        "allow_undo": Scalar(boolean),
        "allow_replaced_clock": Scalar(boolean),
        "thresholds": _THRESHOLDS,
        "reset_on_delivery": Scalar(boolean),
        "handling": _HANDLING,
        "allow_not_recommended": Scalar(boolean),
        "groups": ByName("NAME", _group_key, _GROUP),
        "unsubscribes": Scalar(one_of(policies.OnUnsubscribe)),
        "machine_click_seconds": Scalar(whole_number(0)),
        "keep_deliveries": Scalar(duration),
        "incident_guard": Section(
            policies.IncidentGuard,
            {
                "within": Scalar(duration),
                "more_than": Scalar(whole_number(0)),
                "times_usual": Scalar(whole_number(1)),
                "percent_of_delivered": Scalar(percentage),
            },
        ),
        "response_rules": Placed(_response_rules),
        "formats": ByName("NAME", _name_of("format"), Placed(_format)),
        "verp": Scalar(verp_pattern),
        "recipient_headers": ListOf(Scalar(header_name)),
        "mailboxes": ByName("NAME", _name_of("mailbox"), _MAILBOX),
        "sources": ByName("NAME", _name_of("source"), SOURCE),
        "suppression_key_file": Placed(file_path),
        "heartbeat": Section(Heartbeat, {"url": Scalar(web_address)}),
    },
)


# Checks of the response policy across keys: what is refused, and what gets a warning


def policy_warnings(config: Setting, policy: policies.ResponsePolicy) -> list[str]:
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
    for holder in (config, *_groups(config)):
        if "handling" in holder.mapping():
            yield holder.mapping()["handling"]


def _bypasses(config: Setting, policy: policies.ResponsePolicy) -> Iterator[str]:
    for group in _groups(config):
        if policy.group(group.name).bypass_system_wide:
            yield f"{group.place}: {group.key}: {policies.BYPASS_WARNING}"


def _groups(config: Setting) -> Iterator[Setting]:
    groups = config.mapping().get("groups")
    if groups is not None:
        yield from groups.mapping().values()
