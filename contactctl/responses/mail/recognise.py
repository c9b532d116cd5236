"""Is a mail a bounce? For mails without a delivery-status part, from who sent it and what it says.

Two independent signs are asked for: a mail daemon as the sender, and a bounce's words. Replies
that quote a bounce, newsletters, and notices about parcels have one at most.
"""

import re

from contactctl.responses.mail.addresses import find_address
from contactctl.responses.mail.message import Headers, header_text

_DAEMON = re.compile(
    r"(?:mailer-?daemon|mail-?daemon|post_?master|poostmaster|mailmaster|mdaemon|mailmarshal"
    r"|mail[._-]?delivery[\w.-]{0,40}|undeliverable|bouncehandler|mailerdaemon[\w-]{0,20})",
    re.IGNORECASE,
)
_DAEMON_NAME = re.compile(
    r"mail(?:er)?[ -]?daemon|mail deliver|delivery (?:sub)?system|internet mail delivery|postmaster"
    r"|mail administrator|system administrator|mail system|content-filter|mmsc ndr",
    re.IGNORECASE,
)
_BOUNCE_SUBJECT = re.compile(
    r"undeliver|returned mail|returned to sender|returning (?:message )?to sender|mail delivery"
    r"|delivery status|delivery notification|delivery fail|failed delivery|failure delivery"
    r"|failure notice|failed mail|mail failed|mail failure|delivery problem|delivery error"
    r"|delivery delay|delayed mail|message delayed|delivery has failed|delivery report"
    r"|mail system error|mail error|could not send message|not (?:be )?delivered"
    r"|non-?deliver|nondeliver|delivery failure|error sending your mail|message .{1,60} delayed"
    r"|unsolicited bulk|postmaster notify|message you sent blocked|rejected"
    r"|unzustellbar|nicht zugestellt|zustellungs|zustellbenach|rückläufer"
    r"|non remis|échec de|non délivré|non distribu|impossible de remettre"
    r"|no se puede entregar|no entregad|no se pudo entregar|error de entrega|devuelto|devolución"
    r"|recapit|consegna|não entregue|não pôde ser entregue|falha na entrega|devolvid"
    r"|onbestelbaar|niet bezorgd|niet afgeleverd|oleverbar|kunde inte leverera|kan ikke lever"
    r"|配信不能|配送エラー|配信でき|配送でき|送信できま|エラーメール|メールエラー|退信|无法投递|投递失败|系统退信"
    r"|недоставлен|не доставлен|не удалось доставить|возвращ"
    r"|niedostarcz|nie dostarcz|niedoręcz|zwrot",
    re.IGNORECASE,
)
_BOUNCE_WORDS = re.compile(
    r"(?:could|can|was|were|has|have|did)(?: ?not|n't) (?:be |been |yet been )?(?:deliver|relayed|sent)"
    r"|(?:unable|able|trouble|failed|error|problem|attempting|failure) (?:to |in )?deliver"
    r"|undeliver|delivery (?:to the following|has failed|failed|failure|error)|deliver(?:y|ed) .{0,40}fail"
    r"|failed permanently|permanent(?:ly)? (?:error|failure|fatal)|fatal errors|has been delayed"
    r"|failure reason|did not reach|not receive this message|addressed to:|failed address|following address|not relayed|returned to sender|returning"
    r"|was (?:automatically )?rejected|unknown user|user unknown|no such user|rejected your message"
    r"|transcript of session|invalid user address|server message|unsent message"
    r"|\b[45]\d\d[ -]#?[45]\.\d{1,3}\.\d{1,3}\b"
    r"|unzustellbar|nicht zugestellt|zugestellt werden|non remis|pas pu être|n'a pas pu|no se pudo"
    r"|no se ha podido|non è stato possibile|impossibile|não pôde|não foi possível"
    r"|kon niet worden|niet worden (?:bezorgd|afgeleverd)|配信でき|送信でき|配送でき|届けることができ"
    r"|无法投递|未能投递|退回|не может быть доставлено|не удалось доставить|не было доставлено"
    r"|nie (?:mogła|można|została|może)",
    re.IGNORECASE,
)
_AWAY_SUBJECT = re.compile(
    r"out of (?:the )?office|on vacation|vacation reply|away from|auto(?:matic)?[- ]?(?:reply|response)"
    r"|autoreply|autoresponder|holiday|abwesen|automatische antwort|außer haus|absence|absent"
    r"|réponse automatique|ausente|respuesta automática|fuera de la oficina|fuori sede|assente"
    r"|risposta automatica|resposta automática|afwezig|automatisch antwoord|frånvaro|autosvar"
    r"|fraværende|poissa|nieobecn|automatyczna odpowied|автоответ|отсутств|不在|自動応答|自動返信"
    r"|自动回复|自動回覆|부재중",
    re.IGNORECASE,
)
_REPLY_SUBJECT = re.compile(
    r"\s{0,5}(?:re|aw|antw|sv|vs|odp|ynt|rif|res|fwd?|wg|tr|rv|enc|i|fs|回复|答复|转发|返信)\s?(?:\[\d+\])?\s?[:：]",
    re.IGNORECASE,
)
_DELIVERED = re.compile(
    r"(?:successfully|was|been|were) (?:successfully )?(?:delivered|relayed|received|displayed|read)\b"
    r"|delivery (?:receipt|confirmation)|erfolgreich zugestellt|read receipt",
    re.IGNORECASE,
)
_DELAYED = re.compile(
    r"this is a warning (?:message )?only|not yet been delivered|has been delayed|is delayed for"
    r"|will be retried|will keep trying|continue trying|still being retried|still undelivered"
    r"|temporary failure report|delivery attempts will continue|delivery is delayed"
    r"|zustellung .{0,40}verzögert|remise .{0,40}(?:retardée|différée)|entrega .{0,40}retrasad",
    re.IGNORECASE,
)


