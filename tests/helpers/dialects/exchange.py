"""Delivery reports of Exchange in its languages: typed, as text alone, and by their words alone."""

from base64 import encodebytes
from email.header import Header

from helpers.dialects.forms import BLOCKED, INVALID, KARI, NETWORK, TRANSIENT
from helpers.mails import mail, multipart
from helpers.sample_mails import Expected

# subject, opening, what is said about an unknown address, two headings
LANGUAGES = {
    "en": (
        "Undeliverable: spring sale",
        "Delivery has failed to these recipients or groups:",
        "The e-mail address you entered couldn't be found. Please check the "
        "recipient's e-mail address and try to resend the message. If the "
        "problem continues, please contact your helpdesk.",
        "Diagnostic information for administrators:",
        "Original message headers:",
    ),
    "de": (
        "Unzustellbar: spring sale",
        "Fehler bei der Nachrichtenzustellung an folgende Empfänger oder Gruppen:",
        "Die eingegebene E-Mail-Adresse konnte nicht gefunden werden. "
        "Überprüfen Sie die E-Mail-Adresse des Empfängers, und versuchen Sie, "
        "die Nachricht erneut zu senden.",
        "Diagnoseinformationen für Administratoren:",
        "Ursprüngliche Nachrichtenkopfzeilen:",
    ),
    "fr": (
        "Non remis : spring sale",
        "Échec de la remise pour ces destinataires ou groupes :",
        "L'adresse de messagerie que vous avez entrée est introuvable. Vérifiez "
        "l'adresse de messagerie du destinataire et essayez de renvoyer le "
        "message.",
        "Informations de diagnostic pour les administrateurs :",
        "En-têtes de message d'origine :",
    ),
    "es": (
        "No se puede entregar: spring sale",
        "No se pudo entregar a los siguientes destinatarios o grupos:",
        "La dirección de correo electrónico que ha especificado no se encontró. "
        "Compruebe la dirección de correo electrónico del destinatario e "
        "intente volver a enviar el mensaje.",
        "Información de diagnóstico para administradores:",
        "Encabezados de mensajes originales:",
    ),
    "pt": (
        "Não entregue: spring sale",
        "Falha na entrega a estes destinatários ou grupos:",
        "O endereço de email inserido não foi encontrado. Verifique o endereço "
        "de email do destinatário e tente reenviar a mensagem.",
        "Informações de diagnóstico para administradores:",
        "Cabeçalhos de mensagem originais:",
    ),
    "it": (
        "Non recapitabile: spring sale",
        "Impossibile recapitare il messaggio ai seguenti destinatari o gruppi:",
        "Impossibile trovare l'indirizzo di posta elettronica immesso. "
        "Verificare l'indirizzo di posta elettronica del destinatario e provare "
        "a inviare di nuovo il messaggio.",
        "Informazioni di diagnostica per gli amministratori:",
        "Intestazioni originali del messaggio:",
    ),
    "nl": (
        "Onbestelbaar: spring sale",
        "De bezorging aan de volgende geadresseerden of groepen is mislukt:",
        "Het e-mailadres dat u hebt ingevoerd, is niet gevonden. Controleer het "
        "e-mailadres van de geadresseerde en probeer het bericht opnieuw te "
        "verzenden.",
        "Diagnostische gegevens voor beheerders:",
        "Oorspronkelijke berichtkoppen:",
    ),
    "ja": (
        "配信不能: spring sale",
        "次の受信者またはグループへの配信に失敗しました:",
        "入力された電子メール アドレスが見つかりませんでした。",
        "管理者向けの診断情報:",
        "元のメッセージ ヘッダー:",
    ),
    "sv": (
        "Kunde inte levereras: spring sale",
        "Det gick inte att leverera till följande mottagare eller grupper:",
        "Det gick inte att hitta den e-postadress du angav. Kontrollera mottagarens e-postadress.",
        "Diagnostikinformation för administratörer:",
        "Ursprungliga meddelanderubriker:",
    ),
    "pl": (
        "Niedostarczone: spring sale",
        "Dostarczenie do następujących adresatów lub grup nie powiodło się:",
        "Nie można znaleźć wprowadzonego adresu e-mail.",
        "Informacje diagnostyczne dla administratorów:",
        "Oryginalne nagłówki wiadomości:",
    ),
    "ru": (
        "Не удается доставить: spring sale",
        "Сбой доставки следующим получателям или группам:",
        "Введенный адрес электронной почты не найден. Проверьте адрес "
        "электронной почты получателя.",
        "Диагностические сведения для администраторов:",
        "Исходные заголовки сообщения:",
    ),
    "da": (
        "Kunne ikke leveres: spring sale",
        "Levering mislykkedes til disse modtagere eller grupper:",
        "Den angivne e-mailadresse blev ikke fundet.",
        "Diagnosticeringsoplysninger til administratorer:",
        "Oprindelige brevhoveder:",
    ),
    "cs": (
        "Nelze doručit: spring sale",
        "Doručení následujícím příjemcům nebo skupinám se nezdařilo:",
        "Zadaná e-mailová adresa nebyla nalezena.",
        "Diagnostické informace pro správce:",
        "Původní záhlaví zprávy:",
    ),
    "zh": (
        "无法传递: spring sale",
        "未能向以下收件人或组传递邮件:",
        "找不到您输入的电子邮件地址。请检查收件人的电子邮件地址,然后尝试重新发送。",
        "管理员诊断信息:",
        "原始邮件头:",
    ),
}

