"""Mails written down in files: bounces as servers word them, and mails that resemble them.

A file holds entries: a line `=== name`, the field `Expected`, header fields, a blank line, a body.
`Expected` lists recipient and category, `not counted` where it is so, or says `nothing`.
"""

from pathlib import Path

from helpers.mails import mail

FOLDER = Path(__file__).parent / "mail_samples"

# recipient, category, whether it counts
Expected = list[tuple[str, str, bool]]


def sample_mails(pattern: str) -> dict[str, tuple[bytes, Expected]]:
    """The mails of the files that fit a pattern, by `file/name`, with what must be found."""
    found: dict[str, tuple[bytes, Expected]] = {}
    for path in sorted(FOLDER.glob(pattern)):
        for entry in path.read_text(encoding="utf-8").split("=== ")[1:]:
            name, _, text = entry.partition("\n")
            found[f"{path.stem}/{name}"] = _mail_of(text)
    return found


def _mail_of(text: str) -> tuple[bytes, Expected]:
    head, _, body = text.partition("\n\n")
    fields = dict(line.split(": ", 1) for line in head.splitlines())
    expected = _expected(fields.pop("Expected"))
    names = {"From": "sender", "Subject": "subject", "Content-Type": "content_type"}
    given = {names.get(name, name.replace("-", "_")): value for name, value in fields.items()}
    return mail(body, **given), expected


def _expected(value: str) -> Expected:
    if value == "nothing":
        return []
    answers = (answer.split(" ", 2) for answer in value.split("; "))
    return [(recipient, category, not rest) for recipient, category, *rest in answers]
