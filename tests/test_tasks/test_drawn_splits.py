"""Splits that a catalogue draws by whole folders, and that a store's later ones keep to."""

from __future__ import annotations

from pathlib import Path

import pytest

from genre_model.data.folder import CatalogueOptions
from genre_model.errors import CatalogueError
from storage.places.address import parse_location
from storage.store import Store
from tasks.catalogue import FoundCatalogue, find_catalogue, store_catalogue

BY_FOLDER = CatalogueOptions(split_by="folder")


@pytest.fixture
def music(tmp_path: Path) -> Path:
    """Make two genres of ten folders with two files each, which nobody reads."""
    folder = tmp_path / "music"
    fill(folder, range(10))
    return folder


def fill(folder: Path, artists: range) -> None:
    for genre in ("rock", "ska"):
        for artist in artists:
            (folder / genre / f"{artist}").mkdir(parents=True)
            for number in range(2):
                (folder / genre / f"{artist}" / f"{number}.mp3").write_bytes(b"x")


def find(folder: Path, options: CatalogueOptions, store: Path | None = None) -> FoundCatalogue:
    place = None if store is None else parse_location(store)
    return find_catalogue.fn(parse_location(folder), options=options, store=place)


def test_whole_folders_are_split(music: Path) -> None:
    found = find(music, BY_FOLDER)
    tracks = found.catalogue.tracks
    assert (tracks.groupby(tracks["path"].str.rpartition("/")[0])["split"].nunique() == 1).all()
    counts = tracks.groupby(["genre", "split"]).size()
    assert counts["rock"].to_dict() == {"test": 2, "training": 16, "validation": 2}
    assert counts["ska"].to_dict() == {"test": 2, "training": 16, "validation": 2}
    assert found.attributes["split_by"] == "folder"
    drawn = found.catalogue.drawn
    assert drawn is not None
    assert (drawn.groups, drawn.largest, drawn.kept) == (20, 2, 0)
    assert found.catalogue.id != find(music, CatalogueOptions()).catalogue.id


def test_what_a_store_trained_on_stays_there_when_files_are_added(
    music: Path, tmp_path: Path
) -> None:
    kept = Store.create(tmp_path / "store")
    before = find(music, BY_FOLDER, tmp_path / "store")
    store_catalogue.fn(kept, before)
    assert find(music, BY_FOLDER, tmp_path / "store").catalogue.id == before.catalogue.id
    fill(music, range(10, 40))
    after = find(music, BY_FOLDER, tmp_path / "store").catalogue
    splits = after.tracks.set_index("track_id")["split"]
    trained = before.catalogue.tracks.query("split == 'training'")["track_id"]
    assert len(trained) == 32
    assert set(splits[trained]) == {"training"}
    assert after.drawn is not None
    assert after.drawn.kept == 16
    assert after.drawn.splits["test"].tracks == 16
    other = find(music, CatalogueOptions(split_by="folder"), tmp_path / "another")
    assert other.catalogue.drawn is not None
    assert other.catalogue.drawn.kept == 0


def test_rare_genres_are_left_out_and_named(music: Path) -> None:
    (music / "polka").mkdir()
    (music / "polka" / "a.mp3").write_bytes(b"x")
    found = find(music, CatalogueOptions(min_tracks=2))
    assert found.catalogue.genres == ["rock", "ska"]
    assert found.catalogue.left_out.counts == {"rare_genre": 1}
    assert found.catalogue.left_out.sentences == (
        "left out, as --min-tracks 2 says: 1 genre has fewer tracks: polka (1)",
    )
    with pytest.raises(CatalogueError, match=r"^--min-tracks 21 leaves 0 of 3 genres \(the larges"):
        find(music, CatalogueOptions(min_tracks=21))


def test_what_a_layout_cannot_heed_is_refused(music: Path, real_music: Path) -> None:
    with pytest.raises(CatalogueError, match="--split-by artist needs to know artists"):
        find(music, CatalogueOptions(split_by="artist"))
    with pytest.raises(CatalogueError, match="--split-by track is for data without splits"):
        find(real_music, CatalogueOptions(split_by="track"))
    with pytest.raises(CatalogueError, match=r"has not fma_metadata/tracks.csv.*--layout fma asks"):
        find(music, CatalogueOptions(layout="fma"))