class Impression:
    """What the headers of a mail tell about its kind."""

    def __init__(self, headers: Headers) -> None:
        self._headers = headers
        self.subject = header_text(headers.get("subject"))[:500]
        self.sender = header_text(headers.get("from"))[:500]

    @property
    def is_from_daemon(self) -> bool:
        """Whether a mail system, and no person, is the sender."""
        address = find_address(self.sender)
        if address is None:
            return (
                not self.sender.strip("<> ")
                or bool(_DAEMON_NAME.search(self.sender))
                or bool(_DAEMON.fullmatch(self.sender.strip('<> "')))
            )
        local_part = address.partition("@")[0]
        name = self.sender.replace(address, "")
        return bool(_DAEMON.fullmatch(local_part) or _DAEMON_NAME.search(name))

    @property
    def is_reply(self) -> bool:
        """Whether the subject is that of a reply or a forwarded mail."""
        return bool(_REPLY_SUBJECT.match(self.subject))

    @property
    def is_list_mail(self) -> bool:
        """Whether the mail came over a mailing list or as a newsletter."""
        return any(name in self._headers for name in ("list-unsubscribe", "list-id", "list-post"))

    @property
    def is_away_notice(self) -> bool:
        """Whether the subject is that of an out-of-office reply (RFC 3834)."""
        return bool(_AWAY_SUBJECT.search(self.subject))

    @property
    def has_null_sender(self) -> bool:
        """Whether the envelope sender was empty, as bounces and automatic replies have it."""
        return self._headers.get("return-path") == "<>"

    def is_bounce(self, text: str) -> bool:
        """Whether the headers together with the `text` above a returned mail make a bounce."""
        if self.is_list_mail or self.is_away_notice:
            return False
        bounce_subject = bool(_BOUNCE_SUBJECT.search(self.subject))
        if self.is_from_daemon:
            return bounce_subject or bool(_BOUNCE_WORDS.search(text))
        null_sender = self.has_null_sender and not self.is_reply
        return null_sender and bounce_subject and bool(_BOUNCE_WORDS.search(text))


def tells_of_delay(subject: str, text: str) -> bool:
    """Whether the server says that it still tries."""
    return bool(_DELAYED.search(text)) or "(delay)" in subject.lower()


def tells_of_delivery(text: str) -> bool:
    """Whether the text speaks of success, and of no failure."""
    return bool(_DELIVERED.search(text)) and not _BOUNCE_WORDS.search(text)
