"""Figures of the package's structure: files, median lines, import lines, internal names.

    .venv/bin/python benchmarks/structure.py [FOLDER]

An import line belongs to an import statement. An internal name is one that a file imports from the
package itself; a name that two files import counts twice.
"""

import ast
import sys
from dataclasses import dataclass
from pathlib import Path
from statistics import median

ROOT = Path(__file__).parents[1]


@dataclass(frozen=True, slots=True)
class FileFigures:
    """What one file has: all lines, those that are not blank, import lines, internal names."""

    lines: int
    filled_lines: int
    import_lines: int
    internal_names: int


def figures_of(source: str, package: str) -> FileFigures:
    """The figures of one module's source; `package` is the name of the package it belongs to."""
    lines = source.splitlines()
    statements = ast.walk(ast.parse(source))
    imports = [node for node in statements if isinstance(node, ast.Import | ast.ImportFrom)]
    return FileFigures(
        lines=len(lines),
        filled_lines=sum(bool(line.strip()) for line in lines),
        import_lines=sum((node.end_lineno or node.lineno) - node.lineno + 1 for node in imports),
        internal_names=sum(_internal_names(node, package) for node in imports),
    )


def _internal_names(node: ast.Import | ast.ImportFrom, package: str) -> int:
    if isinstance(node, ast.ImportFrom):
        is_internal = node.level > 0 or (node.module or "").split(".")[0] == package
        return len(node.names) if is_internal else 0
    return sum(alias.name.split(".")[0] == package for alias in node.names)


def main(folder: Path) -> None:
    files = [
        figures_of(path.read_text(encoding="utf-8"), folder.name)
        for path in sorted(folder.rglob("*.py"))
    ]
    lines = sum(each.lines for each in files)
    import_share = sum(each.import_lines for each in files) / sum(e.filled_lines for e in files)
    names = sum(each.internal_names for each in files) * 100 / lines
    print(f"files                                      {len(files):>7,}")
    print(f"lines                                      {lines:>7,}")
    print(f"median lines of a file                     {median(e.lines for e in files):>7,.0f}")
    print(f"import lines, of lines that are not blank  {import_share:>7.1%}")
    print(f"internal names imported per 100 lines      {names:>7.1f}")


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve() if len(sys.argv) > 1 else ROOT / "contactctl")
