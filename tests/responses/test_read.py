"""One way in for every kind of input."""

import gzip
import io
import json
import os
import tarfile
import threading
from collections.abc import Callable
from pathlib import Path
from zipfile import ZipFile

import pytest

from contactctl.domain.errors import InputError, UsageError
from contactctl.domain.responses import Category, Event, NoResponse, Rejection, Response
from contactctl.responses.classify import default_classifier
from contactctl.responses.mail import Naming, VerpPattern
from contactctl.responses.payloads import HEAD_BYTES
from contactctl.responses.read import read_events, read_mails
from helpers.provider_samples import CASES

BOUNCE = b"""From: MAILER-DAEMON@mx.example.com
To: news@example.com
Subject: Undelivered Mail Returned to Sender
Content-Type: multipart/report; report-type=delivery-status; boundary=b

--b

The mail could not be delivered.
--b
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example.com

Final-Recipient: rfc822; kari@example.org
Action: failed
Status: 5.1.1
Diagnostic-Code: smtp; 550 5.1.1 User unknown

--b--
"""
GENERIC = b'{"email": "ola@example.org", "category": "blocked", "id": "1"}\n'


def read(*inputs: Path | io.IOBase, **options) -> list[Event]:
    return list(read_events(inputs, default_classifier(), **options))


def in_short(events: list[Event]) -> list[tuple[str, Category]]:
    return [(one.recipient, one.category) for one in events if isinstance(one, Response)]


MAIL_READS = [("kari@example.org", Category.INVALID_ADDRESS)]
GENERIC_READS = [("ola@example.org", Category.BLOCKED)]


def test_several_inputs_of_different_formats(tmp_path: Path) -> None:
    (tmp_path / "one").write_bytes(BOUNCE)
    (tmp_path / "two").write_bytes(GENERIC)
    events = read(tmp_path / "one", tmp_path / "two", io.BytesIO(GENERIC), io.BytesIO(BOUNCE))
    assert in_short(events) == [*MAIL_READS, *GENERIC_READS, *GENERIC_READS, *MAIL_READS]
    assert events[1].source == f"{tmp_path / 'two'}:1"
    assert events[2].source == "-:1"


@pytest.mark.parametrize("provider", CASES)
def test_detected_and_named_formats_read_the_same(provider: str, tmp_path: Path) -> None:
    file = tmp_path / "misleading.eml"
    file.write_text("\n".join(json.dumps(event) for event, _ in CASES[provider]))
    assert read(file) == read(file, format=provider)
    followed = [one for one in read(file) if not isinstance(one, NoResponse)]
    assert len(followed) == sum(len(expected) for _, expected in CASES[provider])
    silent = sum(not expected for _, expected in CASES[provider])
    assert len(read(file)) - len(followed) == silent


@pytest.mark.parametrize("format", ["auto", "mail", "jsonl", "csv", "ses"])
def test_what_is_empty_holds_nothing(tmp_path: Path, format: str) -> None:
    (tmp_path / "events").write_bytes(b"\n \n")
    assert read(tmp_path / "events", io.BytesIO(b""), format=format) == []


def test_an_empty_mail_is_rejected(tmp_path: Path) -> None:
    (tmp_path / "a.eml").write_bytes(b"")
    assert [type(one) for one in read(tmp_path / "a.eml")] == [Rejection]
    assert [type(one) for one in read(tmp_path)] == [Rejection]


def test_a_mail_from_which_nothing_follows_is_told(tmp_path: Path) -> None:
    newsletter = b"From: news@example.com\nSubject: June\n\nSpecial offers.\n"
    (tmp_path / "a.eml").write_bytes(newsletter)
    reason = "not about a failed delivery"
    assert read(tmp_path) == [NoResponse(str(tmp_path / "a.eml"), reason)]


def test_a_folder_of_mails_and_payloads(tmp_path: Path) -> None:
    (tmp_path / "a.eml").write_bytes(BOUNCE)
    (tmp_path / "b.jsonl").write_bytes(GENERIC)
    (tmp_path / "c.txt").write_bytes(GENERIC)
    (tmp_path / "notes.txt").write_bytes(b"Nothing, of nobody; at all\n[x]\n")
    *events, notes = read(tmp_path)
    assert in_short(events) == [*MAIL_READS, *GENERIC_READS * 2]
    assert notes == NoResponse(str(tmp_path / "notes.txt"), "neither a mail nor a document")
    assert in_short(read(tmp_path, format="mail")) == MAIL_READS
    (tmp_path / "a.eml").unlink()
    (tmp_path / "notes.txt").unlink()
    assert in_short(read(tmp_path, format="jsonl")) == GENERIC_READS * 2


