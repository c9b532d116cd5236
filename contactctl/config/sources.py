"""The config of a source or a mailbox: which keys go together, and what each must be."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import SplitResult, unquote, urlsplit

from contactctl.config import values
from contactctl.config.database import normalise_database_url
from contactctl.config.schema import ByName, ListOf, Placed, Scalar, Section, Setting
from contactctl.domain import sources
from contactctl.domain.criteria.fields import did_you_mean

_PROVIDER_NAMES = ", ".join(sources.PROVIDERS)
_EXAMPLE = "SELECT id, mail, updated_at FROM customers"


_NEEDED = {
    "url": "postgresql://reader@db.example.com/crm",
    "query": _EXAMPLE,
    "key": "the column that names a contact there, such as id",
}
_FIELDS = {"map": "columns", "ignore": "ignored", "null": "nulls"}
_SECRETS = ("key_file", "key_env", "token_command")
_NAMES = ("domain", "stream")  # what an API's paths have in them
_OWN = ("lists", "region", "queue_url", "overlap", "rate")
_OF_PROVIDERS = ("provider", "api_url", *_SECRETS, *_NAMES, *_OWN)


def make_source(name: str, **values: Any) -> sources.Source:
    """A provider's API or a database; ValueError if keys are missing or do not go together."""
    is_provider = "provider" in values
    for key in values:
        if (key in _OF_PROVIDERS) is not is_provider and key != "overlap":
            other = "a database, and no 'provider'" if is_provider else "'provider'"
            raise ValueError(f"'{key}' needs {other}")
    return _provider_source(name, values) if is_provider else _database_source(name, values)


def _database_source(name: str, values: Mapping[str, Any]) -> sources.DatabaseSource:
    for key, example in _NEEDED.items():
        if key not in values:
            raise ValueError(f"needs '{key}': {example}; or 'provider': one of {_PROVIDER_NAMES}")
    return sources.DatabaseSource(
        name, **{_FIELDS.get(key, key): each for key, each in values.items()}
    )


def _provider_source(name: str, values: Mapping[str, Any]) -> sources.ProviderSource:
    provider = values["provider"]
    given = [key for key in _SECRETS if key in values]
    if provider in sources.AMAZON:
        if given:
            raise ValueError("Amazon's own ways give the key: environment, profile or role")
        if (provider == "sqs") is not ("queue_url" in values):
            raise ValueError("'queue_url' is needed for sqs, and only there")
    elif len(given) != 1:
        raise ValueError("needs one of 'key_file', 'key_env' and 'token_command'")
    secret = None
    if given:
        file, env, command = (values.get(key) for key in _SECRETS)
        secret = sources.Secret(file, env, command)
    if provider == "sqs" and "rate" in values:
        raise ValueError("'rate' is not for queues")
    own = {key: each for key, each in values.items() if key in _OWN}
    names = {key: each for key, each in values.items() if key in _NAMES}
    return sources.ProviderSource(name, provider, secret, values.get("api_url", ""), names, **own)


def database_url(node: Setting) -> str:
    if str(node.value).lower().startswith(("http:", "https:")):
        raise ValueError("is a database's; that of a provider's API is 'api_url'")
    return normalise_database_url(node.value, node.folder)


def file_path(node: Setting) -> Path:
    return values.absolute_path(node.value, node.folder)


def _provider(value: Any) -> str:
    if value not in sources.PROVIDERS:
        close = did_you_mean(str(value), list(sources.PROVIDERS))
        raise ValueError(f"must be one of {_PROVIDER_NAMES}" + (f": {close}" if close else ""))
    return str(value)


def _api_url(value: Any) -> str:
    """https, or this machine; without anything secret in it."""
    parts = urlsplit(values.text(value))
    is_local = parts.scheme == "http" and parts.hostname in ("localhost", "127.0.0.1", "::1")
    if not parts.hostname or not (parts.scheme == "https" or is_local) or "@" in parts.netloc:
        raise ValueError("must be an address such as https://api.eu.mailgun.net")
    return values.text(value)


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


_TEXTS = ListOf(Scalar(values.text))

