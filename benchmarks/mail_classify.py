"""Bounce mails read and classified a second, on one core.

    python benchmarks/mail_classify.py            # mails that this script makes
    python benchmarks/mail_classify.py DIR        # the mails of a folder, mbox or Maildir

To reach: 1,500 a second at a mean of 4.3 kB (design, figures). The mails are made and loaded before
the clock starts; the best of five rounds counts, in processor time.
"""

import random
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from contactctl.responses.classify import default_classifier
from contactctl.responses.containers import iter_mails
from contactctl.responses.mail import read_mail

MAILS = 2_000
MEAN_BYTES = 4_300
ROUNDS = 5
DIAGNOSTICS = (
    "550 5.1.1 <{}>: Recipient address rejected: User unknown in virtual mailbox table",
    "552 5.2.2 <{}>: user is over quota",
    "554 5.7.1 Service unavailable; Client host [192.0.2.1] blocked using zen.spamhaus.org",
    "550-5.7.26 Unauthenticated email from sender.example is not accepted due to DMARC policy",
    "451 4.4.1 connect to mx.example.org[192.0.2.1]:25: Connection timed out",
    "550 5.2.1 The email account that you tried to reach is disabled",
    "554 delivery error: nothing that any rule knows about this {}",
)
DSN = """Content-Type: multipart/report; report-type=delivery-status; boundary="bnd"

--bnd
Content-Type: text/plain; charset=utf-8

I'm sorry to have to inform you that your message could not be delivered.

<{recipient}>: host mx.example.org[192.0.2.1] said: {diagnostic}

--bnd
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.sender.example
Arrival-Date: Tue, 3 Mar 2026 10:15:00 +0100

Final-Recipient: rfc822; {recipient}
Action: failed
Status: 5.0.0
Diagnostic-Code: smtp; {diagnostic}

--bnd
Content-Type: message/rfc822

{returned}
--bnd--
"""
PROSE = """Content-Type: text/plain; charset=utf-8

Hi. This is the qmail-send program at mx.sender.example.
I'm afraid I wasn't able to deliver your message to the following addresses.

<{recipient}>:
192.0.2.1 does not like recipient.
Remote host said: {diagnostic}
Giving up on 192.0.2.1.

--- Below this line is a copy of the message.

{returned}
"""


def made_mails() -> list[bytes]:
    """Two typed reports to one bounce in prose, of MEAN_BYTES on average."""
    source = random.Random(4711)
    return [_made_mail(number, source) for number in range(MAILS)]


def _made_mail(number: int, source: random.Random) -> bytes:
    recipient = f"contact{number}@example{number % 97}.org"
    received = "".join(
        f"Received: from relay{hop}.example.net (relay{hop}.example.net [192.0.2.{hop}])\n"
        f"\tby mx{hop}.example.net with ESMTPS id {source.getrandbits(64):x}\n"
        f"\tfor <news@sender.example>; Tue, 3 Mar 2026 10:1{hop}:00 +0100\n"
        for hop in range(4)
    )
    head = (
        f"Return-Path: <>\n{received}From: Mail Delivery System <MAILER-DAEMON@mx.example.net>\n"
        f"To: news@sender.example\nSubject: Undelivered Mail Returned to Sender\n"
        f"Date: Tue, 3 Mar 2026 10:15:00 +0100\nMessage-ID: <{number}@mx.example.net>\n"
        "MIME-Version: 1.0\n"
    )
    text = (DSN if number % 3 else PROSE).format(
        recipient=recipient,
        diagnostic=source.choice(DIAGNOSTICS).format(recipient),
        returned=f"{received}From: news@sender.example\nTo: {recipient}\nSubject: Sale\n\n",
    )
    padding = "The spring sale begins on Monday, and ends when all is sold.\n"
    missing = MEAN_BYTES + source.randint(-1_500, 1_500) - len(head) - len(text)
    return (head + text + padding * max(0, missing // len(padding))).encode()


def best_rate(mails: list[bytes]) -> float:
    """Mails a second, in the best round; each begins with nothing remembered."""
    seconds = []
    for _ in range(ROUNDS):
        classifier = default_classifier()
        started = time.process_time()
        for number, raw in enumerate(mails):
            list(read_mail(raw, str(number), classifier))
        seconds.append(time.process_time() - started)
    return len(mails) / min(seconds)


def main() -> None:
    """Print one line: how many mails, their mean size, and the rate."""
    folder = sys.argv[1] if len(sys.argv) > 1 else ""
    mails = [raw for _, raw in iter_mails(Path(folder))] if folder else made_mails()
    mean = sum(map(len, mails)) / len(mails)
    rate = best_rate(mails)
    print(
        f"{len(mails)} mails of {mean:.0f} bytes on average: {rate:.0f} a second (to reach: 1500)"
    )


if __name__ == "__main__":
    main()
