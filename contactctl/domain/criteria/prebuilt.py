"""The criteria that come with the program, by name."""

from collections.abc import Sequence
from dataclasses import dataclass

from contactctl.domain.criteria.fields import FieldCatalogue, did_you_mean
from contactctl.domain.criteria.tree import Criteria, from_flags
from contactctl.domain.errors import CriteriaError
from contactctl.domain.text import show_safely


@dataclass(frozen=True, slots=True)
class Prebuilt:
    """Conditions that must all match, and others that none may; `title` for people."""

    name: str
    title: str
    all: Sequence[str]
    none: Sequence[str] = ()

    def criteria(self) -> Criteria:
        """The tree of conditions."""
        tree = from_flags(self.all, (), self.none, FieldCatalogue())
        return Criteria(self.title, tree.all, tree.any, tree.none)


PREBUILT = (
    Prebuilt(
        "no-opportunity",
        "Without an opportunity for 24 months",
        all=("last_opportunity older-than 24 months",),
    ),
    Prebuilt(
        "unengaged",
        "Ten mails or more since a person last opened or clicked, and more than 3 months",
        all=("mails_since_engaged >= 10",),
        none=("last_engaged within-last 3 months",),
    ),
)


def prebuilt_criteria(name: str = PREBUILT[0].name) -> Criteria:
    """Those of that name; without one, what `preview` and `deactivate` use without any criteria.

    Raises CriteriaError for an unknown name.
    """
    for each in PREBUILT:
        if each.name == name:
            return each.criteria()
    names = [each.name for each in PREBUILT]
    raise CriteriaError(
        f"there are no prebuilt criteria '{show_safely(name)}'",
        hint=did_you_mean(name, names) or f"`contactctl criteria list` has {', '.join(names)}",
    )
