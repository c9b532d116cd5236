"""Reading speed and peak memory of provider events: `python benchmarks/ingest_read.py [EVENTS]`.

Prints events a second of JSON lines and of one array, mapped and classified, on one core, beside
json.loads alone; then documents a second of each mapping, of every kind that its provider has.
"""

import json
import random
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from contactctl.responses.classify import Classifier, default_classifier  # noqa: E402
from contactctl.responses.read import read_events  # noqa: E402
from helpers.provider_samples import CASES  # noqa: E402

REASONS = (
    ("bounce", "5.1.1", "550 5.1.1 <{email}>: Recipient address rejected: User unknown"),
    ("bounce", "5.2.2", "552 5.2.2 The mailbox of {email} is over quota {queue}"),
    ("blocked", "5.7.1", "554 5.7.1 Message blocked as spam, see help page {queue}"),
    ("blocked", "", "unable to get mx info: failed to get IPs from PTR record: <nil>"),
)


def sendgrid_events(count: int, *, one_bounce_in: int = 2) -> Iterator[dict[str, object]]:
    """Bounces and, for the rest, deliveries; every address and every queue id its own."""
    chance = random.Random(7)
    for number in range(count):
        email = f"contact{number}@example.org"
        event: dict[str, object] = {
            "email": email,
            "timestamp": 1_760_000_000 + number,
            "smtp-id": f"<{number}@mail.example.com>",
            "sg_event_id": f"event-{number:012d}",
            "sg_message_id": f"message-{number:012d}.filter-7",
            "category": ["newsletter"],
            "ip": "192.0.2.17",
        }
        if number % one_bounce_in:
            event |= {"event": "delivered", "response": "250 2.0.0 OK"}
        else:
            type_, status, reason = chance.choice(REASONS)
            queue = f"4B{number:09X}zXq"
            text = reason.format(email=email, queue=queue)
            event |= {"event": "bounce", "type": type_, "status": status, "reason": text}
        yield event


def measure(name: str, count: int, read: Callable[[], int]) -> None:
    """Print what one reading took of this process's time, and the peak of its memory so far."""
    begin = time.process_time()
    assert read() == count
    seconds = time.process_time() - begin
    megabytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{name:24} {count / seconds:>10,.0f} events/s   peak {megabytes:.0f} MB")


def count_events(path: Path, classifier: Classifier) -> int:
    """Read, map and classify."""
    return sum(1 for _ in read_events([path], classifier))


def count_lines(path: Path) -> int:
    """The least that any reader does: json.loads of each line."""
    with path.open("rb") as file:
        return sum(1 for line in file if json.loads(line))


def write_samples(path: Path, provider: str, count: int) -> None:
    """Documents of a provider, every kind in turn, each of an address of its own."""
    texts = [json.dumps(document) for document, _ in CASES[provider]]
    with path.open("w") as file:
        for number in range(count):
            text = texts[number % len(texts)].replace("kari@", f"kari{number}@")
            file.write(f"{text}\n")


def main() -> None:
    """Write the events to temporary files, read them back."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 200_000
    with tempfile.TemporaryDirectory() as folder:
        lines, array = Path(folder, "lines"), Path(folder, "array")
        with lines.open("w") as as_lines, array.open("w") as as_array:
            as_array.write("[")
            for number, event in enumerate(sendgrid_events(count)):
                as_lines.write(json.dumps(event) + "\n")
                as_array.write(("," if number else "") + json.dumps(event))
            as_array.write("]")
        classifier = default_classifier()
        measure("json.loads alone", count, lambda: count_lines(lines))
        measure("JSON lines", count, lambda: count_events(lines, classifier))
        measure("one array", count, lambda: count_events(array, classifier))
        for provider in CASES:
            write_samples(lines, provider, count)
            measure(provider, count, lambda: count_events(lines, classifier))


if __name__ == "__main__":
    main()
