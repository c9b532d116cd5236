"""How the configuration is shown, and the list of fields."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from contactctl.config.settings import LoadedSettings, Settings
from contactctl.domain.criteria.fields import OPERATORS, AttributeDeclaration, Field, FieldType
from contactctl.domain.criteria.values import format_duration
from contactctl.domain.groups import format_threshold
from contactctl.domain.handling import rule_text
from contactctl.domain.policies import Billing, GroupPolicy, ResponsePolicy
from contactctl.domain.sources import DatabaseSource, Mailbox
from contactctl.domain.text import counted
from contactctl.domain.urls import hide_password
from contactctl.output import view


class ConfigRow(NamedTuple):
    """One setting: dotted key, value as text, and its origin."""

    key: str
    value: str
    origin: str


_COLUMNS = (view.Column("key"), view.Column("value", wraps=True), view.Column("origin", wraps=True))


def present_config(loaded: LoadedSettings) -> view.Presentation:
    """One row per setting: dotted key, value with secrets hidden, and its origin.

    People see the files once, and then only their names.
    """
    rows = config_rows(loaded)
    data = {"files": [str(path) for path in loaded.files]}
    blocks: list[view.Block] = [view.Table(_COLUMNS, [_row(row, loaded.files) for row in rows])]
    if loaded.files:
        files = [("Files" if at == 0 else "", str(path)) for at, path in enumerate(loaded.files)]
        blocks.insert(0, view.KeyValues(files))
    return view.Presentation(
        data, view.Rows("settings", _COLUMNS, [_row(row) for row in rows]), blocks
    )


def _row(row: ConfigRow, files: Sequence[Path] = ()) -> view.Row:
    return {"key": row.key, "value": row.value, "origin": _shortened(row.origin, files)}


def _shortened(origin: str, files: Sequence[Path]) -> str:
    """`contactctl.yaml:12`, where only one of these files has that name."""
    names = [path.name for path in files]
    for path in files:
        if origin.startswith(f"{path}:") and names.count(path.name) == 1:
            return path.name + origin.removeprefix(str(path))
    return origin


def present_config_paths(files: Sequence[Path], would_be: Path) -> view.Presentation:
    """The files that are read, the strongest first; `would_be` is what `init` would write."""
    data = {"files": [str(path) for path in files], "strongest": str(would_be)}
    if files:
        return view.Presentation(data, None, [view.Verbatim("\n".join(map(str, files)))])
    note = f"no config file is read; `contactctl init` would write {would_be}"
    return view.Presentation(data, notes=[note])


def present_config_check(loaded: LoadedSettings) -> view.Presentation:
    """That it can be used; what it warns of has been said already."""
    files = [str(path) for path in loaded.files]
    data = {"files": files, "warnings": list(loaded.warnings)}
    warned = f"; {counted(len(loaded.warnings), 'warning')}" if loaded.warnings else ""
    read = ", ".join(files) or "no file, only the defaults"
    return view.Presentation(data, None, [view.Text(f"The config can be used{warned}: {read}")])


# How the list of fields is shown


_FIELD_COLUMNS = (
    *view.columns("name", "type"),
    *view.hidden("operators", "choices"),
    view.Column("help", "MEANING", wraps=True),
)


def present_fields(fields: Sequence[Field]) -> view.Presentation:
    """The fields as rows; people see the operators once per type, below."""
    rows = view.Rows("fields", _FIELD_COLUMNS, [_field_row(field) for field in fields])
    blocks: list[view.Block] = [
        view.RowsTable(),
        view.Heading("Operators by type"),
        _operators_by_type(),
    ]
    return view.Presentation(rows=rows, blocks=blocks)


def _field_row(field: Field) -> view.Row:
    return {
        "name": field.name,
        "type": field.type,
        "operators": list(OPERATORS[field.type]),
        "choices": list(field.choices),
        "help": field.help,
    }


def _operators_by_type() -> view.KeyValues:
    return view.KeyValues([(kind, " ".join(OPERATORS[kind])) for kind in FieldType])


# The rows of `config show`: every value, where it comes from, no secrets


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
    yield "response_rules", counted(len(settings.response_rules.mappings), "rule")
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
        yield f"thresholds.{category}", format_threshold(threshold)
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


def _attribute(attribute: AttributeDeclaration) -> str:
    return ", ".join(attribute.choices) or attribute.type


def _tiers(billing: Billing) -> str:
    return ", ".join(
        f"up to {tier.up_to}: {tier.price}" if tier.up_to else f"more: {tier.price}"
        for tier in billing.tiers
    )


def _group(group: GroupPolicy) -> str:
    parts = [
        *(f"{category}: {format_threshold(own)}" for category, own in group.thresholds.items()),
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
