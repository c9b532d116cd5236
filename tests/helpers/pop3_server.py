"""As much of a POP3 server as a fetch needs: mails are deleted when QUIT comes, not before."""

import base64

from helpers.tls_server import LineHandler, TlsServer


class Pop3Server(TlsServer):
    """`mails` is the mailbox; `claimed_size` is told for every mail in place of its size."""

    def __init__(
        self,
        mails: list[bytes],
        *,
        password: str = "secret",
        break_off_at: str = "",
        claimed_size: int = 0,
        implicit_tls: bool = True,
    ) -> None:
        self.mails = {f"uidl-{number}": raw for number, raw in enumerate(mails, start=1)}
        self.password = password
        self.break_off_at = break_off_at
        self.claimed_size = claimed_size
        self.log: list[str] = []
        super().__init__(_Handler, implicit_tls=implicit_tls)


class _Handler(LineHandler):
    def handle(self) -> None:
        self.uidls = list(self.server.mails)
        self.marked: list[str] = []
        self.send(b"+OK ready")
        for line in self.lines():
            self.server.log.append(line)
            if self.server.break_off_at and line.startswith(self.server.break_off_at):
                return
            name, *arguments = line.split()
            getattr(self, f"do_{name.lower()}")(*arguments)
            if name == "QUIT":
                return

    def do_capa(self) -> None:
        self._send_lines([b"STLS", b"UIDL", b"TOP"])

    def do_stls(self) -> None:
        self.send(b"+OK")
        self.start_tls()

    def do_user(self, user: str) -> None:
        self.send(b"+OK")

    def do_pass(self, password: str) -> None:
        self.send(b"+OK" if password == self.server.password else b"-ERR wrong password")

    def do_auth(self, mechanism: str) -> None:
        """As Microsoft's server: the token comes on a line of its own."""
        assert mechanism == "XOAUTH2"
        self.send(b"+ ")
        said = base64.b64decode(self.file.readline()).decode()
        right = said == f"user=bounces\1auth=Bearer {self.server.password}\1\1"
        self.send(b"+OK welcome" if right else b"-ERR Authentication failure")

    def do_uidl(self) -> None:
        self._send_lines([f"{n} {uidl}".encode() for n, uidl in enumerate(self.uidls, start=1)])

    def do_list(self) -> None:
        sizes = [self.server.claimed_size or len(raw) for raw in self.server.mails.values()]
        self._send_lines([f"{n} {size}".encode() for n, size in enumerate(sizes, start=1)])

    def do_retr(self, number: str) -> None:
        self._send_lines(self._lines(number))

    def do_top(self, number: str, count: str) -> None:
        self._send_lines(self._lines(number)[: int(count)])

    def do_dele(self, number: str) -> None:
        self.marked.append(self.uidls[int(number) - 1])
        self.send(b"+OK")

    def do_quit(self) -> None:
        for uidl in self.marked:
            del self.server.mails[uidl]
        self.send(b"+OK bye")

    def _lines(self, number: str) -> list[bytes]:
        return self.server.mails[self.uidls[int(number) - 1]].splitlines()

    def _send_lines(self, lines: list[bytes]) -> None:
        self.send(b"+OK")
        for line in lines:
            self.send(b"." + line if line.startswith(b".") else line)
        self.send(b".")
