"""All benchmarks, beside hand-written SQL of the same run.

    python benchmarks/run.py [--sizes 10k,100k,1M] [--database sqlite|postgres|both] [--only NAME]

10M is measured on request: --sizes 1M,10M. The sizes are numbers of contacts; what is measured by
events or mails has sizes of its own. Postgres is the server named by CONTACTCTL_TEST_POSTGRES, or
the one of the test extra, with fsync on.
"""

import argparse
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import deactivate
import preview
from made_stores import KINDS, made_stores
from table import HEADER

HERE = Path(__file__).parent
# each is a program of its own, which prints its own report
OF_CONTACTS = ("import_contacts", "export_contacts", "emails", "sync", "copy_store")
OTHERS = (
    "startup",
    *OF_CONTACTS,
    "mail_classify",
    "ingest_read",
    "ingest",
    "thresholds_sweep",
    "handling_sweep",
)
OWN = ("preview", "deactivate", "memory")
_SUFFIXES = {"k": 1_000, "M": 1_000_000}


def size(text: str) -> int:
    """10k, 1M or a plain number."""
    return int(text[:-1]) * _SUFFIXES[text[-1]] if text[-1] in _SUFFIXES else int(text)


def run_own(sizes: Sequence[int], kinds: Sequence[str], names: Sequence[str]) -> None:
    print(HEADER)
    with made_stores() as stores:
        for contacts in sizes:
            if "preview" in names:
                preview.run(stores, kinds, contacts)
            if "deactivate" in names:
                deactivate.run(stores, kinds, contacts)
        if "memory" in names:
            deactivate.run_memory(stores, kinds, sizes)


def run_others(sizes: Sequence[int], names: Sequence[str]) -> None:
    for name in names:
        print(f"\n{name}", flush=True)
        arguments = map(str, sizes) if name in OF_CONTACTS else ()
        subprocess.run([sys.executable, HERE / f"{name}.py", *arguments], check=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--sizes", default="10k,100k,1M")
    parser.add_argument("--database", choices=[*KINDS, "both"], default="both")
    parser.add_argument("--only", choices=[*OWN, *OTHERS], action="append")
    given = parser.parse_args()
    names = given.only or [*OWN, *OTHERS]
    kinds = KINDS if given.database == "both" else (given.database,)
    sizes = [size(text) for text in given.sizes.split(",")]
    if set(names) & set(OWN):
        run_own(sizes, kinds, names)
    run_others(sizes, [name for name in OTHERS if name in names])


if __name__ == "__main__":
    main()