SOURCE = Section(
    make_source,
    {
        "provider": Scalar(_provider),
        "key_file": Placed(file_path),
        "key_env": Scalar(values.environment_name),
        "token_command": Scalar(values.text),
        "api_url": Scalar(_api_url),
        "domain": Scalar(values.text),
        "stream": Scalar(values.text),
        "lists": _TEXTS,
        "region": Scalar(values.text),
        "queue_url": Scalar(values.text),
        "rate": Scalar(values.rate),
        "url": Placed(database_url),
        "query": Scalar(_query),
        "key": Scalar(values.text),
        "cursor": Scalar(values.text),
        "overlap": Scalar(values.duration),
        "missing": Scalar(values.one_of(sources.Missing)),
        "write_back": Section(
            sources.WriteBack,
            {
                "table": Scalar(values.text),
                "column": Scalar(values.text),
                "active": Scalar(values.text),
                "inactive": Scalar(values.text),
            },
            needs=("table", "column"),
        ),
        "map": ByName("COLUMN", values.text, Scalar(values.text)),
        "ignore": _TEXTS,
        "inactive_when": _TEXTS,
        "date_formats": _TEXTS,
        "separators": ByName("FIELD", values.text, Scalar(values.text)),
        "null": ListOf(Scalar(_cell)),
        "empty_clears": Scalar(values.boolean),
        "update_only": Scalar(values.boolean),
    },
    named=True,
)


# The config of a mailbox: the parts of its URL, and which keys go together


_EXAMPLE_MAILBOX = "imaps://user@host/INBOX or pop3s://user@host"

_SCHEMES = {
    "imaps": (sources.MailProtocol.IMAP, True, 993),
    "imap": (sources.MailProtocol.IMAP, False, 143),
    "pop3s": (sources.MailProtocol.POP3, True, 995),
    "pop3": (sources.MailProtocol.POP3, False, 110),
}
_POSSIBLE = {
    sources.MailProtocol.IMAP: tuple(sources.AfterFetch),
    sources.MailProtocol.POP3: (sources.AfterFetch.KEEP, sources.AfterFetch.DELETE),
}
_USUAL = {
    sources.MailProtocol.IMAP: sources.AfterFetch.MARK_SEEN,
    sources.MailProtocol.POP3: sources.AfterFetch.KEEP,
}


class MailboxUrl(NamedTuple):
    """The parts of a mailbox's URL."""

    protocol: sources.MailProtocol
    implicit_tls: bool
    host: str
    port: int
    user: str
    folder: str


def parse_mailbox_url(value: Any) -> MailboxUrl:
    """`imaps://user@host[:port][/FOLDER]`, also imap, pop3s, pop3; ValueError otherwise.

    A password in the URL is refused, and never part of the error's text.
    """
    parts = _split(value)
    protocol, implicit_tls, usual_port = _SCHEMES[parts.scheme]
    folder = unquote(parts.path.strip("/"))
    if folder and protocol is sources.MailProtocol.POP3:
        raise ValueError("POP3 has no folders: write pop3s://user@host")
    return MailboxUrl(
        protocol=protocol,
        implicit_tls=implicit_tls,
        host=parts.hostname or "",
        port=parts.port or usual_port,
        user=unquote(parts.username or ""),
        folder=folder or "INBOX",
    )


def make_mailbox(
    name: str,
    *,
    url: MailboxUrl | None = None,
    after_fetch: sources.AfterFetch | None = None,
    processed_folder: str | None = None,
    ca_file: Path | None = None,
    **secret: Any,
) -> sources.Mailbox:
    """The mailbox; ValueError if keys are missing or cannot be combined."""
    if url is None:
        raise ValueError(f"needs 'url', such as {_EXAMPLE_MAILBOX}")
    if len(secret) != 1:
        raise ValueError("needs one of 'password_file', 'password_env' and 'token_command'")
    after_fetch = after_fetch or _USUAL[url.protocol]
    if after_fetch not in _POSSIBLE[url.protocol]:
        raise ValueError(f"POP3 cannot {after_fetch}: 'after_fetch' must be keep or delete")
    if processed_folder and after_fetch is not sources.AfterFetch.MOVE:
        raise ValueError("'processed_folder' needs 'after_fetch: move'")
    return sources.Mailbox(
        name,
        **url._asdict(),
        after_fetch=after_fetch,
        processed_folder=processed_folder or "Processed",
        ca_file=ca_file,
        **secret,
    )


def _split(value: Any) -> SplitResult:
    problem = f"must be a URL such as {_EXAMPLE_MAILBOX}"
    if not isinstance(value, str):
        raise ValueError(problem)
    try:
        parts = urlsplit(value)
        port_is_sane = parts.port is None or parts.port > 0
    except ValueError:
        raise ValueError(problem) from None
    if parts.password is not None:
        raise ValueError("no password in the URL: use 'password_file' or 'password_env'")
    complete = parts.scheme in _SCHEMES and parts.hostname and parts.username and port_is_sane
    if not complete or parts.query or parts.fragment:
        raise ValueError(problem)
    return parts
