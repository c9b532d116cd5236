"""Notices that scanners, lawyers and advertisers add to mails: they explain no failure."""

import re
from collections.abc import Iterator

from contactctl.responses.data import holds_any
from contactctl.responses.mail.replies import quoted_replies

_FAILURE = re.compile(
    r"reject|refus|block|den(?:y|ied)|deliver|bounc|fail|suspect|identified|classified|considered"
    r"|detected|infected|quarantin|unknown|full|quota|exist|abgelehnt|verweigert|zugestellt|rejeté"
    r"|refusé|rechazad|rifiutat|recusad|geweigerd|odrzucon|отклон|拒|退",
    re.IGNORECASE,
)
_RULE = re.compile(r"[ \t]*(?:[-_=*#~+.][ \t]?){5,200}[ \t]*\Z")


def without_notices(lines: list[str]) -> list[str]:
    """`lines` without the paragraphs that are a notice: they name no address, quote no reply and
    speak of no failure."""
    if not _has_notice_words("\n".join(lines)):
        return lines
    return [
        line for paragraph in _paragraphs(lines) if not _is_notice(paragraph) for line in paragraph
    ]


def _paragraphs(lines: list[str]) -> Iterator[list[str]]:
    """Lines up to a blank one, or to one that is drawn."""
    paragraph: list[str] = []
    for line in lines:
        paragraph.append(line)
        if not line.strip() or _RULE.match(line):
            yield paragraph
            paragraph = []
    yield paragraph


def _is_notice(paragraph: list[str]) -> bool:
    text = "\n".join(paragraph)
    if "@" in text or not _has_notice_words(text) or _FAILURE.search(text):
        return False
    return not quoted_replies(text)


def _has_notice_words(text: str) -> bool:
    return holds_any(text.lower(), "notice_words")
