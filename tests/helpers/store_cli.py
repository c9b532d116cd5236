"""The command line on a store of the test's, and what became of the store."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from contactctl.domain.runs import RunState
from contactctl.store.database.store import Store
from helpers.cli import CliResult, run_cli
from helpers.contacts import seed_contacts
from helpers.dumps import dump
from helpers.plans import plan_items, states

DEACTIVATE_TEN = ("deactivate", "--where", "id <= 10")


@dataclass
class StoreCli:
    """Calls `contactctl ARGS --database URL` with the folder's contactctl.yaml."""

    store: Store
    url: str
    folder: Path
    defaults: dict[str, Any] = field(default_factory=dict)

    def __call__(self, *args: object, **values: Any) -> CliResult:
        command = [*args, "--database", self.url]
        return run_cli(command, cwd=self.folder, **self.defaults | values)

    def json(self, *args: object, exit_code: int = 0, **values: Any) -> Any:
        """The `data` of `ARGS --json`, which must exit so."""
        result = self(*args, "--json", **values)
        assert result.exit_code == exit_code, result.stdout
        return result.json["data"]

    def errors(self, *args: object, exit_code: int, **values: Any) -> Sequence[dict[str, str]]:
        """The `errors` of `ARGS --json`, which must exit so."""
        result = self(*args, "--json", **values)
        assert result.exit_code == exit_code, result.stdout
        errors: Sequence[dict[str, str]] = result.json["errors"]
        return errors

    def configure(self, text: str) -> None:
        (self.folder / "contactctl.yaml").write_text(text)


def seeded_cli(store: Store, url: str, folder: Path, contacts: int) -> StoreCli:
    seed_contacts(store, contacts)
    return StoreCli(store, url, folder)


def require_unchanged(cli: StoreCli, before: dict[str, Any], *, runs: list[RunState]) -> None:
    """No contact, deactivation or plan item differs; the runs are in these states."""
    assert dump(cli.store, without=("run",)) == before
    assert states(cli.store) == runs
    assert plan_items(cli.store) == 0