@pytest.mark.parametrize(
    ("name", "content", "is_read"),
    [
        ("hook-1.body", GENERIC, True),
        ("hook.payload", b"event=complained&recipient=kari%40example.org", True),
        ("bounce.txt", BOUNCE, True),
        ("list.tsv", b"email\tevent\nkari@example.org\tcomplaint\n", True),
        (
            "mail.log.1",
            b"Mar  1 10:00:00 mx postfix/smtp[1]: F1A2: to=<a@b.no>, status=sent (o)",
            True,
        ),
        ("old.conf", b"[main]\nkey=1\n", False),
        ("app.ini", b"colour=red\n", False),
        ("page.html", b"<p>Mail, to an address</p>\n", False),
        ("read.md", b"# Email\n", False),
    ],
)
def test_a_file_in_a_folder_is_what_it_begins_like(
    tmp_path: Path, name: str, content: bytes, is_read: bool
) -> None:
    (tmp_path / name).write_bytes(content)
    (event,) = read(tmp_path)
    assert not isinstance(event, Rejection)
    assert isinstance(event, NoResponse) is not is_read


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("auth.log", b"Mar  1 10:00:00 mx sshd[1]: bye\n", "a log, and none of its"),
        ("x.csv", b"a,b\n1,2\n", "no column 'email'"),
        ("x.msg", b"\xd0\xcf\x11\xe0\xa1", "a message of Outlook; save it as .eml"),
        ("a.json", b"\x1f\x8bnot gzip", "damaged or cut off"),
    ],
)
def test_one_file_in_a_folder_that_is_refused_leaves_the_others(
    tmp_path: Path, name: str, content: bytes, reason: str
) -> None:
    (tmp_path / name).write_bytes(content)
    (tmp_path / "z.jsonl").write_bytes(GENERIC)
    refused, *events = read(tmp_path)
    assert isinstance(refused, Rejection)
    assert reason in refused.reason
    assert in_short(events) == GENERIC_READS
    with pytest.raises(InputError):
        read(tmp_path / name)
    (refused,) = read(io.BytesIO(zipped({name: content})))
    assert isinstance(refused, Rejection)


def test_a_folder_of_a_providers_objects(tmp_path: Path) -> None:
    """As they lie in a bucket: below days, without suffixes, packed, other things among them."""
    day = tmp_path / "s3" / "2026" / "11" / "25"
    day.mkdir(parents=True)
    (day / "events-1-2026-11-25-09-00-00-3a7f").write_bytes(GENERIC)
    (day / "events-1-2026-11-25-09-05-00-b1.gz").write_bytes(gzip.compress(GENERIC))
    (day / "o3vrnil0e2ic28tr").write_bytes(BOUNCE)
    (day / "o3vrnil0e2ic28ts.gz").write_bytes(gzip.compress(BOUNCE))
    (day.parent / "all.jsonl.gz").write_bytes(gzip.compress(GENERIC) * 2)
    (day / "_SUCCESS").write_bytes(b"")
    (day / "manifest").write_bytes(b"three objects\n")
    (day / ".hidden").write_bytes(GENERIC)
    events = read(tmp_path)
    assert in_short(events) == [*GENERIC_READS * 2, *MAIL_READS * 2, *GENERIC_READS * 2]
    told = [Path(event.source).name for event in events if isinstance(event, NoResponse)]
    assert told == ["_SUCCESS", "manifest"]


def test_what_is_packed_is_unpacked_and_damage_is_an_error(tmp_path: Path) -> None:
    packed = gzip.compress(GENERIC * 20_000)
    assert len(read(io.BytesIO(packed))) == 20_000
    with pytest.raises(InputError, match="damaged or cut off"):
        read(io.BytesIO(packed[:-500]))
    (tmp_path / "a.json").write_bytes(b"\x1f\x8bnot gzip")
    with pytest.raises(InputError, match="damaged or cut off"):
        read(tmp_path / "a.json")


def test_a_pipe(tmp_path: Path) -> None:
    """What cannot be rewound, and comes in pieces smaller than the head that detection reads."""
    count = 3 * HEAD_BYTES // len(GENERIC)
    reader, writer = os.pipe()

    def write() -> None:
        with os.fdopen(writer, "wb", buffering=0) as pipe:
            for _ in range(count):
                pipe.write(GENERIC)

    thread = threading.Thread(target=write)
    thread.start()
    with os.fdopen(reader, "rb") as stream:
        assert len(read(stream)) == count
    thread.join()


def test_a_named_format_is_not_second_guessed() -> None:
    [rejection] = read(io.BytesIO(GENERIC), format="ses")
    assert isinstance(rejection, Rejection)


