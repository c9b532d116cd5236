"""Names of mail servers as reports and logs write them."""

import pytest

from contactctl.domain.urls import host_in_words, receiving_host


@pytest.mark.parametrize(
    ("text", "host"),
    [
        ("dns; aspmx.l.google.com. (142.250.1.26, the server for the domain x.no.)", "google.com"),
        ("dns;contoso-com.mail.protection.outlook.com", "outlook.com"),
        ("DNS; AM0PR05MB1234.eurprd05.prod.outlook.com", "outlook.com"),
        ("mta5.am0.yahoodns.net[67.195.204.72]:25", "yahoodns.net"),
        ("smtp; [mx1.hc123-45.eu.iphmx.com]", "iphmx.com"),
        ("dsn;mx.bb.co.uk", "bb.co.uk"),
        ("x-unix-host; mail.une.edu.au", "une.edu.au"),
        ("mx.online.no", "online.no"),
        ("co.uk", "co.uk"),
        ("xn--bcher-kva.example", "xn--bcher-kva.example"),
        ("MX_1.Example.COM", "example.com"),
        ("dns;[203.0.113.9]", ""),
        ("203.0.113.9", ""),
        ("[IPv6:2001:db8::1]:25", ""),
        ("dns; a8-31.smtp-out.amazonses.com", ""),
        ("dns; o1.ptr.sendgrid.net", ""),
        ("dns; localhost.localdomain", ""),
        ("ip-10-0-0-1.ec2.internal", ""),
        ("localhost[127.0.0.1]:10024", ""),
        ("private/lmtp", ""),
        ("none", ""),
        ("", ""),
        ("dns;", ""),
        ("." * 5000, ""),
        ("dns; " + "a." * 5000, "a.a"),
    ],
)
def test_a_receiving_host_is_named_by_what_its_operator_owns(text: str, host: str) -> None:
    assert receiving_host(text) == host


@pytest.mark.parametrize(
    ("words", "host"),
    [
        ("550-5.1.1 The email account that you tried to reach does not exist. gsmtp", "google.com"),
        ("452 4.2.2 over quota x12-20020a05600c0b4c00b003f-si1.99 - gsmtp", "google.com"),
        (
            "550 5.4.1 Recipient address rejected: Access denied."
            " [DB5EUR03FT0123.eop-EUR03.prod.protection.outlook.com 2026-06-01T11:59:00Z 08DB]",
            "outlook.com",
        ),
        ("host mx00.emig.gmx.net[212.227.15.9] said: 550 unknown (in reply to RCPT)", "gmx.net"),
        ("host mx.one.co.uk [2001:db8::1]: 550 No such user here", "one.co.uk"),
        ("... while talking to mx1.bb.example.: >>> RCPT To:<a@b.example> <<< 550", "bb.example"),
        ("554 5.7.1 Client host mail.ours.example[192.0.2.1] blocked using a list", ""),
        ("550 Sender host mail.ours.example [192.0.2.1] is not permitted", ""),
        ("550 5.7.1 your host mail.ours.example [192.0.2.1] is listed", ""),
        ("host o1.ptr.sendgrid.net[192.0.2.1] said: 550 unknown", ""),
        ("550 5.1.1 user unknown", ""),
        ("host " * 4000 + "a" * 4000 + "[" * 4000, ""),
    ],
)
def test_a_refusal_may_say_which_server_answered(words: str, host: str) -> None:
    assert host_in_words(words) == host
