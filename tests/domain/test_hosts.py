"""Names of mail servers as reports and logs write them."""

import pytest

from contactctl.domain.urls import receiving_host


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