DIAGNOSTICS = {
    "unknown": ("550 5.1.1 RESOLVER.ADR.RecipNotFound; not found", INVALID),
    "full": (
        "554 5.2.2 mailbox full; STOREDRV.Deliver.Exception:QuotaExceededException",
        TRANSIENT,
    ),
    "restricted": ("550 5.7.1 RESOLVER.RST.NotAuthorized; not authorized", BLOCKED),
    "expired": ("550 4.4.7 QUEUE.Expired; message expired", NETWORK),
    "remote": ("550 5.1.1 <kari@example.org>: Recipient address rejected: User unknown", INVALID),
}

ONLINE = {
    "not-found": ("550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient not found", INVALID),
    "group": ("550 5.7.133 RESOLVER.RST.SenderNotAuthenticatedForGroup; authentication", BLOCKED),
    "refused": (
        "550 5.4.316 Message expired, connection refused(Socket error code 10061)",
        NETWORK,
    ),
    "rule": ("550 5.7.1 TRANSPORT.RULES.RejectMessage; rejected by organization policy", BLOCKED),
    "size": ("550 5.2.3 RESOLVER.RST.RecipSizeLimit; message too large", TRANSIENT),
    "domain": ("550 5.4.310 DNS domain x.example does not exist [InfoDomainNonexistent]", INVALID),
    "loop": ("554 5.4.14 Hop count exceeded - possible mail loop ATTR34", NETWORK),
    "sender": ("550 5.1.8 Access denied, bad outbound sender AS(42004)", BLOCKED),
    "remote-spam": ("550 5.7.350 Remote server returned message detected as spam", BLOCKED),
    "remote-unknown": ("550 5.1.351 Remote server returned unknown recipient", INVALID),
    "remote-full": ("550 5.0.350 Remote server returned: 550 Mailbox quota exceeded", TRANSIENT),
}

RETURNED = f"From: News <news@sender.example>\nTo: Kari <{KARI}>\nSubject: spring sale\n"
SYSTEM = "Microsoft Outlook <MicrosoftExchange329e71ec88ae4615bbc36ab6ce41109e@example.org>"
BASE64 = "charset=utf-8\nContent-Transfer-Encoding: base64"


def _base64(text: str) -> str:
    return encodebytes(text.encode()).decode()


def _typed(text_type: str, text: str, diagnostic: str, subject: str) -> bytes:
    report = (
        "Reporting-MTA: dns;EX01.example.org\nArrival-Date: Tue, 3 Mar 2026 09:15:00 +0000\n\n"
        f"Final-Recipient: rfc822;{KARI}\nAction: failed\nStatus: {diagnostic.split()[1]}\n"
        f"Diagnostic-Code: smtp;{diagnostic}\nX-Display-Name: Kari\n"
    )
    return multipart(
        (f"{text_type}; {BASE64}", _base64(text)),
        ("message/delivery-status", report),
        ("message/rfc822", f"{RETURNED}\nhello"),
        sender=SYSTEM,
        subject=Header(subject, "utf-8").encode(),
    )


def _local(language: str, kind: str) -> tuple[bytes, bytes]:
    """A report of a server in the house, typed and as text."""
    subject, opening, unknown, heading, headers = LANGUAGES[language]
    diagnostic, _ = DIAGNOSTICS[kind]
    said = unknown if kind == "unknown" else ""
    text = (
        f"{opening}\n\n{KARI}<mailto:{KARI}>\n{said}\n\n\n{heading}\n\nEX01.example.org\n\n"
        f"{KARI}\n#{diagnostic} ##\n\n{headers}\n\n{RETURNED}"
    )
    alone = mail(
        _base64(text),
        sender=SYSTEM,
        subject=Header(subject, "utf-8").encode(),
        return_path="<>",
        content_transfer_encoding="base64",
    )
    return _typed("text/plain", text, diagnostic, subject), alone


def _online(diagnostic: str) -> tuple[bytes, bytes]:
    """A report of Exchange Online, whose text for people is HTML."""
    subject = "Undeliverable: spring sale"
    html = (
        f"<html><style>p {{color: red}}</style><p>Your message to {KARI} couldn't be delivered.</p>"
        "<table><tr><td>news</td><td>Office 365</td><td>kari</td></tr></table>"
        f"<p>More Info for Email Admins</p><p>Reported error:</p><p>{diagnostic}</p></html>"
    )
    alone = mail(html, content_type="text/html", sender="postmaster@outlook.com", subject=subject)
    return _typed("text/html", html, diagnostic, subject), alone


def _samples() -> dict[str, tuple[bytes, Expected]]:
    found: dict[str, tuple[bytes, Expected]] = {}
    for language, (subject, opening, unknown, *_) in LANGUAGES.items():
        words = mail(
            f"{opening}\n\n{KARI}\n{unknown}\n", sender="postmaster@example.org", subject=subject
        )
        found[f"exchange-{language}-words"] = (words, [(KARI, INVALID, True)])
        for kind, (_, category) in DIAGNOSTICS.items():
            typed, alone = _local(language, kind)
            found[f"exchange-{language}-{kind}-typed"] = (typed, [(KARI, category, True)])
            found[f"exchange-{language}-{kind}-text"] = (alone, [(KARI, category, True)])
    for kind, (diagnostic, category) in ONLINE.items():
        typed, alone = _online(diagnostic)
        found[f"exchange-online-{kind}-typed"] = (typed, [(KARI, category, True)])
        found[f"exchange-online-{kind}-html"] = (alone, [(KARI, category, True)])
    return found


EXCHANGE = _samples()
