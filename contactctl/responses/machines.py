"""Who opened or clicked, by the user agent: a person's program or a machine (`machines.yaml`)."""

from functools import cache, lru_cache
from importlib.resources import files

_MOST_KNOWN = 4096


@lru_cache(_MOST_KNOWN)
def is_machine(user_agent: str) -> bool:
    """Whether a proxy or a scanner calls itself so. An empty text says nothing: False."""
    exactly, containing = _known()
    agent = user_agent.strip().lower()
    return agent in exactly or any(part in agent for part in containing)


@cache
def _known() -> tuple[frozenset[str], tuple[str, ...]]:
    import yaml  # noqa: PLC0415 (only a payload with opens or clicks needs it)

    text = files("contactctl.responses").joinpath("machines.yaml").read_text("utf-8")
    known = yaml.safe_load(text)
    return frozenset(known["exactly"]), tuple(known["containing"])
