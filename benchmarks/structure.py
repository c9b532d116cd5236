"""Figures of the package's structure: files, median lines, import lines, internal names.

    .venv/bin/python benchmarks/structure.py [FOLDER]

Lines of code are lines that are neither blank, comment nor docstring. An import line is a line of
code that belongs to an import statement. An internal name is one that a file imports from the
package itself; a name imported by two files counts twice.
"""

import ast
import io
import sys
import tokenize
from dataclasses import dataclass
from pathlib import Path
from statistics import median

ROOT = Path(__file__).parents[1]
_NO_CODE = {
    tokenize.COMMENT,
    tokenize.NL,
    tokenize.NEWLINE,
    tokenize.INDENT,
    tokenize.DEDENT,
    tokenize.ENCODING,
    tokenize.ENDMARKER,
}


@dataclass(frozen=True, slots=True)
class FileFigures:
    """What one file has; `lines` counts all of them, `code` only lines of code."""

    lines: int
    code: int
    import_lines: int
    internal_names: int


def figures_of(source: str, package: str) -> FileFigures:
    """The figures of one module's source; `package` is the name of the package it belongs to."""
    tree = ast.parse(source)
    code = _token_lines(source) - _docstring_lines(tree)
    imports = [node for node in ast.walk(tree) if isinstance(node, ast.Import | ast.ImportFrom)]
    import_lines = {line for node in imports for line in _lines_of(node)} & code
    names = sum(_internal_names(node, package) for node in imports)
    return FileFigures(len(source.splitlines()), len(code), len(import_lines), names)


def _token_lines(source: str) -> set[int]:
    tokens = tokenize.generate_tokens(io.StringIO(source).readline)
    return {
        line
        for token in tokens
        if token.type not in _NO_CODE
        for line in range(token.start[0], token.end[0] + 1)
    }


def _docstring_lines(tree: ast.AST) -> set[int]:
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    return {
        line
        for node in ast.walk(tree)
        if isinstance(node, documented) and ast.get_docstring(node, clean=False) is not None
        for line in _lines_of(node.body[0])
    }


def _lines_of(node: ast.stmt) -> range:
    return range(node.lineno, (node.end_lineno or node.lineno) + 1)


def _internal_names(node: ast.Import | ast.ImportFrom, package: str) -> int:
    if isinstance(node, ast.ImportFrom):
        module = node.module or ""
        is_internal = node.level > 0 or module.split(".")[0] == package
        return len(node.names) if is_internal else 0
    return sum(alias.name.split(".")[0] == package for alias in node.names)


def main(folder: Path) -> None:
    files = [
        figures_of(path.read_text(encoding="utf-8"), folder.name)
        for path in sorted(folder.rglob("*.py"))
    ]
    code = sum(each.code for each in files)
    import_lines = sum(each.import_lines for each in files)
    names = sum(each.internal_names for each in files)
    print(f"files                               {len(files):>8,}")
    print(f"lines                               {sum(each.lines for each in files):>8,}")
    print(f"median lines of a file              {median(each.lines for each in files):>8,.0f}")
    print(f"lines of code                       {code:>8,}")
    print(f"import lines, share of code         {import_lines / code:>8.1%}")
    print(f"internal names per 100 lines of code{names * 100 / code:>8.1f}")


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve() if len(sys.argv) > 1 else ROOT / "contactctl")
