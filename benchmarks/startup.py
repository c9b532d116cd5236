"""Start-up times: whole processes, medians, against bare imports measured in the same run.

    python benchmarks/startup.py [ROUNDS]

Each round runs every command once, so that a busy moment of the machine hits them all alike. The
commands that work on the store of `demo` (5,000 contacts) also show the least CPU time.
"""

import os
import resource
import shlex
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field

from contactctl.cli.registry import COMMANDS
from contactctl.store.database.migrate import create_store

BARE = ["-c", "pass"]
TYPER = ["-c", "import typer"]
TYPER_AND_MODELS = ["-c", "import typer, pydantic, sqlmodel"]
CONTACTCTL = ["-m", "contactctl"]
# compiled modules are kept from the first, uncounted round on, as they are for users
_LEFT_OUT = ("CONTACTCTL_", "PYTHONDONTWRITEBYTECODE")
CPU_S = 0.4  # of a command that reads or changes a few contacts
AT_WORK = (
    *("status", "status --json", "preview", "preview --where 'tag = vip' --json"),
    *("deactivate --dry-run", "contacts list --limit 5", "contacts show 1", "explain 1"),
    *("contacts edit 1 --set first_name=Ann", "groups list", "groups members newsletter --limit 5"),
    *("tags list", "tags add vip 1", "runs list", "runs show 1", "responses list"),
    *("responses report", "suppressions list", "rules check", "sweep all --dry-run", "policy show"),
    *("config show", "config check", "db check"),
)
ENVIRON = {k: v for k, v in os.environ.items() if not k.startswith(_LEFT_OUT)}


@dataclass
class Measurement:
    """One row of the report: what runs, what it is held against, and the ratio to reach."""

    name: str
    arguments: list[str]
    baseline: str = ""
    target: float = 0.0
    seconds: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)

    @property
    def median(self) -> float:
        return statistics.median(self.seconds)


def measurements(database: str, config: str) -> list[Measurement]:
    """The baselines, and the commands of which start-up is the most part."""
    status = [*CONTACTCTL, "status", "--json", "--database", database]
    return [
        Measurement("python -c pass", BARE),
        Measurement("import typer", TYPER),
        Measurement("import typer, pydantic, sqlmodel", TYPER_AND_MODELS),
        Measurement("--version", [*CONTACTCTL, "--version"], "python -c pass", 3),
        Measurement("--help", [*CONTACTCTL, "--help"], "import typer", 2),
        *(
            Measurement(
                f"{command} --help", [*CONTACTCTL, *command.split(), "--help"], "import typer", 2
            )
            for command in COMMANDS
        ),
        Measurement("status --json", status, "import typer, pydantic, sqlmodel", 1.3),
        *(
            Measurement(each, [*CONTACTCTL, *shlex.split(each), "--config", config])
            for each in AT_WORK
        ),
    ]


def measure(database: str, config: str, rounds: int) -> list[Measurement]:
    """Run everything `rounds` times, after one round that nobody counts."""
    todo = measurements(database, config)
    for round_number in range(rounds + 1):
        for measurement in todo:
            seconds, cpu = run_once(measurement)
            if round_number:
                measurement.seconds.append(seconds)
                measurement.cpu.append(cpu)
    return todo


def run_once(measurement: Measurement) -> tuple[float, float]:
    """Seconds from starting the process to its end, and of CPU; a failing command ends all."""
    before, started = cpu_of_children(), time.perf_counter()
    subprocess.run(
        [sys.executable, *measurement.arguments], stdout=subprocess.DEVNULL, check=True, env=ENVIRON
    )
    return time.perf_counter() - started, cpu_of_children() - before


def cpu_of_children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def report(done: list[Measurement]) -> None:
    medians = {measurement.name: measurement.median for measurement in done}
    print(f"{'what':36} {'ms':>7} {'ratio':>7} {'target':>7}")
    for row in done:
        line = f"{row.name:36} {row.median * 1000:7.1f}"
        if row.baseline:
            ratio = row.median / medians[row.baseline]
            verdict = "" if ratio <= row.target else "  missed"
            line += f" {ratio:7.2f} {row.target:7.1f}{verdict}"
        if row.name in AT_WORK:
            least = min(row.cpu)
            line += f"   CPU {least:.2f} s{'' if least <= CPU_S else '  missed'}"
        print(line)


def main() -> None:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 15
    with tempfile.TemporaryDirectory() as folder:
        database = f"sqlite:///{folder}/contacts.db"
        create_store(database)
        demo = [sys.executable, *CONTACTCTL, "demo", f"{folder}/demo"]
        subprocess.run(demo, capture_output=True, check=True, env=ENVIRON)
        report(measure(database, f"{folder}/demo/contactctl.yaml", rounds))


if __name__ == "__main__":
    main()
