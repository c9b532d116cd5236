"""Names in one cell: taken apart only where it is clear how."""

import pytest

from contactctl.domain.name_cells import list_cell, names_cell, names_in


@pytest.mark.parametrize(
    ("text", "separator", "names"),
    [
        ("vip;oslo|VIP", None, ("vip", "oslo")),
        ("vip,oslo", ",", ("vip", "oslo")),
        ('"vip","oslo"', ",", ("vip", "oslo")),
        ('"vip", "oslo, north"', ",", ("vip", "oslo, north")),
        ('"Smith ""Jr""",x', ",", ('Smith "Jr"', "x")),
        ("vip,oslo", ";", ("vip,oslo",)),
        ('5" disk;x', ";", ('5" disk', "x")),
        ("* friends ::: * family", ":::", ("* friends", "* family")),
        ("a\tb", "\t", ("a", "b")),
        (" , ,a,", ",", ("a",)),
        (list_cell(["a,b", 'c "d"']), None, ("a,b", 'c "d"')),
        (list_cell([]), None, ()),
        ('["vip", "oslo, north"]', None, ("vip", "oslo, north")),
        ('["vip","oslo"]', ",", ("vip", "oslo")),
        ("['vip', 'oslo']", None, ("vip", "oslo")),
        ('{vip,"old, town"}', None, ("vip", "old, town")),
        ("{vip}", None, ("vip",)),
        ("[]", None, ()),
        ("{}", None, ()),
        ("vip\r\noslo\n", None, ("vip", "oslo")),
        ("vip, x\noslo", ",", ("vip", "x", "oslo")),
        ("[2024] spring; {{name}}", None, ("[2024] spring", "{{name}}")),
        ("vip\uff0coslo", "\uff0c", ("vip", "oslo")),
    ],
)
def test_a_cell_is_split_as_told(text: str, separator: str | None, names: tuple[str, ...]) -> None:
    assert names_in("tag", text, separator) == names


@pytest.mark.parametrize(
    ("names", "cell"),
    [
        (["vip", "oslo"], "vip;oslo"),
        (["oslo, north", "vip"], '["oslo, north", "vip"]'),
        (['5" disk'], '["5\\" disk"]'),
        (["[2024]"], '["[2024]"]'),
        (["{a}", "b"], '["{a}", "b"]'),
        (["Ærlig\uff0cx"], '["Ærlig\uff0cx"]'),
        ([], ""),
    ],
)
def test_names_written_as_a_cell_are_read_again(names: list[str], cell: str) -> None:
    assert names_cell(names) == cell
    assert names_in("tag", cell, None) == tuple(names)


@pytest.mark.parametrize(
    ("text", "separator", "words"),
    [
        ("vip,oslo", None, "contains a comma: --separator 'tag=,' splits"),
        ('"vip"', None, "contains a quote"),
        ('"vip";"oslo"', None, "contains a quote"),
        ('"vip,oslo', ",", "cannot be split"),
        ('"vip" oslo', ",", "cannot be split"),
        ("a;b", ",", "contains ;, which no name does"),
        (list_cell(["a;b"]), None, "cannot contain ; or |"),
        ("vip\uff0coslo", None, "contains a comma: --separator 'tag=\uff0c' splits"),
        ("\u201cvip\u201d", None, "contains a quote"),
        ('{"vip": true}', None, "not a list of names"),
        ('["vip", 1]', None, "not a list of names"),
        ("R&amp;D;vip", None, "contains &amp;, an HTML entity"),
        ("R&#39;D", ";", "contains &#39;, an HTML entity"),
    ],
)
def test_what_is_not_clear_is_an_error(text: str, separator: str | None, words: str) -> None:
    with pytest.raises(ValueError, match=r"contain|split|list") as caught:
        names_in("tag", text, separator)
    assert words in str(caught.value)
