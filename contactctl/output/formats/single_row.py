"""A result without rows, seen as one row: its data."""

from contactctl.output.presentation import Column, Presentation, Rows


def rows_or_single(presentation: Presentation) -> Rows:
    """The result's rows, or its data as a single row."""
    if presentation.rows is not None:
        return presentation.rows
    columns = [Column(key) for key in presentation.data]
    return Rows("data", columns, [presentation.data] if presentation.data else [])
