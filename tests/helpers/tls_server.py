"""A line-based server for one test: each connection in a thread of its own, TLS with localhost.pem.

localhost.pem holds a self-signed certificate for localhost and its key; it guards nothing.
"""

import socket
import socketserver
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

CERTIFICATE = Path(__file__).with_name("localhost.pem")


class TlsServer(socketserver.ThreadingTCPServer):
    """Wraps what it accepts in TLS, unless `implicit_tls` is False."""

    daemon_threads = True
    allow_reuse_address = True

    def __init__(
        self, handler: type[socketserver.BaseRequestHandler], *, implicit_tls: bool = True
    ) -> None:
        self.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.tls.load_cert_chain(CERTIFICATE)
        self.implicit_tls = implicit_tls
        super().__init__(("127.0.0.1", 0), handler)

    @property
    def port(self) -> int:
        return self.server_address[1]

    def handle_error(self, request, client_address) -> None:
        """Clients that break off are part of the tests."""


class LineHandler(socketserver.BaseRequestHandler):
    """Lines in, bytes out; `start_tls` upgrades."""

    def setup(self) -> None:
        self.request.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, True)
        if self.server.implicit_tls:
            self._wrap()
        else:
            self.file = self.request.makefile("rb")

    def start_tls(self) -> None:
        self._wrap()

    def send(self, line: bytes) -> None:
        self.request.sendall(line + b"\r\n")

    def lines(self) -> Iterator[str]:
        with suppress(OSError, ValueError):
            while line := self.file.readline():
                yield line.decode().rstrip("\r\n")

    def finish(self) -> None:
        with suppress(OSError):
            self.file.close()
            self.request.close()

    def _wrap(self) -> None:
        self.request = self.server.tls.wrap_socket(self.request, server_side=True)
        self.file = self.request.makefile("rb")


@contextmanager
def running(server: TlsServer) -> Iterator[TlsServer]:
    """The server, answering until the block ends."""
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
