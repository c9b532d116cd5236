"""`--format prometheus`: the text exposition format, version 0.0.4, as the textfile collector of
node_exporter reads it (https://prometheus.io/docs/instrumenting/exposition_formats/)."""

from collections.abc import Sequence
from itertools import groupby

from contactctl.domain.errors import UsageError
from contactctl.output.console import Console
from contactctl.output.presentation import Metric, Presentation

_ESCAPES = str.maketrans({"\\": r"\\", "\n": r"\n", '"': r"\""})


def write(presentation: Presentation, console: Console, command: str) -> None:
    """Write the result's metrics; UsageError for a command that has none."""
    if not presentation.metrics:
        raise UsageError(
            f"{command} has no metrics", hint="--format prometheus goes with `contactctl status`"
        )
    console.stdout.write(exposition(presentation.metrics))


def exposition(metrics: Sequence[Metric]) -> str:
    """The metrics as text; those of one name stand one below the other."""
    lines: list[str] = []
    for (name, meaning), alike in groupby(metrics, key=lambda each: (each.name, each.meaning)):
        lines += [f"# HELP {name} {meaning}", f"# TYPE {name} gauge"]
        lines += [f"{name}{_labels(each)} {each.value:.17g}" for each in alike]
    return "\n".join(lines) + "\n"


def _labels(metric: Metric) -> str:
    if not metric.labels:
        return ""
    pairs = (f'{name}="{value.translate(_ESCAPES)}"' for name, value in metric.labels.items())
    return f"{{{','.join(pairs)}}}"
