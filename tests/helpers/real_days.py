"""Days as they come, as data: what was sent and came back, and who may be inactive afterwards.

`c{1-60}@firm{}.example` stands for sixty addresses. A step is one of

- {at, says | event, from, over: MINUTES, ingests: N, read: WHEN, ...}: each of `from` refuses with
  the words of `says`, or is told of by a category; spread over so many minutes before `at`, read
  in N ingests, as it comes or later;
- {at, file: NAME, holds: TEXT, ingest: false}: a file, and the ingest of it;
- {at, run: ARGS, exit: CODE}: a command.

Whoever is not inactive at the end must be active. Forty others, who are always well, keep a handful
of people from being more than the limits allow.
"""

import json
import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from helpers.cli import CliResult, run_cli

# what `init` writes
CONFIG = """
thresholds:
  invalid-address: {count: 1}
  spam-complaint: {count: 1}
  transient: {count: 4, within: 60 days, over_at_least: 14 days}
  unknown: {count: 4, within: 60 days, over_at_least: 14 days}
  communication-failure: {count: 4, within: 60 days, over_at_least: 14 days}
reset_on_delivery: true
handling:
  transient: {reactivate_after: 10 days}
  unknown: {reactivate_after: 14 days}
  communication-failure: {reactivate_after: 21 days}
suppression_key_file: suppression.key
"""
_OWN = ("at", "says", "event", "from", "over", "ingests", "read")


@dataclass(frozen=True)
class Outcome:
    """How a day ended. `said` is all that was printed."""

    inactive: set[str]
    held: int
    waiting: int
    said: str


class Days:
    """One store, from the first command to the last."""

    def __init__(self, folder: Path, day: Mapping[str, Any]) -> None:
        self.folder, self.day = folder, day
        self.said = ""
        self.now = instant(day.get("begins", "2026-05-01 08:00"))
        self.events, self.files = 0, set[str]()
        (folder / "contactctl.yaml").write_text(day.get("config", CONFIG))
        self.run("init", "--quiet")

    def pass_all(self) -> Outcome:
        rows = "\n".join(["email,group", *self._rows()])
        self.read("contacts import - --create-groups --quiet", rows)
        for step in self.day["steps"]:
            self.now = instant(step["at"])
            if "run" in step:
                self.run(*self._words(step["run"]), exits=step.get("exit", 0))
            elif "file" in step:
                self.files.add(step["file"])
                path = self.folder / step["file"]
                path.write_text(step["holds"])
                if step.get("ingest", True):
                    self.run("responses", "ingest", str(path), exits=step.get("exit", 0))
            else:
                self._told(step)
        return self._outcome()

    def _words(self, command: str) -> list[str]:
        """LATEST is the number of the plan that waits."""
        words = [
            str(self.folder / each) if each in self.files else each for each in shlex.split(command)
        ]
        if "LATEST" in words:
            words[words.index("LATEST")] = str(self._plans()[0]["run"])
        return words

    def _plans(self) -> list[dict[str, Any]]:
        return self.run("runs", "list", "--state", "planned", "--json").json["data"]["runs"]

    def _rows(self) -> Iterator[str]:
        for entry in [*self.day["contacts"], "well{1-40}@others.example"]:
            template, _, group = entry.partition(" ")
            yield from (f"{each},{group}" for each in spread([template]))

    def _told(self, step: Mapping[str, Any]) -> None:
        """Events from the first to the last address, in so many ingests."""
        addresses, ingests = list(spread(step["from"])), step.get("ingests", 1)
        over, end = timedelta(minutes=step.get("over", 1)), self.now
        told = [
            self._event(step, address, end - over + over * at / len(addresses))
            for at, address in enumerate(addresses)
        ]
        for part in range(ingests):
            as_it_comes = end - over + over * (part + 1) / ingests
            self.now = instant(step["read"]) if "read" in step else as_it_comes
            lines = told[part * len(told) // ingests : (part + 1) * len(told) // ingests]
            self.read("responses ingest -", "\n".join(lines), exits=step.get("exit", 0))

    def _event(self, step: Mapping[str, Any], address: str, at: datetime) -> str:
        self.events += 1
        what = {"diagnostic": step["says"]} if "says" in step else {"category": step["event"]}
        more = {key: value for key, value in step.items() if key not in (*_OWN, "exit")}
        known = {"email": address, "id": f"e{self.events}", "occurred_at": at.isoformat()}
        return json.dumps(known | what | more)

    def read(self, command: str, text: str, exits: int = 0) -> None:
        self.run(*command.split(), stdin=text, exits=exits)

    def run(self, *args: str, stdin: str = "", exits: int = 0) -> CliResult:
        env = {
            "CONTACTCTL_NOW": self.now.isoformat(),
            "CONTACTCTL_DATABASE_URL": "sqlite:///contacts.db",
        }
        done = run_cli(args, cwd=self.folder, stdin=stdin, env=env)
        self.said += f"$ contactctl {' '.join(args)}\n{done.stdout}{done.stderr}"
        assert done.exit_code == exits, self.said[-3000:]
        return done

    def _outcome(self) -> Outcome:
        inactive = ("contacts", "list", "--where", "status = inactive", "--all", "--json")
        contacts = self.run(*inactive).json["data"]["contacts"]
        incidents = self.run("responses", "incidents", "--json").json["data"]["incidents"]
        return Outcome(
            {each["email"] for each in contacts},
            sum(each["held"] for each in incidents),
            sum(each["planned"] for each in self._plans()),
            self.said,
        )


def instant(text: str) -> datetime:
    """`2026-05-01 08:00`, of UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def spread(templates: Sequence[str]) -> Iterator[str]:
    """The addresses that the templates stand for."""
    for template in templates:
        span = re.search(r"\{(\d+)-(\d+)\}", template)
        if span is None:
            yield template
            continue
        for number in range(int(span[1]), int(span[2]) + 1):
            yield template.replace(span[0], str(number)).replace("{}", str(number))
