"""A library of tagged files as it is found: catalogue, splits, and tags that are kept."""

from __future__ import annotations

from pathlib import Path

import pytest
from tagged_audio import flac, id3v2, sound, wav

from genre_model.data.folder import CatalogueOptions
from genre_model.errors import CatalogueError
from storage.places.address import parse_location, resolve
from storage.places.bucket import Bucket
from storage.store import Store
from tasks.catalogue import FoundCatalogue, find_catalogue, store_catalogue
from tasks.finding import file_tags
from tasks.finding.asked_tracks import asked_tracks, catalogue_options
from tasks.worker.audio_files import read_audio

TAGS = CatalogueOptions(layout="tags")


def tags(artist: int, genre: str, album: str = "") -> dict[str, str]:
    told = {"artist": f"Artist {artist}", "genre": genre, "album": album, "title": f"{artist}"}
    return {name: text for name, text in told.items() if text}


@pytest.fixture
def library(tmp_path: Path) -> Path:
    """Make a tree of Artist/Album/: a compilation of three artists, and what is no track."""
    folder = tmp_path / "My Music"
    audio = {kind: sound(kind) for kind in ("MP3", "FLAC", "WAV")}
    for artist in range(12):
        genre = ("hip hop", "Rock")[artist % 2]
        album = "A Compilation" if artist < 3 else f"Album {artist}"
        place = folder / f"Artist {artist}" / album
        place.mkdir(parents=True)
        told = tags(artist, genre, album)
        (place / "1.mp3").write_bytes(id3v2(told) + audio["MP3"])
        (place / "2.flac").write_bytes(flac(told, audio["FLAC"]))
        (place / "3.wav").write_bytes(wav(told, audio["WAV"]))
    (folder / "cover.jpg").write_bytes(b"x")
    (folder / "untagged.wav").write_bytes(audio["WAV"])
    return folder


def find(folder: Path, store: Path | None = None) -> FoundCatalogue:
    place = None if store is None else parse_location(store)
    return find_catalogue.fn(parse_location(folder), options=TAGS, store=place)


def test_artists_and_albums_are_in_one_split(library: Path) -> None:
    found = find(library)
    tracks = found.catalogue.tracks
    assert len(tracks) == 36
    assert found.catalogue.genres == ["Hip-Hop", "Rock"]
    assert found.catalogue.left_out.counts == {".jpg": 1, "no_tags": 1}
    drawn = found.catalogue.drawn
    assert drawn is not None
    assert (drawn.by, drawn.groups, drawn.largest) == ("artist", 10, 9)
    assert (tracks.groupby("artist_id")["split"].nunique() == 1).all()
    assert (tracks.groupby("album_id")["split"].nunique() == 1).all()
    assert (tracks.groupby("genre")["split"].nunique() == 3).all()
    assert found.catalogue.shared_artists == 0
    assert set(found.audio) == set(tracks["path"])


def test_tags_of_unchanged_files_are_read_once(
    library: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = Store.create(tmp_path / "store")
    first = find(library, tmp_path / "store")
    store_catalogue.fn(store, first)
    read: list[str] = []
    true = file_tags._read
    monkeypatch.setattr(
        file_tags, "_read", lambda place, entry: (read.append(place.name), true(place, entry))[1]
    )
    again = find(library, tmp_path / "store")
    assert (again.catalogue.id, read) == (first.catalogue.id, [])
    place = library / "Artist 5" / "Album 5"
    (place / "1.mp3").write_bytes(id3v2(tags(5, "Polka", "Album 5")) + sound("MP3"))
    (place / "2.flac").unlink()
    assert find(library, tmp_path / "store").catalogue.genres == ["Hip-Hop", "Polka", "Rock"]
    assert read == ["1.mp3"]
    table = next((tmp_path / "store" / "tags").iterdir())
    table.write_bytes(b"damaged")
    assert [key for key, _ in store.verify()] == [f"tags/{table.name}"]
    assert len(find(library, tmp_path / "store").catalogue.tracks) == 35  # and is read anew


def test_a_file_that_vanishes_while_it_is_read_is_counted(
    library: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    true = file_tags._opened

    def gone(place: object, entry: object) -> object:
        if "Artist 7" in str(place):
            raise FileNotFoundError(str(place))
        return true(place, entry)  # type: ignore[arg-type]

    monkeypatch.setattr(file_tags, "_opened", gone)
    counts = find(library).catalogue.left_out.counts
    assert counts == {".jpg": 1, "vanished": 3, "no_tags": 1}


def test_a_buckets_files_are_read_in_parts(library: Path, bucket: Bucket) -> None:
    for path in ("Artist 0/A Compilation/1.mp3", "Artist 1/A Compilation/2.flac", "cover.jpg"):
        (bucket / path).write_bytes((library / path).read_bytes())
    found = find_catalogue.fn(bucket, options=TAGS).catalogue
    assert sorted(found.tracks["genre"]) == ["Hip-Hop", "Rock"]
    assert sorted(found.tracks["artist"]) == ["Artist 0", "Artist 1"]


def test_a_table_names_files_anywhere(library: Path, bucket: Bucket) -> None:
    song, third = "Artist 0/A Compilation/1.mp3", (bucket / "third.flac")
    third.write_bytes(sound("FLAC"))
    elsewhere = library / "Artist 1/A Compilation/2.flac"
    table = library / "my songs.csv"
    rows = [f"{song};Rock", f"{elsewhere};Jazz", f"{third.uri};Jazz", "no.mp3;Jazz"]
    table.write_text("\ufeffpath;genre\r\n" + "\r\n".join(rows) + "\r\n", newline="")
    monkey = pytest.MonkeyPatch()
    with monkey.context() as patch:
        patch.setattr("storage.places.bucket.given_options", lambda: bucket.options)
        found = find_catalogue.fn(parse_location(table))
        assert found.layout == "table"
        assert found.catalogue.data_set == "my-songs"
        assert set(found.audio) == {song, str(elsewhere), third.uri}
        assert found.attributes["data"] == str(table)
        for path, entry in found.audio.items():
            with read_audio(found.base, path, size=entry.size) as audio:
                assert audio.content == resolve(found.base, path).read_bytes()
        in_folder = library / "tracks.csv"
        table.rename(in_folder)
        assert find_catalogue.fn(parse_location(library)).catalogue.data_set == "my-music"


def test_a_map_of_genres_that_is_not_there_is_said(tmp_path: Path) -> None:
    asked = asked_tracks(None, "tags", None, str(tmp_path / "no.csv"), 1)
    with pytest.raises(CatalogueError, match=r"^--genre-map .*no\.csv is not there; name a CSV"):
        catalogue_options(**asked)
    (tmp_path / "no.csv").write_text("from,to\nska,Rock\n")
    options = catalogue_options(**asked)
    assert options.genre_map is not None
    assert options.genre_map.choose(["SKA"]) == "Rock"
