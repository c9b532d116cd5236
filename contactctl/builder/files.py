"""Criteria files, as the builder saves and loads them."""

from pathlib import Path

from contactctl.config.criteria import criteria_as_yaml, read_criteria
from contactctl.config.drafts import replace_file
from contactctl.domain.criteria.fields import FieldCatalogue
from contactctl.domain.criteria.tree import Criteria
from contactctl.domain.errors import RefusedError, UsageError


class CriteriaFiles:
    """Files below a folder. Replacing another file needs a second Enter."""

    def __init__(self, folder: Path, own: Path | None) -> None:
        self._folder = folder
        self._own = own and folder / own
        self._asked_to_replace: Path | None = None

    @property
    def suggestion(self) -> str:
        """The file in use, or a first name."""
        return self.own or "criteria.yaml"

    @property
    def own(self) -> str:
        """The file in use; '' where there is none yet."""
        if self._own is None:
            return ""
        own = self._own
        return str(own.relative_to(self._folder) if own.is_relative_to(self._folder) else own)

    def load(self, name: str, catalogue: FieldCatalogue) -> Criteria:
        """The criteria in a file; CriteriaError with file and line."""
        path = self._folder / name
        criteria = read_criteria(path, name, catalogue)
        self._own = path
        return criteria

    def save(self, name: str, criteria: Criteria) -> None:
        """Write all of the criteria or nothing; RefusedError before replacing another file."""
        path = self._folder / name
        if path.exists() and path not in (self._own, self._asked_to_replace):
            self._asked_to_replace = path
            raise RefusedError(f"{name} exists", hint="press Enter again to replace it")
        try:
            replace_file(path, criteria_as_yaml(criteria))
        except OSError as error:
            raise UsageError(f"cannot write {name}: {error.strerror}") from error
        self._own = path
