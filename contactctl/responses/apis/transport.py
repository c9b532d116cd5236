"""Requests to one host over TLS: bounded in time and size, repeated where that is asked for.

The key is sent to that host alone, and is never part of an error.
"""

import json
import socket
import ssl
import time
import zlib
from base64 import b64encode
from collections.abc import Callable, Mapping
from datetime import UTC
from email.message import Message
from email.utils import parsedate_to_datetime
from functools import cache
from http.client import HTTPException, HTTPMessage, HTTPResponse
from typing import IO, Any
from urllib.error import HTTPError, URLError
from urllib.parse import urlencode, urljoin, urlsplit
from urllib.request import (
    HTTPRedirectHandler,
    HTTPSHandler,
    ProxyHandler,
    Request,
    build_opener,
)

from contactctl.domain.errors import ContactctlError
from contactctl.domain.text import show_safely
from contactctl.responses.apis.description import Api

TIMEOUT_S = 30.0
_LONGEST_ANSWER_S = 120.0  # one that trickles has no silence to end it
MAX_ANSWER_BYTES = 64 << 20
_ATTEMPTS = 6
_FIRST_PAUSE_S = 1.0
_LONGEST_PAUSE_S = 120.0
_TRY_AGAIN = frozenset({408, 425, 429, 500, 502, 503, 504})
_MAX_QUOTED = 200
_PROBLEMS = ("errors", "error", "ErrorMessage", "ErrorCode")
_REFUSED = 422  # as which an answer counts that has errors and says that it is good
_MOST_AHEAD_S = 3600.0  # half of what is read again (domain.sources.FOR_LATE_EVENTS)
_A_MOMENT = 1e9  # seconds: no pause is as long

Sleep = Callable[[float], None]


class ApiError(ContactctlError):
    """A provider's API cannot be reached, refuses the key, or answers what cannot be read.

    `status` is the HTTP status, 0 where there was no answer.
    """

    code = "api"
    status = 0


class OutOfTimeError(ApiError):
    """The time that was given is over."""


class Pace:
    """Keeps requests apart: at most `rate` a second; None for as fast as the answers come."""

    def __init__(self, rate: float | None = None) -> None:
        self._apart = 1 / rate if rate else 0.0
        self._next = 0.0

    def wait(self, sleep: Sleep = time.sleep) -> None:
        """Wait until a request may be made."""
        now = time.monotonic()
        begin = max(now, self._next)
        self._next = begin + self._apart
        if begin > now:
            sleep(begin - now)


@cache
def _tls() -> ssl.SSLContext:
    """Made once in a process: reading the system's certificates takes 50 ms."""
    return ssl.create_default_context()


