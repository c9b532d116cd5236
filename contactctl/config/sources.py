"""The config of a source: which keys go together, and what each must be."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from contactctl.config.database import normalise_database_url
from contactctl.config.schema import ByName, ListOf, Placed, Scalar, Section, Setting
from contactctl.config.values import (
    absolute_path,
    boolean,
    duration,
    environment_name,
    one_of,
    rate,
    text,
)
from contactctl.domain.criteria.fields import did_you_mean
from contactctl.domain.sources import (
    AMAZON,
    PROVIDERS,
    DatabaseSource,
    Missing,
    ProviderSource,
    Secret,
    Source,
    WriteBack,
)

_PROVIDER_NAMES = ", ".join(PROVIDERS)
_EXAMPLE = "SELECT id, mail, updated_at FROM customers"


def _write_back(
    *, table: str = "", column: str = "", active: str = "active", inactive: str = "inactive"
) -> WriteBack:
    if not table or not column:
        raise ValueError("needs 'table' and 'column'")
    return WriteBack(table, column, active, inactive)


_NEEDED = {
    "url": "postgresql://reader@db.example.com/crm",
    "query": _EXAMPLE,
    "key": "the column that names a contact there, such as id",
}
_FIELDS = {"map": "columns", "ignore": "ignored", "null": "nulls"}


_OF_PROVIDERS = (
    *("provider", "key_file", "key_env", "token_command", "api_url", "domain", "stream"),
    *("lists", "region", "queue_url", "overlap", "rate"),
)
_SECRETS = ("key_file", "key_env", "token_command")


def make_source(name: str, **values: Any) -> Source:
    """A provider's API or a database; ValueError if keys are missing or do not go together."""
    is_provider = "provider" in values
    for key in values:
        if (key in _OF_PROVIDERS) is not is_provider and key != "overlap":
            other = "a database, and no 'provider'" if is_provider else "'provider'"
            raise ValueError(f"'{key}' needs {other}")
    return _provider_source(name, values) if is_provider else _database_source(name, values)


def _database_source(name: str, values: Mapping[str, Any]) -> DatabaseSource:
    for key, example in _NEEDED.items():
        if key not in values:
            raise ValueError(f"needs '{key}': {example}; or 'provider': one of {_PROVIDER_NAMES}")
    return DatabaseSource(name, **{_FIELDS.get(key, key): each for key, each in values.items()})


def _provider_source(name: str, values: Mapping[str, Any]) -> ProviderSource:
    provider = values["provider"]
    given = [key for key in _SECRETS if key in values]
    if provider in AMAZON:
        if given:
            raise ValueError("Amazon's own ways give the key: environment, profile or role")
        if (provider == "sqs") is not ("queue_url" in values):
            raise ValueError("'queue_url' is needed for sqs, and only there")
    elif len(given) != 1:
        raise ValueError("needs one of 'key_file', 'key_env' and 'token_command'")
    secret = None
    if given:
        file, env, command = (values.get(key) for key in _SECRETS)
        secret = Secret(file, env, command)
    if provider == "sqs" and "rate" in values:
        raise ValueError("'rate' is not for queues")
    own_keys = ("lists", "region", "queue_url", "overlap", "rate")
    own = {key: values[key] for key in own_keys if key in values}
    names = {key: values[key] for key in ("domain", "stream") if key in values}
    return ProviderSource(name, provider, secret, values.get("api_url", ""), names, **own)


def _url(node: Setting) -> str:
    return normalise_database_url(node.value, node.folder)


def _path(node: Setting) -> Path:
    return absolute_path(node.value, node.folder)


def _provider(value: Any) -> str:
    if value not in PROVIDERS:
        close = did_you_mean(str(value), list(PROVIDERS))
        raise ValueError(f"must be one of {_PROVIDER_NAMES}" + (f": {close}" if close else ""))
    return str(value)


def _api_url(value: Any) -> str:
    """https, or this machine; without anything secret in it."""
    parts = urlsplit(text(value))
    is_local = parts.scheme == "http" and parts.hostname in ("localhost", "127.0.0.1", "::1")
    if not parts.hostname or not (parts.scheme == "https" or is_local) or "@" in parts.netloc:
        raise ValueError("must be an address such as https://api.eu.mailgun.net")
    return text(value)


def _query(value: Any) -> str:
    """SQL, which may have several lines."""
    if not isinstance(value, str) or not value.strip() or "\0" in value:
        raise ValueError(f"must be a query such as {_EXAMPLE}")
    return value


def _cell(value: Any) -> str:
    """A cell's text, an empty one too."""
    if not isinstance(value, str):
        raise ValueError("must be text")
    return value


_TEXTS = ListOf(Scalar(text))

SOURCE = Section(
    make_source,
    {
        "provider": Scalar(_provider),
        "key_file": Placed(_path),
        "key_env": Scalar(environment_name),
        "token_command": Scalar(text),
        "api_url": Scalar(_api_url),
        "domain": Scalar(text),
        "stream": Scalar(text),
        "lists": _TEXTS,
        "region": Scalar(text),
        "queue_url": Scalar(text),
        "rate": Scalar(rate),
        "url": Placed(_url),
        "query": Scalar(_query),
        "key": Scalar(text),
        "cursor": Scalar(text),
        "overlap": Scalar(duration),
        "missing": Scalar(one_of(Missing)),
        "write_back": Section(
            _write_back,
            {
                "table": Scalar(text),
                "column": Scalar(text),
                "active": Scalar(text),
                "inactive": Scalar(text),
            },
        ),
        "map": ByName("COLUMN", text, Scalar(text)),
        "ignore": _TEXTS,
        "inactive_when": _TEXTS,
        "date_formats": _TEXTS,
        "separators": ByName("FIELD", text, Scalar(text)),
        "null": ListOf(Scalar(_cell)),
        "empty_clears": Scalar(boolean),
        "update_only": Scalar(boolean),
    },
    named=True,
)
