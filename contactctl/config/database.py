"""Which database URLs are accepted, and the commented config that `init` writes."""

import json
import re
from importlib.resources import files
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from contactctl.config.values import absolute_path, require_filled_in
from contactctl.domain.errors import UsageError
from contactctl.domain.urls import has_password

_SQLITE = re.compile(r"sqlite(?:\+pysqlite)?://(.*)\Z", re.IGNORECASE)
_POSTGRES = re.compile(r"(?:postgres|postgresql)(?:\+psycopg)?://(.*)\Z", re.IGNORECASE)
_HOST = r"(?:[^:/?\#@\[\],]*|\[[^/?\#@\[\]]*\])(?::[0-9]{1,5})?"  # the second is an IPv6 address
# strict: an @ or / in a password, mistaken for its end, would show the rest
_UNAMBIGUOUS = re.compile(
    rf"""(?:[^:/?\#@]*(?::[^/?\#@]*)?@)?   # user and password
        (?P<hosts>{_HOST}(?:,{_HOST})*)
        (?:/(?P<name>[^/?@\s]*))?
        (?P<query>\?\S*)?\Z""",
    re.VERBOSE,
)
_NAMED_IN_QUERY = re.compile(r"[?&](?:dbname|service)=[^&]")
_SCHEME = re.compile(r"([a-z][a-z0-9+]{0,30})://", re.IGNORECASE)
_FILE = re.compile(r"[^:@?#\s]+\.(?:db|sqlite3?)", re.IGNORECASE)  # without room for a password
_EXAMPLES = "such as sqlite:///contacts.db or postgresql://host/database"


def normalise_database_url(url: Any, folder: Path) -> str:
    """`sqlite:////absolute/path` or `postgresql://...`; relative files start from `folder`.

    Raises ValueError saying what the URL must be; the text never holds the URL, which may hold a
    password.
    """
    if not isinstance(url, str) or not url.isprintable():
        raise ValueError(f"must be a URL {_EXAMPLES}")
    if match := _SQLITE.match(url):
        return _sqlite_url(match[1], folder)
    if match := _POSTGRES.match(url):
        return _postgres_url(match[1])
    if scheme := _SCHEME.match(url):
        raise ValueError(f"'{scheme[1]}' is not a supported database: give a URL {_EXAMPLES}")
    if _FILE.fullmatch(url):
        raise ValueError(f"must be a URL: for this file sqlite:///{url}")
    raise ValueError(f"must be a URL {_EXAMPLES}")


def refuse_password(flag: str, url: str, elsewhere: str) -> None:
    """UsageError for a password on the command line."""
    if has_password(url):
        raise UsageError(
            f"{flag}: every user of this machine can read a password given there",
            hint=f"put it into ~/.pgpass, {elsewhere}",
        )


def target_url(url: str, folder: Path) -> str:
    """The URL of a second database, as given on the command line; UsageError when it is wrong."""
    refuse_password("--to", url, "or PGPASSWORD")
    try:
        return normalise_database_url(url, folder)
    except ValueError as error:
        raise UsageError(f"--to: {error}") from None


def sqlite_url(path: Path) -> str:
    """The URL of a file, whatever its name; `normalise_database_url` leaves it as it is."""
    return "sqlite:///" + str(path).replace("%", "%25").replace("?", "%3F")


def _sqlite_url(rest: str, folder: Path) -> str:
    path = unquote(rest.removeprefix("/"))
    if not rest.startswith("/") or path.endswith("/") or not path:
        raise ValueError("needs a file: sqlite:///contacts.db (three slashes) or sqlite:////path")
    if path == ":memory:":
        raise ValueError("a database in memory would be lost at the end of the command")
    if "?" in rest:
        raise ValueError("an SQLite URL takes no options after '?'; in a file name write %3F")
    return sqlite_url(absolute_path(path, folder))


def _postgres_url(rest: str) -> str:
    parts = _UNAMBIGUOUS.match(rest)
    if not parts:
        raise ValueError(
            "must look like postgresql://user@host:5432/database;"
            " write @ : / ? # in a password as %40 %3A %2F %3F %23"
        )
    require_filled_in(f"{parts['hosts']}/{parts['name'] or ''}")
    # with no host either, all is left to libpq: PGSERVICE, PGHOST, PGDATABASE
    if not (parts["name"] or _NAMED_IN_QUERY.search(parts["query"] or "") or not parts["hosts"]):
        raise ValueError(
            "needs a database name: postgresql://host/database (or ?service=NAME, of libpq's"
            " service file)"
        )
    return f"postgresql://{rest}"


# The commented config that `init` writes, and that the project shows as config.example.yaml


_DATABASE_SAMPLE = "#:database: sqlite:///contacts.db\n"
_KEY_FILE_SAMPLE = "#:suppression_key_file: ~/.config/contactctl/suppression.key\n"


def example_text(database_url: str = "", key_file: str = "") -> str:
    """The example config: loadable as it stands, samples of the other keys behind `#:`.

    With a `database_url`, or a `key_file` beside it, the config names these.
    """
    text = files("contactctl.config").joinpath("example.yaml").read_text(encoding="utf-8")
    if database_url:
        text = text.replace(_DATABASE_SAMPLE, f"database: {json.dumps(database_url)}\n", 1)
    if key_file:
        named = f"suppression_key_file: {json.dumps(key_file)}\n"
        text = text.replace(_KEY_FILE_SAMPLE, named, 1)
    return text