class Client:
    """Speaks to one provider's API with one key, until `deadline` (of time.monotonic)."""

    def __init__(
        self,
        api: Api,
        name: str,
        key: str,
        *,
        url: str = "",
        deadline: float = float("inf"),
        sleep: Sleep = time.sleep,
        pace: Pace | None = None,
    ) -> None:
        self.api = api
        self._pace = pace or Pace()
        self._name = name
        self._url = (url or api.url).rstrip("/")
        self._deadline = deadline
        self._sleep = sleep
        self._headers = {
            "Accept": "application/json",
            "User-Agent": "contactctl",
            **{header: text.replace("{key}", key) for header, text in api.headers.items()},
        }
        if api.basic:
            user_password = api.basic.replace("{key}", key)
            encoded = b64encode(user_password.encode()).decode()
            self._headers["Authorization"] = f"Basic {encoded}"
        # plain HTTP is for this machine alone, and no proxy's business
        proxies = ProxyHandler({} if self._url.startswith("http:") else None)
        https = HTTPSHandler(context=_tls())
        self._opener = build_opener(https, proxies, _SameHost(self._url))

    def get(self, address: str, query: Mapping[str, str] | None = None) -> Any:
        """The JSON of an answer. `address` is a path, or an address of the same host."""
        return self.send("GET", address, query=query)

    def send(
        self,
        method: str,
        address: str,
        *,
        query: Mapping[str, str] | None = None,
        body: Any = None,
    ) -> Any:
        """The JSON of an answer, None where there is none; the request is repeated when the server
        asks for patience or does not answer. ApiError, OutOfTimeError."""
        request = self._request(method, address, query, body)
        for attempt in range(1, _ATTEMPTS + 1):
            pause = min(_FIRST_PAUSE_S * 2 ** (attempt - 1), _LONGEST_PAUSE_S)
            try:
                return self._answer(request)
            except HTTPError as error:
                with error:
                    failure = self._refused(error)
                    asked = _retry_after(error.headers)
                if error.code not in _TRY_AGAIN:
                    raise failure from None
                pause = pause if asked is None else asked
                if pause > _LONGEST_PAUSE_S:
                    failure.hint = f"it asks to be left alone for {pause / 60:,.0f} minutes"
                    raise failure from None
            except ssl.SSLCertVerificationError as error:
                raise self._failed(f"certificate is not trusted ({error.verify_message})") from None
            except (URLError, OSError, HTTPException) as error:
                failure = self._no_answer(error)
            if attempt == _ATTEMPTS:
                raise failure
            self._wait(pause, failure)
        raise AssertionError("unreachable")

    def _request(
        self, method: str, address: str, query: Mapping[str, str] | None, body: Any
    ) -> Request:
        # a gateway's address may have a path of its own
        is_path = address.startswith("/") and not address.startswith("//")
        target = self._url + address if is_path else urljoin(f"{self._url}/", address)
        if _origin(target) != _origin(self._url):
            raise self._failed("an answer leads to another host; nothing was sent there")
        if query:
            target += ("&" if urlsplit(target).query else "?") + urlencode(query)
        headers, data = dict(self._headers), None
        if body is not None:
            headers["Content-Type"] = "application/json"
            data = json.dumps(body).encode()
        return Request(target, data, headers, method=method)  # noqa: S310 (https, see config.sources)

    def _answer(self, request: Request) -> Any:
        self._pace.wait(self._sleep)
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise OutOfTimeError(f"source {self._name}: the time is over")
        with self._opener.open(request, timeout=min(TIMEOUT_S, left)) as answer:
            self._require_clock(answer.headers)
            raw = self._read(answer)
        if not raw.strip():
            return None
        try:
            found = json.loads(raw)
        except (ValueError, RecursionError):
            if request.get_method() != "GET" and not raw.lstrip().startswith(b"<"):
                return None  # done, in words of its own
            # cut off on the way, or the page of a proxy
            raise HTTPException("the answer is not JSON") from None
        if isinstance(found, dict) and (problem := _problem_in(found)):
            failure = self._failed(f"the answer has errors: {problem}")
            if request.get_method() != "GET":
                failure.status = _REFUSED
            raise failure
        return found

    def _require_clock(self, headers: Message) -> None:
        """A clock ahead of the server's would say that what is yet to happen has been read."""
        sent = _moment_of(headers.get("Date", ""))
        if sent is not None and time.time() - sent > _MOST_AHEAD_S:
            hours = (time.time() - sent) / 3600
            hint = "set the clock of this machine; events would be missed"
            raise self._failed(f"our clock is {hours:,.0f} hours ahead of its clock", hint=hint)

    def _read(self, answer: HTTPResponse) -> bytes:
        """The content of an answer, unpacked: some pack it unasked."""
        raw, until = bytearray(), time.monotonic() + _LONGEST_ANSWER_S
        while chunk := answer.read1(1 << 16):
            raw += chunk
            if len(raw) > MAX_ANSWER_BYTES:
                break
            if time.monotonic() > until:
                raise TimeoutError
        if answer.headers.get("Content-Encoding", "").lower() in ("gzip", "x-gzip"):
            raw = _unpacked(raw)
        if len(raw) > MAX_ANSWER_BYTES:
            raise self._failed(f"an answer of more than {MAX_ANSWER_BYTES >> 20} MiB")
        return bytes(raw)

    def _refused(self, error: HTTPError) -> ApiError:
        hint = ""
        if error.code in (401, 403):
            hint = "check the key, and that it may read and write this; is it of another region?"
        failure = self._failed(f"the answer is {error.code} {_words(error)}".strip(), hint=hint)
        failure.status = error.code
        return failure

    def _no_answer(self, error: Exception) -> ApiError:
        reason = error.reason if isinstance(error, URLError) else error
        if isinstance(reason, ssl.SSLCertVerificationError):
            raise self._failed(f"certificate is not trusted ({reason.verify_message})") from None
        if isinstance(reason, TimeoutError):
            return self._failed("no answer in time")
        if isinstance(reason, socket.gaierror):
            return self._failed("unknown host")
        return self._failed(str(getattr(reason, "strerror", "") or reason) or "no answer")

    def _failed(self, problem: str, *, hint: str = "") -> ApiError:
        host = urlsplit(self._url).netloc
        again = "run it again: nothing is recorded or changed twice"
        text = show_safely(f"source {self._name}: {host}: {problem}")
        return ApiError(text, hint=hint or again)

    def _wait(self, seconds: float, failure: ApiError) -> None:
        if time.monotonic() + seconds >= self._deadline:
            raise OutOfTimeError(failure.message, hint=failure.hint)
        self._sleep(seconds)


