"""Help texts: a docstring's summary, paragraphs and examples."""

from dataclasses import dataclass
from inspect import cleandoc
from itertools import chain
from textwrap import dedent

_EXAMPLES = "Examples:"


@dataclass(frozen=True, slots=True)
class HelpText:
    """What --help shows above the options; examples are command lines."""

    summary: str
    examples: tuple[str, ...] = ()
    paragraphs: tuple[str, ...] = ()


def parse_docstring(docstring: str) -> HelpText:
    """Split a docstring; the paragraph that starts with `Examples:` holds a command a line.

    A line that ends with a backslash continues in the next one, as in a shell.
    """
    blocks = cleandoc(docstring).split("\n\n")
    examples = [block for block in blocks if block.startswith(_EXAMPLES)]
    summary, *paragraphs = [block for block in blocks if not block.startswith(_EXAMPLES)]
    lines = [dedent(block.partition("\n")[2]).splitlines() for block in examples]
    return HelpText(summary, tuple(chain(*lines)), tuple(paragraphs))
