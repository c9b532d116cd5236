"""Bounces by the kind of evidence in them, written down compactly in the files of mail_kinds/.

An entry: `=== name`, lines `! recipient category[|category] [not counted]` (or `! nothing`,
`! rejected`), header fields, a blank line, the text for people. Sections may follow:
`~~~ failed STATUS [DIAGNOSTIC]` or `~~~ delayed ...` is a report about the recipient expected (its
own fields may follow, and replace the others); `~~~ report` one written out; `~~~ returned` the
mail that came back, `~~~ headers` its head alone; `~~~ nested` makes all that follows a mail of its
own, attached. `Label:` is the character set that the text claims, `Bytes:` the one that it has.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

FOLDER = Path(__file__).parent / "mail_kinds"
OWN = "returns@shop.example.com"
_HEAD = {
    "Return-Path": "<>",
    "From": "Mail Delivery System <MAILER-DAEMON@mx4.example.net>",
    "To": OWN,
    "Subject": "Undelivered Mail Returned to Sender",
    "Date": "Tue, 03 Nov 2026 09:00:00 +0100",
    "MIME-Version": "1.0",
}


@dataclass
class Expected:
    """One recipient that must be found, in one of the categories."""

    recipient: str
    categories: list[str]
    counts: bool


@dataclass
class KindOfMail:
    """A mail and what must come of it: `outcome` is `responses`, `nothing` or `rejected`."""

    name: str
    raw: bytes = b""
    outcome: str = "responses"
    expected: list[Expected] = field(default_factory=list)

    @property
    def kind(self) -> str:
        """The file that it stands in, without a number."""
        return self.name.partition("/")[0].rstrip("0123456789")


def kinds_of_mail(folder: Path = FOLDER) -> dict[str, KindOfMail]:
    """Every entry of every file, by `file/name`."""
    found = {}
    for path in sorted(folder.glob("*.txt")):
        for entry in path.read_text(encoding="utf-8").split("=== ")[1:]:
            name, _, text = entry.partition("\n")
            found[f"{path.stem}/{name}"] = kind_of_mail(f"{path.stem}/{name}", text)
    return found


def kind_of_mail(name: str, text: str) -> KindOfMail:
    """The mail that an entry without its first line describes."""
    lines = text.split("\n")
    marks = [line[2:] for line in lines if line.startswith("! ")]
    made = KindOfMail(name)
    if marks in (["nothing"], ["rejected"]):
        made.outcome = marks[0]
    else:
        made.expected = [_expected(mark) for mark in marks]
    rest = "\n".join(line for line in lines if not line.startswith("! "))
    recipient = made.expected[0].recipient if made.expected else "kari@example.org"
    made.raw = _mail(rest, recipient)
    return made


def _expected(mark: str) -> Expected:
    recipient, categories, *rest = mark.split(" ", 2)
    return Expected(recipient, categories.split("|"), not rest)


def _mail(text: str, recipient: str) -> bytes:
    own, nested, attached = text.partition("\n~~~ nested\n")
    head, _, body = own.partition("\n\n") if not own.startswith("\n") else ("", "", own[1:])
    given = dict(line.split(": ", 1) for line in head.splitlines() if ": " in line)
    label, charset = given.pop("Label", "utf-8"), given.pop("Bytes", "utf-8")
    fields = {name: value for name, value in (_HEAD | given).items() if value != "none"}
    parts = list(_parts(body, recipient, label))
    if nested:
        parts.append(("message/rfc822", _mail(attached, recipient).decode(charset)))
    if len(parts) == 1:
        fields.setdefault("Content-Type", parts[0][0])
        content = parts[0][1]
    else:
        boundary = "=in" if "=out" in fields.values() or not nested else "=out"
        is_report = any(type_ == "message/delivery-status" for type_, _ in parts)
        type_ = "multipart/report; report-type=delivery-status" if is_report else "multipart/mixed"
        fields.setdefault("Content-Type", f'{type_}; boundary="{boundary}"')
        boundary = fields["Content-Type"].rpartition("boundary=")[2].strip('"')
        content = "".join(f"--{boundary}\nContent-Type: {t}\n\n{b}\n" for t, b in parts)
        content += f"--{boundary}--\n"
    lines = "".join(f"{name}: {value}\n" for name, value in fields.items())
    return f"{lines}\n".encode() + content.encode(charset)


def _parts(body: str, recipient: str, label: str) -> Iterator[tuple[str, str]]:
    said, *sections = f"\n{body}".split("\n~~~ ")
    yield f"text/plain; charset={label}", said.lstrip("\n") + "\n"
    for section in sections:
        first, _, rest = section.partition("\n")
        what, _, given = first.partition(" ")
        if what in ("failed", "delayed"):
            yield "message/delivery-status", _report(what, given, rest, recipient)
        elif what == "report":
            yield "message/delivery-status", rest
        else:
            type_ = "message/rfc822" if what == "returned" else "text/rfc822-headers"
            returned = f"From: Shop <{OWN}>\nTo: {recipient}\nSubject: Autumn\n\nHello\n"
            yield type_, rest.strip("\n") + "\n\nHello\n" if rest.strip() else returned


def _report(action: str, given: str, rest: str, recipient: str) -> str:
    status, _, diagnostic = given.partition(" ")
    fields = {"Final-Recipient": f"rfc822; {recipient}", "Action": action, "Status": status}
    fields |= {"Diagnostic-Code": diagnostic} if diagnostic else {}
    fields |= dict(line.split(": ", 1) for line in rest.splitlines() if ": " in line)
    group = "".join(f"{name}: {value}\n" for name, value in fields.items())
    return f"Reporting-MTA: dns; mx4.example.net\n\n{group}\n"
