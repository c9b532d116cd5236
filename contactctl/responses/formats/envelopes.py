"""What queues, APIs and services put around documents, opened by envelopes.yaml."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from importlib.resources import files
from typing import Any

from contactctl.responses.fields import instant_of
from contactctl.responses.formats.paths import Steps, Test, compile_test, parse_path, values_at
from contactctl.responses.json_stream import decode


@dataclass(frozen=True, slots=True)
class Opened:
    """What was inside: the documents, each with its place in the envelope, and a time for them.

    `refused` is empty, or says why nothing could be opened.
    """

    documents: tuple[tuple[str, object], ...] = ()
    sent_at: datetime | None = None
    refused: str = ""


def open_envelope(document: Mapping[str, object]) -> Opened | None:
    """The content of an envelope; None for what is not one."""
    envelopes = _envelopes()
    if envelopes.keys().isdisjoint(document):
        return None
    for key, named_so in envelopes.items():
        for envelope in named_so if key in document else ():
            if envelope.matches(document):
                opened = envelope.open(document)
                if opened is not None:
                    return opened
    return None


def load_yaml(name: str) -> Any:
    """A data file of this package."""
    import yaml  # noqa: PLC0415 - only who reads documents pays for it

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    text = files("contactctl.responses.formats").joinpath(name).read_text(encoding="utf-8")
    return yaml.load(text, Loader=loader)  # noqa: S506 - safe loaders


@dataclass(frozen=True, slots=True)
class _Envelope:
    name: str
    matches: Test
    steps: Steps
    time: str
    ignored: str
    refusal: str

    def open(self, document: Mapping[str, object]) -> Opened | None:
        if self.refusal:
            return Opened(refused=f"{self.name}: {self.refusal}")
        inside = document.get(self.steps[0])
        if len(self.steps) > 1:
            if not isinstance(inside, dict if "*" in self.steps else list):
                return None
            return Opened(tuple(self._numbered(document)))
        if isinstance(inside, str):
            return self._open_text(inside, document)
        if not isinstance(inside, dict | list):
            return None
        return Opened((("", inside),), self._time_of(document))

    def _numbered(self, document: Mapping[str, object]) -> Iterator[tuple[str, object]]:
        for number, value in enumerate(values_at(document, self.steps)):
            yield f".{self.steps[0]}[{number}]", value

    def _open_text(self, text: str, document: Mapping[str, object]) -> Opened:
        if self.ignored and text.startswith(self.ignored):
            return Opened()
        try:
            inside = decode(text)
        except ValueError as error:
            return Opened(refused=f"{self.name}: its {self.steps[0]} is not JSON ({error})")
        return Opened((("", inside),), self._time_of(document))

    def _time_of(self, document: Mapping[str, object]) -> datetime | None:
        return instant_of(document.get(self.time)) if self.time else None


@cache
def _envelopes() -> dict[str, list[_Envelope]]:
    """The envelopes by the key that is opened."""
    envelopes: dict[str, list[_Envelope]] = {}
    for entry in load_yaml("envelopes.yaml"):
        envelope = _Envelope(
            entry["name"],
            compile_test(entry["when"]),
            parse_path(entry["open"]),
            entry.get("time", ""),
            entry.get("ignore", ""),
            entry.get("refuse", ""),
        )
        envelopes.setdefault(envelope.steps[0], []).append(envelope)
    return envelopes
