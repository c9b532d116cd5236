"""The rows of `config show`: every value, where it comes from, no secrets."""

from collections.abc import Iterator
from typing import NamedTuple

from contactctl.config.settings import LoadedSettings, Settings
from contactctl.domain.criteria.fields import AttributeDeclaration
from contactctl.domain.criteria.values import format_duration
from contactctl.domain.groups import format_threshold
from contactctl.domain.handling import rule_text
from contactctl.domain.policies import (
    Billing,
    GroupPolicy,
    ResponsePolicy,
    Threshold,
)
from contactctl.domain.sources import DatabaseSource, Mailbox
from contactctl.domain.urls import hide_password


class ConfigRow(NamedTuple):
    """One setting: dotted key, value as text, and its origin."""

    key: str
    value: str
    origin: str


def config_rows(loaded: LoadedSettings) -> list[ConfigRow]:
    """Every setting in the order of the documentation; passwords show as `***`."""
    return [ConfigRow(key, value, loaded.origin(key)) for key, value in _values(loaded.settings)]


def _values(settings: Settings) -> Iterator[tuple[str, str]]:
    yield "database", hide_password(settings.database)
    yield "time_zone", settings.time_zone
    for attribute in settings.attributes.values():
        yield f"attributes.{attribute.name}", _attribute(attribute)
    yield "billing.currency", settings.billing.currency
    yield "billing.tiers", _tiers(settings.billing)
    yield "limits.max_contacts", str(settings.limits.max_contacts)
    yield "limits.max_percent", str(settings.limits.max_percent)
    yield "limits.per_day", str(settings.limits.per_day or "as for one run")
    yield "plans.expire_after", format_duration(settings.plans.expire_after)
    yield "plans.approval", settings.plans.approval
    yield "allow_undo", _boolean(settings.allow_undo)
    yield "allow_replaced_clock", _boolean(settings.allow_replaced_clock)
    yield from _policy(settings.responses)
    yield "response_rules", _count(len(settings.response_rules.mappings), "rule")
    for name, mapping in settings.formats.items():
        yield f"formats.{name}", f"from {mapping.origin}"
    yield "verp", settings.verp
    yield "recipient_headers", ", ".join(settings.recipient_headers)
    for mailbox in settings.mailboxes.values():
        yield f"mailboxes.{mailbox.name}", _mailbox(mailbox)
    for source in settings.sources.values():
        url = hide_password(source.url) if isinstance(source, DatabaseSource) else source.provider
        yield f"sources.{source.name}", url
    yield "suppression_key_file", str(settings.suppression_key_file)
    if settings.heartbeat.url:  # whoever knows the path can ask for it
        yield "heartbeat.url", f"{'/'.join(settings.heartbeat.url.split('/')[:3])}/***"


def _policy(policy: ResponsePolicy) -> Iterator[tuple[str, str]]:
    for category, threshold in policy.thresholds.items():
        yield f"thresholds.{category}", _threshold(threshold)
    yield "reset_on_delivery", _boolean(policy.reset_on_delivery)
    for category, rule in policy.handling.items():
        yield f"handling.{category}", rule_text(rule)
    yield "allow_not_recommended", _boolean(policy.allow_not_recommended)
    for group in policy.groups.values():
        yield f"groups.{group.name}", _group(group)
    yield "unsubscribes", policy.unsubscribes
    yield "machine_click_seconds", str(policy.machine_click_seconds)
    yield "keep_deliveries", format_duration(policy.keep_deliveries)
    guard = policy.incident_guard
    yield "incident_guard.within", format_duration(guard.within)
    yield "incident_guard.more_than", str(guard.more_than)
    yield "incident_guard.times_usual", str(guard.times_usual)
    yield "incident_guard.percent_of_delivered", str(guard.percent_of_delivered)


def _boolean(value: bool) -> str:
    return "true" if value else "false"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _attribute(attribute: AttributeDeclaration) -> str:
    return ", ".join(attribute.choices) or attribute.type


def _tiers(billing: Billing) -> str:
    return ", ".join(
        f"up to {tier.up_to}: {tier.price}" if tier.up_to else f"more: {tier.price}"
        for tier in billing.tiers
    )


def _threshold(threshold: Threshold) -> str:
    return format_threshold(threshold)


def _group(group: GroupPolicy) -> str:
    parts = [
        *(f"{category}: {_threshold(own)}" for category, own in group.thresholds.items()),
        *(f"{category}: {rule_text(own)}" for category, own in group.handling.items()),
        f"deactivate: {group.deactivate}",
        f"bypass_system_wide: {_boolean(group.bypass_system_wide)}",
    ]
    return "; ".join(parts)


def _mailbox(mailbox: Mailbox) -> str:
    scheme = f"{mailbox.protocol}s" if mailbox.implicit_tls else mailbox.protocol
    password = mailbox.password_env or mailbox.password_file or "token_command"
    return (
        f"{scheme}://{mailbox.user}@{mailbox.host}:{mailbox.port}/{mailbox.folder};"
        f" password from {password}; {mailbox.after_fetch}"
    )
