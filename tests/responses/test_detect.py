"""The format of an input, told by its content."""

import pytest

from contactctl.domain.errors import InputError
from contactctl.responses.payloads import detect


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        (b'{"email": "a@b.no", "category": "blocked"}', "json"),
        (b"\xef\xbb\xbf\r\n [ ]", "json"),
        (b"{", "json"),
        (b'"{\\"email\\": 1}"\n', "json"),
        (b"a=1&data[email]=a@b.no\n", "form"),
        (b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\n', "parts"),
        (b"email,category\na@b.no,blocked\n", "csv"),
        (b"\xef\xbb\xbfemail;category\r\n", "csv"),
        (b'"email"\n', "csv"),
        (b"Email\n", "csv"),
        (b"address\tcategory\n", "csv"),
        (b"", "mail"),
        (b"From: MAILER-DAEMON@example.org\n\n", "mail"),
        (b"From mailer-daemon Sun Mar  1 10:00:00 2026\nX: y\n", "mail"),
        (b"From a, b; c\n", "mail"),
        (b"Received: from a, b; Sun, 1 Mar 2026\r\n", "mail"),
        (b"Return-Path: <>\rTo: a@b.no\r\r{}", "mail"),
        (b"\n\nSubject: late\n", "mail"),
        (b"nothing in particular", "mail"),
        (bytes(range(256)), "mail"),
    ],
)
def test_other_formats(head: bytes, expected: str) -> None:
    assert detect(head, "f") == expected


@pytest.mark.parametrize(
    "line",
    [
        "2025-08-11T10:00:00.123456+00:00 mx postfix/smtp[592]: F18: to=<a@b.no>, status=sent (ok)",
        "Aug  1 10:00:00 mx postfix/qmgr[9]: F18: removed",
        "<22>Aug 11 10:00:00 mx postfix-out/smtp[1]: F18: to=<a@b.no>, status=sent (ok)",
    ],
)
def test_a_log(line: str) -> None:
    assert detect(f"{line}\n".encode(), "f") == "postfix"
    sshd = b"2025-08-11T10:00:00+00:00 mx sshd[1]: bye\n"
    assert detect(sshd + line.encode(), "f") == "postfix"
    with pytest.raises(InputError, match="none of its first lines is Postfix's"):
        detect(sshd, "f")


@pytest.mark.parametrize(
    "head",
    [
        *("HTTP/2 200\r\n", "HTTP/1.1 200 OK\n", "POST /x HTTP/1.1\r\n"),
        "x-amz-sns-message-type: Notification\nContent-Type: text/plain; charset=UTF-8\n",
        "Content-Length: 812\r\nUser-Agent: Amazon SNS Agent\r\nHost: x.no\r\n",
    ],
)
def test_headers_of_http_are_refused_with_advice(head: str) -> None:
    with pytest.raises(InputError, match="an HTTP message") as caught:
        detect(f"{head}Content-Type: application/json\n\n[]".encode(), "f")
    assert "curl without -i" in caught.value.hint


@pytest.mark.parametrize(
    ("head", "command"),
    [
        ("// exported\n/* twice */\n[{}]\n", "tail -n +3"),
        ("```json\n{\n", "tail -n +2"),
        ('jsonp([{"a": 1}]);\n', "sed"),
        ('INFO:hooks:received {"a": 1}\n', "sed"),
        ('2025-11-27T11:00:01Z {"a": 1}\n', "sed"),
        ('[2025-11-27 11:00:01] prod.INFO: hook {"a": 1} []\n', "sed"),
    ],
)
def test_text_before_json_is_refused_with_advice(head: str, command: str) -> None:
    with pytest.raises(InputError, match="JSON with other text before it") as caught:
        detect(head.replace("{}", '{"a": 1}').replace("{\n", '{"a":\n').encode(), "f")
    assert command in caught.value.hint


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("text", ["\ufeff{}", "{}", "email,event\n"])
def test_utf_16_is_refused_with_advice(encoding: str, text: str) -> None:
    with pytest.raises(InputError) as caught:
        detect(text.encode(encoding), "events.json")
    assert "events.json" in caught.value.message
    assert "UTF-8" in caught.value.hint
