"""What servers say, and what it means: whose problem it is, and whether time heals it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contactctl.domain.responses import Category
from contactctl.responses.classify import (
    MAX_DIAGNOSTIC_CHARACTERS,
    Classification,
    Classifier,
    default_classifier,
    find_codes,
    normalise,
)
from contactctl.responses.rules import load_builtin_rules, parse_rules

CLASSIFIER = default_classifier()

SAID: dict[str, list[str]] = {
    "invalid-address": [
        "550 5.1.1 <k@example.org>: Recipient address rejected: User unknown in virtual alias",
        "550 5.1.1 kari@example.org... User unknown",
        "550 No such user here",
        "550 sorry, no mailbox here by that name (#5.1.1 - chkusr)",
        "511 sorry, no mailbox here by that name (#5.1.1)",
        "550 Unknown user kari@example.org",
        "550 Requested action not taken: mailbox unavailable",
        "550 5.5.0 Requested action not taken: mailbox unavailable (S2017062302).",
        "550 Mailbox not found",
        "550 Requested action not taken: mailbox unavailable or not local",
        "550 #5.1.0 Address rejected. kari@example.org: no such recipient",
        "550 5.1.1 <kari@example.org>: Recipient address rejected: undeliverable address: unknown",
        "550 Invalid Recipient - https://community.example/docs#550",
        "554 delivery error: dd This user doesn't have a yahoo.com account (kari@yahoo.com) [0]",
        "550-5.1.1 The email account that you tried to reach does not exist. Please try",
        "550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient not found by SMTP address lookup",
        "550 5.4.1 Recipient address rejected: Access denied. AS(201806281) [x.outlook.com]",
        "550 5.1.6 recipient no longer on server: kari@example.org",
        "550 5.1.1 <kari@icloud.example>: inactive email address",
        "551 5.1.6 Destination mailbox has moved, no forwarding address",
        "550 kari@example.org Address does not exist",
        "550 The user kari@example.org does not exist",
        "550 5.1.1 unknown or illegal alias: kari@example.org",
        "5.1.2 Host unknown (Name server: example.org: host not found)",
        "550 Unrouteable address",
        "all relevant MX records point to non-existent hosts",
        "Sorry, I couldn't find any host named example.orgg. (#5.1.2)",
        "Sorry, I couldn't find a mail exchanger or IP address. (#5.4.4)",
        "550 5.4.310 DNS domain example.orgg does not exist [Message=InfoDomainNonexistent]",
        "556 5.1.10 Recipient address has null MX",
        "521 5.3.2 System not accepting network messages",
        "553 5.3.0 <kari@example.org>... No such user here",
        "550 5.1.1 Adresse d au moins un destinataire invalide. Invalid recipient. OFR_416",
        "550 5.1.1 Benutzer unbekannt",
        "550 Empfänger unbekannt",
        "550 Usuario desconocido",
        "550 Utente sconosciuto",
        "550 Destinatário desconhecido",
        "550 Gebruiker onbekend",
        "550 Нет такого пользователя",
        "550 Nieznany użytkownik",
        "550 User not found: kari@example.org",
        "550 Account kari@example.org has been deleted",
        "550 Not a valid recipient",
        "550 5.1.1 Non-existent mailbox",
        "554 5.1.1 Error: no such person at this address",
        "550 RCPT TO:<kari@example.org> User not known",
        "User kari (kari@example.org) not listed in Domino Directory",
    ],
    "transient": [
        "550 5.7.0 mailbox overflow",
        "554 sorry, the user is no longer active",
        "550 This mailbox has been blocked due to inactivity",
        "550 email address is temporarily suspended",
        "552 5.2.2 Mailbox full",
        "452 4.2.2 The recipient's inbox is out of storage space. Please direct the recipient to",
        "452-4.2.2 The email account that you tried to reach is over quota.",
        "552 5.2.2 <kari@example.org>: user is over quota",
        "550 5.2.2 User has exceeded their quota: quota exceeded (mailbox for user is full)",
        "554 5.2.2 mailbox full; STOREDRV.Deliver.Exception:QuotaExceededException",
        "Maildir delivery failed: userdisk quota exceeded",
        "can't write: Disk quota exceeded",
        "552 Requested mail action aborted: exceeded storage allocation",
        "452 4.1.1 Mailbox size limit exceeded",
        "550 Postfach voll",
        "552 5.2.2 Boite du destinataire pleine: boite pleine",
        "552 Message size exceeds fixed maximum message size",
        "552 5.3.4 Message too large for example.org",
        "550 5.2.3 RESOLVER.RST.RecipSizeLimit; message too large for this recipient",
        "523 the message size exceeds the recipient's size limit of 10240 KB",
        "550 5.2.1 The email account that you tried to reach is disabled. NoSuchUser?",
        "554 Sorry, your message cannot be delivered. This mailbox is disabled (554.30).",
        "554 delivery error: dd This account has been disabled or discontinued [#102].",
        "550 Mailbox is frozen. See http://mail.example/err/3/",
        "550 5.7.1 Recipient address rejected: User kari@example.org temporary locked.",
        "vdelivermail: account is locked email bounced",
        "550 Account suspended",
        "525 5.7.13 Disabled recipient address",
        "550 5.2.1 Mailbox inactive",
        "550 Invalid/inactive user",
    ],
    "blocked": [
        "554 5.7.1 Service unavailable; Client host [192.0.2.1] blocked using zen.spamhaus.org",
        "550 5.7.606 Access denied, banned sending IP [192.0.2.1]",
        "550 5.7.1 Unfortunately, messages from [192.0.2.1] weren't sent. Please contact your ISP",
        "421 4.7.0 [TSS04] Messages from 192.0.2.1 temporarily deferred due to user complaints",
        "451 4.7.650 The server [192.0.2.1] has been rate limited due to IP reputation",
        "421-4.7.0 Our system has detected an unusual rate of unsolicited mail from your IP",
        "550-5.7.26 Email from example.net is not accepted due to domain's DMARC policy",
        "550 5.7.1 SPF check failed",
        "554 5.7.1 Reverse DNS lookup failed",
        "550 Bad SPF records for [example.net:192.0.2.1]",
        "571 No PTR Record found. Reverse DNS required",
        "554 5.7.1 <kari@example.org>: Relay access denied",
        "550 relay not permitted",
        "553 sorry, that domain isn't in my list of allowed rcpthosts (#5.7.1)",
        "553 5.1.8 <news@sender.example>... Domain of sender address n@x.example does not exist",
        "550 5.1.0 <news@sender.example>: Sender address rejected: User unknown",
        "550 Verification failed for <news@sender.example>",
        "550 5.7.1 Message rejected as spam by Content Filtering.",
        "554 5.6.0 This message has been scored as spam",
        "550 5.7.1 Our system has detected that this message is likely unsolicited mail",
        "550 Virus Detected; Content Rejected",
        "552-5.7.0 This message was blocked because its content presents a potential risk",
        "550 5.7.1 This message is not RFC 5322 compliant",
        "554 5.7.9 Message not accepted for policy reasons",
        "550 5.7.0 Local Policy Violation",
        "550 Administrative prohibition",
        "550 5.7.1 Access denied",
        "550 5.7.1 TRANSPORT.RULES.RejectMessage; the message was rejected by organization policy",
        "550 5.7.133 RESOLVER.RST.SenderNotAuthenticatedForGroup; authentication required",
        "554 Transaction failed: Duplicate header 'DKIM-Signature'.",
        "552 5.6.0 Headers too large (3 max)",
        "550 5.2.0 Mail rejete. Mail rejected. ofr_506 [506]",
        "554 Denied [CS] (Mode: normal)",
        "550 Mail content denied. http://service.example/",
        "550 5.2.0 Message Filtered",
        "554 5.7.1 <mx.sender.example[192.0.2.1]>: Client host rejected: Access denied",
    ],
    "communication-failure": [
        "Name service error for name=example.org type=MX: Host not found, try again",
        "Connection was dropped by remote host",
        "connect to mx.example.org[192.0.2.1]:25: Connection timed out",
        "connect to mx.example.org[192.0.2.1]:25: Connection refused",
        "lost connection with mx.example.org[192.0.2.1] while performing the HELO handshake",
        "554 4.4.7 Message expired: not delivered in 840 minutes.<421 4.4.2 Connection timed out>",
        "retry timeout exceeded",
        "451 4.3.0 Temporary system problem. Try again later.",
        "452 4.3.1 Insufficient system storage",
        "450 4.2.0 <kari@example.org>: Recipient address rejected: Greylisted",
        "452 4.3.2 Connection rate limit exceeded.",
        "421 Too many concurrent SMTP connections",
        "450-4.2.1 The user you are trying to contact is receiving mail at a rate that prevents",
        "552 Too many recipients",
        "554 5.4.6 Too many hops",
        "5.4.6 mail for example.org loops back to myself",
        "554 5.4.14 Hop count exceeded - possible mail loop ATTR34",
        "550 5.3.5 <kari@example.org>... Internal System Error",
        "554 5.3.0 unknown mailer error 255",
        "503 Improper sequence of commands",
        "504 Command parameter not implemented",
        "Host or domain name not found. Name service error: Host not found, try again 4.4.3",
        "450 4.4.0 Name server: example.org: host name lookup failure",
        "No route to host",
        "454 4.7.0 TLS not available due to local problem",
        "the lowest numbered MX record points to local host",
        'Command died with status 2: "/usr/bin/procmail"',
    ],
}


@pytest.mark.parametrize(
    ("category", "text"), [(category, text) for category, texts in SAID.items() for text in texts]
)
def test_diagnostic(category: str, text: str) -> None:
    found = CLASSIFIER.classify(diagnostic=text)

    assert (found.category, found.rule) == (Category(category), found.rule)
    assert found.by_text


WEAK = [
    "553 sender.example does not exist",
    "550 5.2.1 mailbox unavailable",
    "450 Requested mail action not taken: mailbox unavailable",
    "550 Mailbox unavailable or access denied",
    "550 5.7.1 Access denied for user kari",
    "550 rejected",
    "450 4.7.1 try again later",
    "554 Transaction failed",
    "550 On hold",
    "421 Service not available, closing transmission channel",
    "550 Blocked, see https://example.org/unknown",
    "the sender's mailbox nobody@example.net does not exist",
    "550 host mx.userunknown.example: denied",
    "user-unknown@no-such-user.example accepted nothing",
    "550 5.7.1 <news@sender.example>: Sender address rejected: no such user",
    "554 Sender domain does not exist",
    "delivery temporarily suspended",
]


@pytest.mark.parametrize("text", WEAK)
def test_weak_evidence_is_never_an_invalid_address(text: str) -> None:
    assert CLASSIFIER.classify(diagnostic=text).category is not Category.INVALID_ADDRESS


STATUSES = {
    "5.1.1": "invalid-address",
    "5.1.2": "invalid-address",
    "5.1.3": "invalid-address",
    "5.1.7": "blocked",
    "5.1.8": "blocked",
    "5.1.9": "communication-failure",
    "4.1.1": "invalid-address",
    "4.1.2": "communication-failure",
    "4.1.8": "blocked",
    "5.2.0": "blocked",
    "5.2.1": "transient",
    "5.2.2": "transient",
    "4.2.2": "transient",
    "5.2.3": "transient",
    "5.2.4": "blocked",
    "5.3.0": "communication-failure",
    "5.3.2": "invalid-address",
    "4.3.2": "communication-failure",
    "5.3.4": "transient",
    "5.4.4": "invalid-address",
    "4.4.4": "communication-failure",
    "4.4.7": "communication-failure",
    "5.5.0": "communication-failure",
    "5.6.1": "blocked",
    "5.7.1": "blocked",
    "5.7.13": "transient",
    "5.7.17": "invalid-address",
    "5.7.18": "invalid-address",
    "5.7.27": "invalid-address",
    "5.7.606": "blocked",
    "5.0.0": "unknown",
    "4.0.0": "unknown",
}


@pytest.mark.parametrize("status", STATUSES)
def test_enhanced_status_decides_without_words(status: str) -> None:
    found = CLASSIFIER.classify(diagnostic="", status=status)

    assert found == Classification(Category(STATUSES[status]), f"status-{status}", status)


@pytest.mark.parametrize(
    ("reply_code", "category"),
    [
        ("421", "communication-failure"),
        ("552", "transient"),
        ("550", "unknown"),
        ("556", "invalid-address"),
    ],
)
def test_reply_code_decides_last(reply_code: str, category: str) -> None:
    found = CLASSIFIER.classify(diagnostic="", reply_code=reply_code)

    assert found == Classification(Category(category), f"reply-{reply_code}")


@pytest.mark.parametrize("said", ["", "2.0.0", "250 OK", "hello", "200", "999"])
def test_nothing_said_is_no_category(said: str) -> None:
    assert CLASSIFIER.classify(diagnostic=said, reply_code="250") == Classification(None)


def test_success_status_says_nothing() -> None:
    assert CLASSIFIER.classify(diagnostic="", status="2.1.5").category is None


def test_words_win_over_codes() -> None:
    found = CLASSIFIER.classify(diagnostic="552 5.2.2 Over quota", status="5.1.1", reply_code="550")

    assert (found.category, found.rule) == (Category.TRANSIENT, "mailbox-full")
    assert found.status == "5.1.1"


def test_a_status_in_the_text_beats_an_empty_or_general_one() -> None:
    assert CLASSIFIER.classify(diagnostic="550 5.1.1 oh", status="5.0.0").status == "5.1.1"
    assert CLASSIFIER.classify(diagnostic="550 5.1.1 oh", status="5.7.1").status == "5.7.1"


def test_the_same_words_in_a_temporary_failure_do_not_end_an_address() -> None:
    said = "Host or domain name not found"

    assert CLASSIFIER.classify(diagnostic=said, status="5.4.4").rule == "domain-unknown"
    assert CLASSIFIER.classify(diagnostic=said, status="4.4.3").rule == "domain-unknown-now"


@pytest.mark.parametrize(
    "supposed",
    [
        "The address may not exist",
        "550 recipient address may be invalid",
        "550 perhaps the user does not exist",
        "550 Die Adresse existiert möglicherweise nicht",
        "550 le destinataire n'existe peut-être pas",
        "550 es posible: quizás el usuario no existe",
        "550 возможно, пользователь не существует",
        "550 宛先が存在しない可能性があります",
        "This account may have been deleted",
        "Either the mailbox does not exist or it is closed",
        "The address may not exist, or the mailbox is full.",
    ],
)
def test_what_is_supposed_ends_no_address(supposed: str) -> None:
    assert CLASSIFIER.classify(diagnostic=supposed).category is not Category.INVALID_ADDRESS


@pytest.mark.parametrize(
    "said",
    [
        "550 the mailbox might be unavailable: user unknown",
        "Sun, 3 May 2026: 550 user unknown",
        "550 The mailbox could not be found",
        "The account or domain may not exist, they may be blacklisted",
    ],
)
def test_what_is_said_beside_suppositions_counts(said: str) -> None:
    assert CLASSIFIER.classify(diagnostic=said).category is Category.INVALID_ADDRESS


def test_an_echo_does_not_count() -> None:
    found = CLASSIFIER.classify(diagnostic="address is on the suppression list for your account")

    assert (found.category, found.counts, found.not_counted) == (
        Category.INVALID_ADDRESS,
        False,
        "echo",
    )


def test_extra_rules_come_first() -> None:
    extra = parse_rules([{"id": "house", "category": "blocked", "text": "user unknown"}])

    found = default_classifier(extra).classify(diagnostic="550 User unknown")

    assert (found.category, found.rule) == (Category.BLOCKED, "house")


def test_extra_rules_see_a_bounded_text() -> None:
    extra = parse_rules([{"id": "end", "category": "blocked", "text": "the very end"}])
    text = "x" * MAX_DIAGNOSTIC_CHARACTERS + " the very end"

    assert Classifier(extra).classify(diagnostic=text).category is None


@pytest.mark.parametrize(
    "text",
    [
        "550-5.1.1 The user\n550-5.1.1 does not\n550 5.1.1 exist",
        "550-The user\n550-does not\n550  exist",
        "host said: 550-5.1.1 The user does 550-5.1.1 not 550 5.1.1 exist",
    ],
)
def test_a_reply_of_several_lines_is_one_sentence(text: str) -> None:
    assert CLASSIFIER.classify(diagnostic=text).rule == "user-unknown"


def test_an_extra_pattern_needs_no_hints() -> None:
    extra = parse_rules([{"id": "cat", "category": "blocked", "pattern": "gr[ae]y cat"}])

    assert Classifier(extra).classify(diagnostic="550 The Grey Cat").rule == "cat"


def test_normalise() -> None:
    text = "550-5.1.1\t<Kari@Example.ORG>\r\n can\u2019t be found"

    assert normalise(text) == "550-5.1.1 <> can't be found"


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        ("550 5.1.1 no", ("550", "5.1.1")),
        ("550-5.1.1 no", ("550", "5.1.1")),
        ("550 #5.1.1 no", ("550", "5.1.1")),
        ("no mailbox here (#5.1.1)", ("", "5.1.1")),
        ("5.1.0 - unknown address error 550-'5.7.1 denied'", ("550", "5.7.1")),
        ("421 try later", ("421", "")),
        ("host mx [192.5.1.1]: 550 no", ("550", "")),
        ("queue id 4550123", ("", "")),
        ("", ("", "")),
    ],
)
def test_find_codes(text: str, codes: tuple[str, str]) -> None:
    assert find_codes(text) == codes


_PHRASES = [phrase for rule in load_builtin_rules() for phrase in (*rule.texts, *rule.needs)]
_WORDS = st.sampled_from(
    [*_PHRASES, "550", "4.4.1", "sender", "<>", "192.0.2.1 is", "account", "."]
)


@given(st.lists(_WORDS, max_size=6))
def test_looking_rules_up_by_phrase_changes_nothing(words: list[str]) -> None:
    text = normalise(" ".join(words))
    first = next((rule for rule in CLASSIFIER.rules if rule.matches(text)), None)

    permanent = CLASSIFIER.classify(diagnostic=text, status="5.0.1")

    assert permanent.rule == (first.id if first else permanent.rule)
    assert permanent.by_text == (first is not None)
