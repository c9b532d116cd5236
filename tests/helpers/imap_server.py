"""As much of an IMAP server as a fetch needs, with the failures that tests ask for."""

import base64
import re
from dataclasses import dataclass, field

from helpers.tls_server import LineHandler, TlsServer

DAMAGED, NIL = b"FLAGS (Junk)", b"BODY[]<0> NIL"
WITHOUT_BODY = (DAMAGED, NIL)
"""Mails whose text the server does not give, with what it tells of them."""


@dataclass
class Mail:
    uid: int
    raw: bytes
    flags: set[str] = field(default_factory=set)


class ImapServer(TlsServer):
    """`folders` maps names, as sent on the wire, to mails; `log` keeps the commands received."""

    def __init__(
        self,
        mails: list[bytes],
        *,
        capabilities: str = "IMAP4rev1 AUTH=PLAIN MOVE UIDPLUS",
        password: str = "secret",
        break_off_at: str = "",
        refuse: str = "",
        claimed_size: int = 0,
        implicit_tls: bool = True,
        prefix: str = "",
    ) -> None:
        self.folders = {"INBOX": [Mail(uid, raw) for uid, raw in enumerate(mails, start=11)]}
        self.capabilities = capabilities
        self.password = password
        self.break_off_at = break_off_at
        self.refuse = refuse
        self.claimed_size = claimed_size
        self.prefix = prefix
        self.log: list[str] = []
        super().__init__(_Handler, implicit_tls=implicit_tls)


class _Handler(LineHandler):
    def handle(self) -> None:
        self.send(b"* OK ready")
        for line in self.lines():
            tag, _, command = line.partition(" ")
            self.server.log.append(command)
            if self.server.break_off_at and self.server.break_off_at in command:
                return
            if self.server.refuse and self.server.refuse in command:
                self.send(f"{tag} NO not allowed".encode())
                continue
            name, _, rest = command.partition(" ")
            if name == "UID":
                name, _, rest = rest.partition(" ")
            answer = getattr(self, f"do_{name.lower()}")(rest) or f"OK {name} done"
            self.send(f"{tag} {answer}".encode())
            if name == "LOGOUT":
                return
            if name == "STARTTLS":
                self.start_tls()

    def do_capability(self, rest: str) -> None:
        starttls = "" if self.server.implicit_tls else " STARTTLS"
        self.send(f"* CAPABILITY {self.server.capabilities}{starttls}".encode())

    def do_starttls(self, rest: str) -> None:
        pass

    def do_login(self, rest: str) -> str:
        return self._judge(rest == f'"bounces" "{self.server.password}"')

    def do_authenticate(self, rest: str) -> str:
        self.send(b"+ ")
        if rest == "XOAUTH2":
            return self._judge_token()
        token = base64.b64decode(self.file.readline()).decode()
        return self._judge(token == f"\0bounces\0{self.server.password}")

    def _judge_token(self) -> str:
        """A wrong token is answered with a challenge first, which wants an empty answer."""
        said = base64.b64decode(self.file.readline()).decode()
        if said == f"user=bounces\1auth=Bearer {self.server.password}\1\1":
            return "OK welcome"
        self.send(b"+ " + base64.b64encode(b'{"status":"400"}'))
        assert self.file.readline().strip() == b""
        return "NO AUTHENTICATE failed"

    def _judge(self, right: bool) -> str:
        return "OK welcome" if right else "NO [AUTHENTICATIONFAILED] wrong\tpassword"

    def do_select(self, rest: str) -> str:
        folder = rest.strip('"')
        if folder not in self.server.folders:
            return "NO no such folder"
        self.mails = self.server.folders[folder]
        self.send(f"* {len(self.mails)} EXISTS".encode())
        return ""

    do_examine = do_select

    def do_search(self, rest: str) -> None:
        window, *criteria = rest.split()
        first, last = map(int, window.split(":"))
        unwanted = {{"UNSEEN": "\\Seen", "UNDELETED": "\\Deleted"}[word] for word in criteria}
        uids = [str(m.uid) for m in self.mails[first - 1 : last] if not m.flags & unwanted]
        for some in (uids[:1], uids[1:]):
            self.send(f"* SEARCH {' '.join(some)}".rstrip().encode())

    def do_fetch(self, rest: str) -> str:
        uid, _, items = rest.partition(" ")
        limit = int(re.search(r"BODY\.PEEK\[\]<0\.(\d+)>", items)[1])
        for mail in self._chosen(uid):
            if mail.raw in WITHOUT_BODY:
                self.send(b"* 1 FETCH (UID %d %s)" % (mail.uid, mail.raw))
                return "NO cannot be retrieved" if mail.raw == DAMAGED else ""
            raw = mail.raw[:limit]
            size = self.server.claimed_size or len(raw)
            self.send(b"* 1 FETCH (UID %d BODY[]<0> {%d}" % (mail.uid, size))
            self.request.sendall(raw)
            self.send(b")")
        return ""

    def do_store(self, rest: str) -> None:
        uids, _, flags = rest.partition(" +FLAGS.SILENT ")
        for mail in self._chosen(uids):
            mail.flags.update(flags.strip("()").split())

    def do_create(self, rest: str) -> str:
        if not rest.strip('"').startswith(self.server.prefix):
            return "NO Invalid mailbox name."
        self.server.folders[rest.strip('"')] = []
        return ""

    def do_list(self, rest: str) -> None:
        for name in self.server.folders:
            self.send(rb'* LIST (\HasNoChildren) "." ' + f'"{name}"'.encode())

    def do_copy(self, rest: str) -> str:
        uids, folder = rest.split(" ", 1)
        if folder.strip('"') not in self.server.folders:
            return "NO [TRYCREATE] no such folder"
        target = self.server.folders[folder.strip('"')]
        target.extend(Mail(100 + m.uid, m.raw, set(m.flags)) for m in self._chosen(uids))
        return ""

    def do_move(self, rest: str) -> str:
        answer = self.do_copy(rest)
        if not answer:
            self._remove(self._chosen(rest.split(" ", 1)[0]))
        return answer

    def do_expunge(self, rest: str) -> None:
        self._remove([m for m in self._chosen(rest) if "\\Deleted" in m.flags])

    def do_logout(self, rest: str) -> None:
        self.send(b"* BYE")

    def _chosen(self, uids: str) -> list[Mail]:
        wanted = {int(uid) for uid in uids.split(",")}
        return [mail for mail in self.mails if mail.uid in wanted]

    def _remove(self, mails: list[Mail]) -> None:
        self.mails[:] = [mail for mail in self.mails if mail not in mails]
