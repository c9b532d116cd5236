"""Days of an admin's life from end to end, with the commands that cron and people give."""

from pathlib import Path

import pytest
import yaml

from helpers.real_days import Days, spread
from helpers.thorough import IS_THOROUGH

DAYS = yaml.safe_load((Path(__file__).parents[1] / "helpers/samples/real_days.yaml").read_text())


@pytest.mark.sampled
@pytest.mark.parametrize(
    "day", DAYS if IS_THOROUGH else DAYS[1::5], ids=lambda day: str(day["day"])[:60]
)
def test_a_day_ends_with_the_right_people_active(tmp_path: Path, day: dict[str, object]) -> None:
    ended = Days(tmp_path, day).pass_all()
    assert ended.inactive == set(spread(day["inactive"])), ended.said[-3000:]
    assert ended.held == day.get("held", 0)
    assert ended.waiting == day.get("waiting", 0)
