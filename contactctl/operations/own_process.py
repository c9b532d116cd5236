"""Processes of our own, started by name: nothing of the store is open in them."""

import sys


def own_process(statement: str) -> list[str]:
    """The command of a process that executes this Python statement; arguments may follow.

    It looks for modules where this process has found them. Left to itself, Python would look in
    the current folder first, which may be anybody's.
    """
    return [sys.executable, "-P", "-c", f"import sys; sys.path[:] = {sys.path!r}; {statement}"]
