"""The one door: whatever a reader raises is one line, and names of others never lead elsewhere."""

from __future__ import annotations

from pathlib import Path

import pytest

from emc.errors import InputError, UsageError
from emc.untrusted import MOST_CARD_BYTES, card_json, one_line, safe_name, shown


@pytest.mark.parametrize(
    "error",
    [KeyError("x"), TypeError("a\nb"), RecursionError(), MemoryError(), OSError(5, "Input/output error"), EOFError()],
)
def test_whatever_is_raised_is_one_line_with_the_file(error: Exception) -> None:
    @one_line("export it again")
    def read(path: Path) -> None:
        raise error

    with pytest.raises(InputError) as caught:
        read(Path("a.json"))
    assert str(caught.value).startswith("a.json cannot be used (")
    assert str(caught.value).endswith("): export it again")
    assert "\n" not in str(caught.value)


def test_our_own_errors_pass_as_they_are() -> None:
    @one_line("export it again")
    def read(path: Path) -> None:
        raise UsageError("as it is")

    with pytest.raises(UsageError, match="^as it is$"):
        read(Path("a.json"))


@pytest.mark.parametrize(
    "name", ["../x", "/etc/x", "a/b", "a\\b", "", ".", "..", ".hidden", "a\nb", "x" * 201, 7, None]
)
def test_names_that_lead_elsewhere(name: object) -> None:
    with pytest.raises(InputError, match="clip id '.*' is no name that emc gives") as caught:
        safe_name(name, "clip id")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["kick", "träin 2", "a..b", "x" * 200])
def test_names_that_emc_gives(name: str) -> None:
    assert safe_name(name, "clip id") == name


def test_a_card_is_bounded(tmp_path: Path) -> None:
    file = tmp_path / "emc.json"
    with file.open("wb") as opened:
        opened.truncate(MOST_CARD_BYTES + 1)
    with pytest.raises(ValueError, match="64 MB, of at most 64 MB"):
        card_json(file)
    file.write_text("[" * 100_000)
    with pytest.raises(ValueError, match="nested too deeply"):
        card_json(file)


def test_values_are_shown_on_one_line() -> None:
    assert shown("a\nb\x07" + "c" * 100).startswith("a b?ccc")
    assert len(shown("c" * 100)) == 60
