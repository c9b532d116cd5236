"""What the structure of a mail alone tells: each family of mails, read without its own phrases.

    python benchmarks/leave_one_kind_out.py

For every family of tests/helpers/mail_kinds, each phrase, word and pattern of the rules, and each
word by which bounces are known, is deleted that occurs in any mail of the family. What is still
right then comes from structure: reports, statuses, quoted replies, SMTP stages, the returned mail.
"""

import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))

from contactctl.domain.responses import Response
from contactctl.responses.classify import Classifier, default_classifier
from contactctl.responses.data import phrases_of, read_data
from contactctl.responses.mail import read_mail
from contactctl.responses.mail.anatomy import attached_mail, dissect
from contactctl.responses.mail.message import header_text, parse_mail
from contactctl.responses.rules import Near
from contactctl.responses.vocabulary import normalise
from helpers.mail_kinds import KindOfMail, kinds_of_mail

WORDS = ("bounce_subjects", "bounce_words")


def main() -> None:
    """Print a table: what is still found and right of each family."""
    families: dict[str, list[KindOfMail]] = {}
    for mail in kinds_of_mail().values():
        if mail.expected:
            families.setdefault(mail.kind, []).append(mail)
    print("| family | mails | phrases deleted | recipients | categories | invalid-address wrong |")
    print("|---|---|---|---|---|---|")
    for family, mails in families.items():
        print(f"| {family} | {len(mails)} | {' | '.join(_left(mails))} |")


def _left(mails: list[KindOfMail]) -> Iterator[str]:
    text = "\n".join(part for mail in mails for part in _texts(mail.raw))
    classifier, deleted = _without_phrases(normalise_all(text))
    known = read_data("mail/words.yaml")
    words = {name: known[name] for name in WORDS}
    for name, phrases in words.items():
        known[name] = [phrase for phrase in phrases if phrase not in text.lower()]
        deleted += len(phrases) - len(known[name])
    phrases_of.cache_clear()
    expected = found = right = wrong = 0
    for mail in mails:
        responses = [e for e in read_mail(mail.raw, "", classifier) if isinstance(e, Response)]
        by_recipient = {response.recipient: response for response in responses}
        for want in mail.expected:
            expected += 1
            got = by_recipient.get(want.recipient)
            found += got is not None
            right += got is not None and got.category in want.categories
            wrong += (
                got is not None
                and got.category not in want.categories
                and (got.category == "invalid-address")
            )
    known.update(words)
    phrases_of.cache_clear()
    yield from (str(deleted), f"{found} of {expected}", f"{right} of {expected}", str(wrong))


def _texts(raw: bytes) -> Iterator[str]:
    """The subject, the text and the reports of a mail, and of the mail attached to it."""
    anatomy = dissect(parse_mail(raw))
    while anatomy is not None:
        yield header_text(anatomy.headers.get("subject"))
        yield anatomy.said
        yield anatomy.status
        anatomy = attached_mail(anatomy)


def normalise_all(text: str) -> str:
    """The text as the rules see it, line by line and as a whole."""
    lines = [normalise(line) for line in text.splitlines()]
    return " ".join(lines)


def _without_phrases(text: str) -> tuple[Classifier, int]:
    deleted, rules = 0, []
    for rule in default_classifier().rules:
        texts = tuple(phrase for phrase in rule.texts if phrase not in text)
        patterns = tuple(pattern for pattern in rule.patterns if not pattern.search(text))
        near = tuple(_without_words(lists, text) for lists in rule.near)
        deleted += len(rule.texts) - len(texts) + len(rule.patterns) - len(patterns)
        deleted += _number_of_words(rule.near) - _number_of_words(near)
        rules.append(replace(rule, texts=texts, patterns=patterns, near=near))
    return Classifier(rules), deleted


def _without_words(lists: Near, text: str) -> Near:
    return tuple(tuple(word for word in words if word not in text) for words in lists)


def _number_of_words(near: tuple[Near, ...]) -> int:
    return sum(len(words) for lists in near for words in lists)


if __name__ == "__main__":
    main()
