"""A Dovecot 2.3 of the test's own: a folder for its state, ports of its own, one user."""

import grp
import os
import pwd
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import NamedTuple

from helpers.tls_server import CERTIFICATE

BINARY = shutil.which("dovecot", path=os.environ.get("PATH", "") + ":/usr/sbin:/usr/local/sbin")

_CONFIG = """
base_dir = {folder}/run
state_dir = {folder}/state
log_path = {folder}/log
libexec_dir = {libexec}
import_environment = LD_LIBRARY_PATH TZ
protocols = imap pop3
listen = 127.0.0.1
default_internal_user = {user}
default_internal_group = {group}
default_login_user = {user}
first_valid_uid = 1
ssl = required
ssl_cert = <{certificate}
ssl_key = <{certificate}
mail_location = maildir:{folder}/mail
passdb {{
  driver = static
  args = password=secret
}}
userdb {{
  driver = static
  args = uid={user} gid={group} home={folder}
}}
service anvil {{
  chroot =
}}
service imap-login {{
  chroot =
  inet_listener imap {{
    port = {imap}
  }}
  inet_listener imaps {{
    port = {imaps}
    ssl = yes
  }}
}}
service pop3-login {{
  chroot =
  inet_listener pop3 {{
    port = 0
  }}
  inet_listener pop3s {{
    port = {pop3s}
    ssl = yes
  }}
}}
"""


class Dovecot(NamedTuple):
    """Its ports, and the folder `new` of its inbox."""

    imap: int
    imaps: int
    pop3s: int
    inbox: Path


def is_usable() -> bool:
    """Whether a Dovecot is installed whose config we can write."""
    if BINARY is None:
        return False
    version = subprocess.run([BINARY, "--version"], capture_output=True, text=True, check=False)
    return version.stdout.startswith("2.3.")


@contextmanager
def running_dovecot(folder: Path, mails: list[bytes]) -> Iterator[Dovecot]:
    """Dovecot with mails in its inbox; as root it works as nobody."""
    user = pwd.getpwnam("nobody") if os.getuid() == 0 else pwd.getpwuid(os.getuid())
    inbox = folder / "mail" / "new"
    inbox.mkdir(parents=True)
    for number, raw in enumerate(mails):
        (inbox / f"17723592{number:02d}.M{number}.localhost").write_bytes(raw)
    certificate = Path(shutil.copy(CERTIFICATE, folder))
    dovecot = Dovecot(*_free_ports(3), inbox)
    config = _CONFIG.format(
        folder=folder,
        libexec=Path(BINARY).resolve().parent.parent / "lib" / "dovecot",
        user=user.pw_name,
        group=grp.getgrgid(user.pw_gid).gr_name,
        certificate=certificate,
        **dovecot._asdict(),
    )
    (folder / "dovecot.conf").write_text(config)
    for path in (folder, *folder.rglob("*")):
        os.chown(path, user.pw_uid, user.pw_gid)
    process = subprocess.Popen([BINARY, "-F", "-c", folder / "dovecot.conf"])
    try:
        for port in (dovecot.imap, dovecot.imaps, dovecot.pop3s):
            _wait_for(port, process, folder / "log")
        yield dovecot
    finally:
        process.terminate()
        process.wait(10)


def _free_ports(count: int) -> list[int]:
    listeners = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [listener.getsockname()[1] for listener in listeners]
    for listener in listeners:
        listener.close()
    return ports


def _wait_for(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline and process.poll() is None:
        with closing(socket.socket()) as client:
            if client.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise RuntimeError(log.read_text() if log.exists() else "Dovecot does not start")