def test_rejections_keep_what_they_reject() -> None:
    payload = b'[1, {"email": "a@b.no", "event": "bounce"}, {"event": "bounce", "email": 7}]'
    number, _, nobody = read(io.BytesIO(payload), format="sendgrid")
    assert (number.source, number.reason, number.raw) == ("-:1[0]", "not a JSON object", b"1")
    assert (nobody.source, json.loads(nobody.raw)) == ("-:1[2]", {"event": "bounce", "email": 7})


def test_rejections_of_lone_surrogates_can_be_written() -> None:
    [rejection] = read(io.BytesIO(b'{"sg_event_id": "\\ud800"}'))
    assert json.loads(rejection.raw) == {"sg_event_id": "\ud800"}


def test_verp_reaches_the_mails() -> None:
    mail = BOUNCE.replace(b"Final-Recipient: rfc822; kari@example.org\n", b"")
    mail = mail.replace(b"To: news@", b"To: bounce+kari=example.org@")
    pattern = VerpPattern.parse("bounce+{local}={domain}@example.com")
    recipients = {one.recipient for one in read(io.BytesIO(mail), naming=Naming(pattern))}
    assert recipients == {"kari@example.org"}


def test_mails_that_were_fetched() -> None:
    events = list(read_mails([("imap://h/INBOX/;UID=1", BOUNCE)], default_classifier()))
    assert in_short(events) == MAIL_READS
    assert events[0].source == "imap://h/INBOX/;UID=1"


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="missing: No such file"):
        read(tmp_path / "missing")


def test_an_unknown_format_is_refused_before_anything_is_read(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        read(tmp_path / "missing", format="xml")
    assert "sendgrid" in caught.value.hint


MEMBERS = {
    "d/one.eml": BOUNCE,
    "d/objects/3a7f": gzip.compress(GENERIC),
    "events.jsonl": GENERIC,
    "read.me": b"how to read these",
    "__MACOSX/d/._one.eml": b"x",
}


def zipped(members: dict[str, bytes]) -> bytes:
    data = io.BytesIO()
    with ZipFile(data, "w") as archive:
        archive.mkdir("d/")
        for name, content in members.items():
            archive.writestr(name, content)
    return data.getvalue()


def tarred(members: dict[str, bytes], mode: str = "w") -> bytes:
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode=mode) as archive:  # type: ignore[call-overload]
        for name, content in members.items():
            member = tarfile.TarInfo(f"./{name}")
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return data.getvalue()


@pytest.mark.parametrize("pack", [zipped, tarred, lambda each: tarred(each, "w:gz")])
def test_an_archive_is_read_as_a_folder(
    tmp_path: Path, pack: Callable[[dict[str, bytes]], bytes]
) -> None:
    path = tmp_path / "bounces"
    path.write_bytes(pack(MEMBERS))
    for events in (read(path), read(io.BytesIO(path.read_bytes()))):
        assert sorted(in_short(events)) == sorted([*MAIL_READS, *GENERIC_READS, *GENERIC_READS])
        (other,) = (each for each in events if isinstance(each, NoResponse))
        assert other.source.endswith("/read.me")
    (tmp_path / "bounces").rename(tmp_path / "bounces.zip")
    (tmp_path / "two.eml.gz").write_bytes(gzip.compress(BOUNCE))
    assert len(in_short(read(tmp_path))) == 4


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (zipped(MEMBERS)[:300], "a damaged archive"),
        (tarred(MEMBERS)[:1300], "a damaged archive"),
        (tarred(MEMBERS, "w:gz")[:300], "the gzip file is damaged"),
    ],
)
def test_a_damaged_archive_is_refused(data: bytes, words: str) -> None:
    with pytest.raises(InputError, match=words):
        read(io.BytesIO(data))


def test_the_end_of_a_tar_may_lie_across_two_of_its_records() -> None:
    blocks_before_the_end = tarfile.RECORDSIZE // tarfile.BLOCKSIZE - 1
    size = (blocks_before_the_end - 1) * tarfile.BLOCKSIZE
    data = tarred({"one.jsonl": GENERIC + b" " * (size - len(GENERIC))})

    assert in_short(read(io.BytesIO(data))) == GENERIC_READS
    with pytest.raises(InputError, match="a damaged archive"):
        read(io.BytesIO(data[: tarfile.RECORDSIZE]))


@pytest.mark.parametrize("name", ["./one.eml", "../../one.eml", "/one.eml", "d/./One.EML"])
def test_no_member_is_passed_over_for_its_path(name: str) -> None:
    assert in_short(read(io.BytesIO(zipped({name: BOUNCE})))) == MAIL_READS
    (event,) = read(io.BytesIO(zipped({name: b""})))
    assert isinstance(event, Rejection)


def test_an_archive_in_an_archive_is_rejected() -> None:
    (event,) = read(io.BytesIO(zipped({"inner.zip": zipped(MEMBERS)})))
    assert isinstance(event, Rejection)
