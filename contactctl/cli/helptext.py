"""Help texts: a docstring's summary, paragraphs and examples."""

from dataclasses import dataclass
from inspect import cleandoc

_EXAMPLES = "Examples:"


@dataclass(frozen=True, slots=True)
class HelpText:
    """What --help shows above the options; examples are command lines."""

    summary: str
    examples: tuple[str, ...] = ()
    paragraphs: tuple[str, ...] = ()


def parse_docstring(docstring: str) -> HelpText:
    """Split a docstring; the paragraph that starts with `Examples:` holds a command a line."""
    blocks = cleandoc(docstring).split("\n\n")
    examples = [block for block in blocks if block.startswith(_EXAMPLES)]
    summary, *paragraphs = [block for block in blocks if not block.startswith(_EXAMPLES)]
    lines = [line.strip() for block in examples for line in block.splitlines()[1:]]
    return HelpText(summary, tuple(lines), tuple(paragraphs))
