"""The command line in a folder of its own, with a config."""

from pathlib import Path

from helpers.cli import CliResult, run_cli

CONFIG = """
time_zone: Europe/Oslo
attributes: {plan: text, orders: number, vip: boolean, renewal: date, tier: [gold, silver]}
groups:
  bulletin: {bypass_system_wide: true}
  quiet: {bypass_system_wide: false}
"""


class Program:
    """The command line, in a folder with a config, on one store."""

    def __init__(self, folder: Path, store_url: str) -> None:
        self.folder = folder
        self.store_url = store_url
        (folder / "contactctl.yaml").write_text(CONFIG)

    def run(self, *args: object, stdin: str = "", tty: bool = False) -> CliResult:
        env = {"CONTACTCTL_DATABASE_URL": self.store_url}
        return run_cli(args, cwd=self.folder, stdin=stdin, tty=tty, env=env)

    def write(self, name: str, content: str) -> Path:
        path = self.folder / name
        path.write_text(content, newline="")
        return path

    def import_text(self, content: str, *options: object) -> CliResult:
        return self.run("contacts", "import", "-", "--create-groups", *options, stdin=content)
