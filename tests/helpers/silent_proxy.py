"""A TCP proxy before a Postgres server, which falls silent at a moment and keeps its connections.

As a cut cable, a full firewall table or a stopped machine looks to a client: no answer, no end.
"""

import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from threading import Lock, Thread
from urllib.parse import parse_qs, urlsplit

from helpers.databases import replace_database

# whether this is the moment, told by a client's packet and its number, counted from 1
Moment = Callable[[int, bytes], bool]


class SilentProxy:
    """Passes on what clients and server say until the moment; after it nothing, either way.

    `packets` counts what the clients have sent until then.
    """

    def __init__(self, server_url: str, moment: Moment) -> None:
        self._server = server_url
        self._moment = moment
        self._lock = Lock()
        self._is_silent = False
        self.packets = 0
        self._sockets: list[socket.socket] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._acceptor = Thread(target=self._accept, daemon=True)
        self._acceptor.start()

    @property
    def url(self) -> str:
        """The URL of the same database, through the proxy."""
        name = urlsplit(self._server).path.removeprefix("/")
        port = self._listener.getsockname()[1]
        return replace_database(f"postgresql://postgres@127.0.0.1:{port}/x", name)

    def close(self) -> None:
        # a client that comes at this moment (psycopg cancels by a connection of its own) is waited
        # for, or its sockets would be left open
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._acceptor.join()
        for each in (self._listener, *self._sockets):
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                self._sockets.append(client)
                server = self._connect()
                self._sockets.append(server)
                for ends in ((client, server, True), (server, client, False)):
                    Thread(target=self._pass_on, args=ends, daemon=True).start()

    def _connect(self) -> socket.socket:
        parts = urlsplit(self._server)
        query = parse_qs(parts.query)
        if "host" in query:  # a folder with a Unix socket
            server = socket.socket(socket.AF_UNIX)
            server.connect(f"{query['host'][0]}/.s.PGSQL.{parts.port or 5432}")
            return server
        return socket.create_connection((parts.hostname or "127.0.0.1", parts.port or 5432))

    def _pass_on(self, source: socket.socket, target: socket.socket, is_client: bool) -> None:
        with suppress(OSError):
            while data := source.recv(65536):
                if not self._swallows(data, is_client=is_client):
                    target.sendall(data)
            if not self._is_silent:
                target.shutdown(socket.SHUT_WR)

    def _swallows(self, data: bytes, *, is_client: bool) -> bool:
        with self._lock:
            if is_client and not self._is_silent:
                self.packets += 1
                self._is_silent = self._moment(self.packets, data)
            return self._is_silent


@contextmanager
def silent_proxy(
    server_url: str, moment: Moment = lambda _number, _packet: False
) -> Iterator[SilentProxy]:
    """A proxy; what it connected is cut off at the end, and the server notices."""
    proxy = SilentProxy(server_url, moment)
    try:
        yield proxy
    finally:
        proxy.close()