class _SameHost(HTTPRedirectHandler):
    """Follows redirects within one host: the key is for nobody else."""

    def __init__(self, url: str) -> None:
        self._origin = _origin(url)

    def redirect_request(
        self, req: Request, fp: IO[bytes], code: int, msg: str, headers: HTTPMessage, newurl: str
    ) -> Request | None:
        if _origin(newurl) != self._origin:
            raise HTTPError(req.full_url, code, "leads to another host", headers, fp)
        if req.get_method() != "GET":  # which would be followed as a GET, and change nothing
            raise HTTPError(req.full_url, code, "leads to another address", headers, fp)
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _origin(url: str) -> tuple[str, str]:
    parts = urlsplit(url)
    usual_port = ":443" if parts.scheme == "https" else ":80"
    return parts.scheme, parts.netloc.lower().removesuffix(usual_port)


def _unpacked(raw: bytearray) -> bytearray:
    """What gzip has packed, in one piece or several."""
    found, left = bytearray(), bytes(raw)
    while left and len(found) <= MAX_ANSWER_BYTES:
        unpacker = zlib.decompressobj(zlib.MAX_WBITS | 16)
        try:
            found += unpacker.decompress(left, MAX_ANSWER_BYTES + 1 - len(found))
        except zlib.error:
            raise HTTPException("the answer is not what gzip packs") from None
        left = unpacker.unused_data
    return found


def _problem_in(found: Mapping[str, Any]) -> str:
    """What an answer that should be good says of a failure, on one line; "" where it says none."""
    told = next((found[name] for name in _PROBLEMS if found.get(name)), None)
    is_one = (
        told is not None
        or found.get("success") is False
        or found.get("status") == "error"
        or found.keys() == {"code", "message"}
    )
    return _on_one_line(json.dumps(told or found)) if is_one else ""


def _retry_after(headers: Message | None) -> float | None:
    """The pause that the server asks for, in seconds (RFC 9110, 10.2.3), by its own clock; some say
    instead when its patience is back, in seconds since 1970."""
    if headers is None:
        return None
    text = (headers.get("Retry-After") or headers.get("X-RateLimit-Reset") or "").strip()
    if text.isdecimal() and float(text) < _A_MOMENT:
        return float(text)
    until = float(text) if text.isdecimal() else _moment_of(text)
    if until is None:
        return None
    return max(until - (_moment_of(headers.get("Date", "")) or time.time()), 0.0)


def _moment_of(text: str) -> float | None:
    """An HTTP date (RFC 9110, 5.6.7), which is always GMT, in seconds since 1970."""
    try:
        return parsedate_to_datetime(text).replace(tzinfo=UTC).timestamp()
    except (TypeError, ValueError):
        return None


def _words(error: HTTPError) -> str:
    """What the server says about it, on one line and not too long."""
    try:
        text = error.read(10_000).decode(errors="replace")
    except (OSError, HTTPException):
        text = ""
    return _on_one_line(f"{error.reason}: {text}").rstrip(": ")


def _on_one_line(text: str) -> str:
    return " ".join(text.split())[:_MAX_QUOTED]
