"""Where a CSV file begins: its header, and what separates its cells."""

import csv
import re
from dataclasses import dataclass
from itertools import islice

from contactctl.domain.errors import InputError
from contactctl.operations.importing.presets import likely_emails, plain
from contactctl.operations.importing.source import Source

_DELIMITERS = (",", ";", "\t")
_LONGEST_HEADER = 1 << 20
_SEP_LINE = re.compile(r'\s*"?sep=(.)"?[,;\t]*\s*\Z', re.IGNORECASE)  # Excel's own hint to itself
_LINES_BEFORE_A_HEADER = 25  # at most, of reports that say what they are first


@dataclass(frozen=True, slots=True)
class Beginning:
    """How many lines come before the header, the header, and what separates its cells."""

    skipped: int
    header: str
    delimiter: str
    sep_line: bool = False


def beginning_of(source: Source) -> Beginning:
    """Without empty rows, and without the line `sep=;` that Excel writes and reads."""
    text, skipped, told = source.text(), 0, ""
    while line := text.readline(_LONGEST_HEADER):
        if found := _SEP_LINE.match(line):
            told = found[1]
        elif line.strip(" \t\r\n,;"):
            break
        skipped += 1
    found_delimiters = _delimiters(line)
    return Beginning(skipped, line, told or "".join(found_delimiters[:1]) or ",", bool(told))


def _delimiters(header: str) -> list[str]:
    """Those of , ; TAB that are outside quotes in the header, or a bar where there is none."""
    outside_quotes = "".join(header.split('"')[::2])
    found = [delimiter for delimiter in _DELIMITERS if delimiter in outside_quotes]
    return found or ["|"] * ("|" in outside_quotes)


def refuse_ambiguous(source: Source, beginning: Beginning) -> None:
    """InputError where nobody can tell what separates the cells."""
    if len(_delimiters(beginning.header)) > 1:
        raise InputError(
            f"{source.name}: more than one of comma, semicolon and TAB in the header",
            hint="say which one separates with --delimiter",
        )


def refuse_preamble(source: Source, beginning: Beginning) -> None:
    """InputError where a later line names the columns: notes stand above it, as in a report."""
    text = source.text()
    for _ in range(beginning.skipped):
        text.readline(_LONGEST_HEADER)
    first = _cells(text.readline(_LONGEST_HEADER))
    if likely_emails(first)[len(first) == 1 :] or "email" in map(plain, first):
        return  # one cell alone may be a title
    for at, line in enumerate(islice(text, _LINES_BEFORE_A_HEADER), beginning.skipped + 2):
        cells = _cells(line)
        if "@" in line:  # a contact already
            return
        if "email" in map(plain, cells) or (len(cells) > len(first) and likely_emails(cells)):
            raise InputError(
                f"{source.name}: line {at} names the columns, and other lines come before it",
                hint=f"leave them out; `tail -n +{at} FILE` prints the file from that line on",
            )


def _cells(line: str) -> list[str]:
    """The cells of a line that are not empty, by what separates them in it; none of one that cannot
    be split, which its row will say."""
    separator = "".join(_delimiters(line)[:1]) or ","
    try:
        cells = next(csv.reader([line], delimiter=separator), [])
    except csv.Error:
        return []
    return [cell for cell in cells if cell.strip()]
