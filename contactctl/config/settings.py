"""Everything that can be configured, as plain frozen values."""

from collections.abc import Mapping, Sequence
from dataclasses import field
from pathlib import Path
from typing import Any

from contactctl.config.schema import Setting
from contactctl.domain.criteria.fields import AttributeDeclaration
from contactctl.domain.lazy import dataclass
from contactctl.domain.policies import Billing, Limits, PlanPolicy, ResponsePolicy
from contactctl.domain.sources import Mailbox, Source

DEFAULT = "default"


@dataclass(frozen=True)
class ResponseRules:
    """Classification rules tried before the built-in ones, as read: mappings, not yet parsed.

    `origin` names their place, for the parser's error messages.
    """

    mappings: tuple[Mapping[str, Any], ...] = ()
    origin: str = ""


@dataclass(frozen=True)
class FormatMapping:
    """A format of responses as read: a mapping, not yet parsed. `origin` names where it stands."""

    content: Mapping[str, Any]
    origin: str


@dataclass(frozen=True)
class Heartbeat:
    """The `url` to ask for after each sweep; '' for none."""

    url: str = ""


@dataclass(frozen=True)
class Settings:
    """The whole configuration.

    `database` is a normalised URL, `sqlite:////absolute/path` or `postgresql://...`; show it
    through domain.urls.hide_password only. `time_zone` is an IANA name. `verp` is a pattern with
    {local} and {domain}, or empty; `recipient_headers` name the header fields of sent mails that
    hold the recipient.
    """

    database: str
    suppression_key_file: Path
    time_zone: str = "UTC"
    attributes: Mapping[str, AttributeDeclaration] = field(default_factory=dict)
    billing: Billing = field(default_factory=Billing)
    limits: Limits = field(default_factory=Limits)
    plans: PlanPolicy = field(default_factory=PlanPolicy)
    allow_undo: bool = False
    allow_replaced_clock: bool = False
    responses: ResponsePolicy = field(default_factory=ResponsePolicy)
    response_rules: ResponseRules = field(default_factory=ResponseRules)
    formats: Mapping[str, FormatMapping] = field(default_factory=dict)
    verp: str = ""
    recipient_headers: Sequence[str] = ()
    mailboxes: Mapping[str, Mailbox] = field(default_factory=dict)
    sources: Mapping[str, Source] = field(default_factory=dict)
    heartbeat: Heartbeat = Heartbeat()


@dataclass(frozen=True)
class LoadedSettings:
    """The settings, the warnings, the files read (strongest first), and each value's origin.

    `origins` maps a dotted key that was set (`time_zone`, `limits.max_contacts`, `groups.news`) to
    the flag, the environment variable or the `file:line` that set it: ask `origin()`. `nodes` holds
    the values as they were found.
    """

    settings: Settings
    origins: Mapping[str, str] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    files: tuple[Path, ...] = ()
    nodes: Mapping[str, Setting] = field(default_factory=dict, repr=False)

    def origin(self, key: str) -> str:
        """Where the value of a dotted key comes from; `default` if it was not set."""
        return self.origins.get(key, DEFAULT)
