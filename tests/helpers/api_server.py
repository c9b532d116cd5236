"""A provider's API on this machine, after its published documents: lists by page, suppressions.

It keeps what was asked, and can be told to be in trouble.
"""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit


@dataclass
class Asked:
    """One request."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: Any


@dataclass
class Answer:
    """What is sent back: bytes as they are, all else as JSON; `cut` sends only so many bytes of it,
    and then closes."""

    body: Any = None
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    cut: int | None = None


def content_of(answer: Answer) -> bytes:
    if isinstance(answer.body, bytes):
        return answer.body
    return b"" if answer.body is None else json.dumps(answer.body).encode()


Answers = Callable[[Asked], Answer]


@dataclass
class ApiServer:
    """`trouble` are answers given first, one a request; then `answers` decides."""

    url: str
    answers: Answers
    trouble: list[Answer] = field(default_factory=list)
    asked: list[Asked] = field(default_factory=list)
    exchanges: list[tuple[Asked, Answer]] = field(default_factory=list)

    def answer(self, asked: Asked) -> Answer:
        self.asked.append(asked)
        answer = self.trouble.pop(0) if self.trouble else self.answers(asked)
        self.exchanges.append((asked, answer))
        return answer


def pages(items: list[Any], asked: Asked, offset: str, size: str) -> list[Any]:
    """The page of a list that is asked for by offset and size."""
    start = int(asked.query.get(offset, "0"))
    return items[start : start + int(asked.query[size])]


@contextmanager
def api_server(answers: Answers) -> Iterator[ApiServer]:
    """The server, on a port of its own."""

    class Handler(BaseHTTPRequestHandler):
        def _any(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            raw = self.rfile.read(length)
            parts = urlsplit(self.path)
            query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
            asked = Asked(
                self.command,
                parts.path,
                query,
                dict(self.headers.items()),
                json.loads(raw) if raw else None,
            )
            answer = server.answer(asked)
            content = content_of(answer)
            begin = self.send_response_only if "Date" in answer.headers else self.send_response
            begin(answer.status)
            for name, value in answer.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content if answer.cut is None else content[: answer.cut])

        do_GET = do_POST = do_PUT = do_DELETE = _any

        def log_message(self, *_: Any) -> None:
            pass

    listening = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server = ApiServer(f"http://127.0.0.1:{listening.server_port}", answers)
    thread = threading.Thread(target=listening.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server
    finally:
        listening.shutdown()
        thread.join()
        listening.server_close()
