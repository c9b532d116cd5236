"""Which of many phrases a text holds, without looking for each of them."""

from collections.abc import Iterable

_KEY_LENGTH = 4


class PhraseIndex:
    """Finds phrases by their first characters: one pass over the text rules most of them out."""

    def __init__(self, phrases: Iterable[str]) -> None:
        self._by_start: dict[str, list[str]] = {}
        self._short: list[str] = []
        for phrase in dict.fromkeys(phrases):
            if len(phrase) < _KEY_LENGTH:
                self._short.append(phrase)
            else:
                self._by_start.setdefault(phrase[:_KEY_LENGTH], []).append(phrase)

    def found_in(self, text: str) -> list[str]:
        """The phrases that `text` holds, in no particular order."""
        starts = {text[at : at + _KEY_LENGTH] for at in range(len(text) - _KEY_LENGTH + 1)}
        found = [phrase for phrase in self._short if phrase in text]
        for start in self._by_start.keys() & starts:
            found += [phrase for phrase in self._by_start[start] if phrase in text]
        return found
