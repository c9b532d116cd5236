"""How much a test tries: a sample in the suite, everything under `make torture`.

Tests that take a sample bear the marker `sampled`, by which `make torture` finds them; those that
draw examples (hypothesis) get it by themselves.
"""

import itertools
import os
from collections.abc import Iterator

IS_THOROUGH = os.environ.get("CONTACTCTL_TEST_THOROUGH") == "1"


def examples(number: int, *, sample: int = 4, least: int = 5) -> int:
    """Of so many drawn examples, those to try now."""
    return number if IS_THOROUGH else max(number // sample, least)


def moments(first: int = 1, step: int = 1, *, sample: int = 4) -> Iterator[int]:
    """The numbers of the moments to kill at, without end; the suite takes each `sample`-th one."""
    return itertools.count(first, step if IS_THOROUGH else step * sample)
