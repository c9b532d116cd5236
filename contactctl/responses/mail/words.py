"""Words by which absence notes, delays, deliveries, phishing and added notices are known.

All lower case, with straight apostrophes, in the languages that mail systems write.
"""

import re
from collections.abc import Iterator

from contactctl.responses.mail.replies import quoted_replies

AWAY_SUBJECTS = (
    "out of office",
    "out of the office",
    "on vacation",
    "vacation reply",
    "away from",
    "auto reply",
    "auto-reply",
    "autoreply",
    "auto response",
    "automatic reply",
    "automated reply",
    "autoresponder",
    "on holiday",
    "abwesen",
    "automatische antwort",
    "außer haus",
    "absence",
    "réponse automatique",
    "ausente",
    "respuesta automática",
    "fuera de la oficina",
    "fuori sede",
    "assente",
    "risposta automatica",
    "resposta automática",
    "afwezig",
    "automatisch antwoord",
    "frånvaro",
    "autosvar",
    "fraværende",
    "nieobecn",
    "automatyczna odpowied",
    "автоответ",
    "отсутств",
    "不在",
    "自動応答",
    "自動返信",
    "自动回复",
    "自動回覆",
)

DELAY_WORDS = (
    "warning message only",
    "warning only",
    "not yet been delivered",
    "has been delayed",
    "is delayed for",
    "delivery is delayed",
    "will be retried",
    "will keep trying",
    "will continue trying",
    "still being retried",
    "still undelivered",
    "temporary failure report",
    "delivery attempts will continue",
    "zustellung verzögert",
    "noch nicht zugestellt",
    "verzögert sich",
    "wird weiterhin versucht",
    "remise retardée",
    "remise différée",
    "n'a pas encore été remis",
    "entrega se ha retrasado",
    "aún no se ha entregado",
    "entrega está atrasada",
    "ainda não foi entregue",
    "consegna ritardata",
    "non è stato ancora recapitato",
    "nog niet bezorgd",
    "配信が遅れ",
    "hasn't been delivered yet",
)

DELIVERED_WORDS = (
    "successfully delivered",
    "delivered successfully",
    "was delivered to",
    "has been delivered to",
    "were delivered to",
    "successfully relayed",
    "delivery via",
    "successful delivery notification",
    "expect no further notification",
    "delivery receipt",
    "read receipt",
    "erfolgreich zugestellt",
    "remis avec succès",
    "entregado correctamente",
)

# What phishing asks for, in mails that claim to hold undelivered messages for the reader.
LURES = (
    "click here",
    "click below",
    "click the link",
    "click on the link",
    "release message",
    "release your",
    "release to inbox",
    "messages to inbox",
    "pending message",
    "verify your account",
    "verify your mailbox",
    "verify your identity",
    "validate your account",
    "validate your mailbox",
    "upgrade your mailbox",
    "retrieve your message",
    "recover your message",
    "sign in to",
    "log in to your",
    "login to your",
    "klicken sie hier",
    "cliquez ici",
    "haga clic aquí",
    "haz clic aquí",
    "clique aqui",
    "clicca qui",
    "klik hier",
)

# Subjects of what a mail server sends about many mails, or about its reader's own mailbox.
SUMMARY_SUBJECTS = (
    "statisti",
    "statiszti",
    "message frozen",
    "summar",
    "log report",
    "logwatch",
    "daily report",
    "weekly report",
    "monthly report",
    "queue report",
    "queue status",
    "delivery report for",
    "quarantine",
    "digest",
    "quota warning",
    "overview",
    "zusammenfassung",
    "übersicht",
    "bericht für",
    "quarantäne",
    "résumé",
    "récapitulatif",
    "quarantaine",
    "resumen",
    "cuarentena",
    "resumo",
    "quarentena",
    "riepilogo",
    "samenvatting",
    "podsumowanie",
    "istatisti",
    "özet",
    "сводка",
    "статистик",
    "карантин",
    "統計",
    "统计",
    "통계",
    "隔離",
    "隔离",
)


# Notices that scanners, lawyers and advertisers add to mails: they explain no failure


_NOTICE_WORDS = (
    *("scanned", "inspected", "checked by", "checked for", "verified by", "protect", "antivirus"),
    *("anti-virus", "antispam", "anti-spam", "virus-free", "no virus", "confidential", "privacy"),
    *("legal notice", "disclaimer", "analysed by", "analyzed by"),
    *("geprüft", "vertraulich", "vérifié", "analysé", "confidencial", "aviso legal", "analizad"),
    *(
        "verificad",
        "controllat",
        "riservat",
        "gecontroleerd",
        "vertrouwelijk",
        "sprawdzon",
        "poufn",
    ),
    *("проверен", "конфиденц", "kontrollerad", "kontrollert", "ウイルスチェック"),
    *("ウィルスチェック", "已通过", "免责声明", "기밀"),
)
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
    text = text.lower()
    for word in _NOTICE_WORDS:  # noqa: SIM110 - an `any` takes twice as long
        if word in text:
            return True
    return False
