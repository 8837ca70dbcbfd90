"""What a command refuses before its flow begins, and what it lets pass."""

from __future__ import annotations

from pathlib import Path

import pytest

from flows.command.checks import check_features
from genre_model.data.folder import CatalogueOptions
from storage.errors import Damaged, UnknownFormat


@pytest.fixture
def asked(tmp_path: Path) -> dict[str, str]:
    """Give the arguments for a store of which store.json is to be written."""
    (tmp_path / "store").mkdir()
    for genre in ("rock", "pop"):
        (tmp_path / "data" / genre).mkdir(parents=True)
        (tmp_path / "data" / genre / "song.wav").write_bytes(b"-")
    return {"data": str(tmp_path / "data"), "store": str(tmp_path / "store"), "preset": "default"}


@pytest.mark.parametrize("text", ["", "no JSON", "[" * 10_000, '{"other": 1}'])
def test_a_damaged_description_is_refused_unless_it_is_to_be_made_anew(
    asked: dict[str, str], text: str
) -> None:
    Path(asked["store"], "store.json").write_text(text)
    with pytest.raises(Damaged, match="`genre features --verify` writes it again"):
        check_features(**asked, wanted=CatalogueOptions())
    check_features(**asked, wanted=CatalogueOptions(), verify=True)


def test_a_store_of_another_version_is_refused_in_any_case(asked: dict[str, str]) -> None:
    Path(asked["store"], "store.json").write_text('{"format": 99}')
    with pytest.raises(UnknownFormat):
        check_features(**asked, wanted=CatalogueOptions(), verify=True)
