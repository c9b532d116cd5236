"""The settings that bind everybody: kept in the store, made stricter by a config, never looser."""

from collections.abc import Callable, Mapping
from dataclasses import field, replace
from decimal import Decimal
from operator import le
from pathlib import Path
from typing import Any

from contactctl.config.schema import Setting, tree_of
from contactctl.config.sections import SCHEMA, policy_warnings
from contactctl.config.settings import LoadedSettings, Settings
from contactctl.domain.lazy import dataclass
from contactctl.domain.policies import Approval, DailyLimit
from contactctl.domain.text import fold

# (own, the policy's) -> whether a config's own value is the stricter one
Stricter = Callable[[Any, Any], bool]


def _is(strictest: object) -> Stricter:
    return lambda own, _theirs: own is strictest


def _is_lower_in_a_day(own: DailyLimit | None, theirs: DailyLimit | None) -> bool:
    """Numbers compare with numbers, shares with shares; without one, a day has a run's limits."""
    if own is None or theirs is None:
        return False
    if own.max_percent is not None and theirs.max_percent is not None:
        return own.max_percent <= theirs.max_percent
    if own.max_contacts is not None and theirs.max_contacts is not None:
        return own.max_contacts <= theirs.max_contacts
    return False


# Every setting that the store decides, and where a config may be stricter. None: it may not, as
# neither value is the stricter one (more responses until somebody is deactivated, or fewer?), or
# as the value only means something together with others.
POLICY: Mapping[str, Stricter | None] = {
    "time_zone": None,
    "limits.max_contacts": le,
    "limits.max_percent": le,
    "limits.per_day": _is_lower_in_a_day,
    "plans.expire_after": le,
    "plans.approval": _is(Approval.SECOND_OPERATOR),
    "allow_undo": _is(False),
    "allow_replaced_clock": _is(False),
    "thresholds": None,
    "reset_on_delivery": None,
    "handling": None,
    "allow_not_recommended": None,
    "groups": None,
    "unsubscribes": None,
    "machine_click_seconds": None,
    "keep_deliveries": None,
    "incident_guard.within": None,
    "incident_guard.more_than": le,
    "incident_guard.times_usual": le,
    "incident_guard.percent_of_delivered": le,
}
POLICY_KEYS = tuple(dict.fromkeys(key.partition(".")[0] for key in POLICY))

Document = Mapping[str, Any]


@dataclass(frozen=True)
class Bound:
    """Settings bound by a policy: what of the config makes it stricter, and what is not used.

    `policy` is its number; None: the store has none, and the config decides. Keys are dotted
    (`limits.max_percent`); each comes with the place that set it.
    """

    loaded: LoadedSettings
    policy: int | None = None
    stricter: Mapping[str, str] = field(default_factory=dict)
    unused: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class PolicyChange:
    """One setting that two policies say differently; None: the built-in default."""

    key: str
    before: Any
    after: Any


def policy_document(loaded: LoadedSettings) -> Document:
    """The policy that a config says, as plain values in the config's own form."""
    return {key: _json(loaded.nodes[key].plain()) for key in POLICY_KEYS if key in loaded.nodes}


def as_yaml(document: Document) -> str:
    """A policy as a config writes it."""
    import yaml  # noqa: PLC0415 - takes 15 ms

    return yaml.safe_dump(dict(document), sort_keys=False, allow_unicode=True, width=100)


def settings_of_policy(document: Document, name: str, own: LoadedSettings) -> Settings:
    """What a policy means; the machine's own settings stand where it says nothing of them."""
    nodes = {**_nodes_of(own, policy=False), **_nodes(document, name)}
    return SCHEMA.read(Setting(nodes, "", Path()))


def bind(own: LoadedSettings, document: Document, number: int) -> Bound:
    """The settings that hold on a store with this policy, for whoever has this config.

    `policy 3` stands where `config show` names a file, `stricter than policy 3` beside the place.
    """
    name = f"policy {number}"
    policy = settings_of_policy(document, name, own)
    stricter, unused = {}, {}
    entries = _entries(_nodes(document, name))
    for key, node in _entries(_nodes_of(own, policy=True)).items():
        mine, theirs = _value(own.settings, key), _value(policy, key)
        if mine == theirs:
            continue
        is_stricter = POLICY.get(key)
        if is_stricter is not None and is_stricter(mine, theirs):
            stricter[key] = node.place
            entries[key] = node
        else:
            unused[key] = node.place
    merged = {**_nodes_of(own, policy=False), **tree_of(entries)}
    whole = Setting(merged, "", Path())
    settings = SCHEMA.read(whole)
    origins = {
        key: place for key, place in own.origins.items() if key.partition(".")[0] not in POLICY_KEYS
    }
    for key, node in entries.items():
        origins[key] = f"{node.place}, stricter than {name}" if key in stricter else node.place
    bound = replace(
        own,
        settings=settings,
        origins=origins,
        nodes=merged,
        warnings=tuple(policy_warnings(whole, settings.responses)),
    )
    return Bound(bound, number, stricter, unused)


def policy_changes(before: Document, after: Document) -> list[PolicyChange]:
    """What differs between two policies, in the order of the config's documentation."""
    old, new = _entries(_nodes(before, "")), _entries(_nodes(after, ""))
    keys = sorted({*old, *new}, key=lambda key: (POLICY_KEYS.index(key.partition(".")[0]), key))
    plain = [(key, _plain(old.get(key)), _plain(new.get(key))) for key in keys]
    return [PolicyChange(*change) for change in plain if change[1] != change[2]]


def _json(value: Any) -> Any:
    """The same with numbers that JSON has: a share is written as a decimal."""
    if isinstance(value, Mapping):
        return {name: _json(child) for name, child in value.items()}
    if isinstance(value, list):
        return [_json(element) for element in value]
    return float(value) if isinstance(value, Decimal) else value


def _plain(node: Setting | None) -> Any:
    return None if node is None else _json(node.plain())


def _nodes_of(loaded: LoadedSettings, *, policy: bool) -> dict[str, Setting]:
    """The nodes that a store may decide, or those that belong to the machine."""
    return {key: node for key, node in loaded.nodes.items() if (key in POLICY_KEYS) is policy}


def _nodes(value: Document, place: str) -> dict[str, Setting]:
    return {name: _node(child, place, name, name) for name, child in value.items()}


def _node(value: Any, place: str, name: str, key: str) -> Setting:
    if isinstance(value, Mapping):
        value = {
            below: _node(child, place, below, f"{key}.{below}") for below, child in value.items()
        }
    elif isinstance(value, list):
        value = [_node(element, place, name, key) for element in value]
    elif isinstance(value, float):
        value = Decimal(str(value))
    return Setting(value, place, Path(), name, key)


def _entries(nodes: Mapping[str, Setting]) -> dict[str, Setting]:
    """Dotted key -> node: what one source says whole, such as `thresholds.transient`."""
    entries: dict[str, Setting] = {}
    for name, node in nodes.items():
        if isinstance(node.value, Mapping):
            entries |= {f"{name}.{below}": child for below, child in node.value.items()}
        else:
            entries[name] = node
    return entries


def _value(settings: Settings, key: str) -> Any:
    """What the settings say at a dotted key; None where they say nothing."""
    name, _, below = key.partition(".")
    holder = settings if hasattr(settings, name) else settings.responses
    value = getattr(holder, name)
    if not below:
        return value
    if isinstance(value, Mapping):
        return value.get(fold(below) if name == "groups" else below)
    return getattr(value, below)
