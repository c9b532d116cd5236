"""A push in a process of its own, to be killed: `push_process.py STORE API COUNT`."""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from contactctl.domain.policies import Limits  # noqa: E402
from contactctl.domain.runs import Confirmation  # noqa: E402
from contactctl.domain.sources import ProviderSource, Secret  # noqa: E402
from contactctl.operations import pushing  # noqa: E402
from contactctl.operations.runs import run_confirmed  # noqa: E402
from contactctl.store.database.store import open_store  # noqa: E402
from helpers.sessions import make_session  # noqa: E402


def main(store_url: str, api_url: str, count: str) -> None:
    pushing._MOST_AT_ONCE = 2
    source = ProviderSource("mail", "sendgrid", Secret(env="PUSH_KEY"), url=api_url)
    session = make_session(open_store(store_url), sources={"mail": source}, limits=Limits(1000))
    said = Confirmation(int(count), int(count))
    run_confirmed(session, lambda: pushing.plan_push_to(session, source, reason="", said=said))


if __name__ == "__main__":
    main(*sys.argv[1:])
