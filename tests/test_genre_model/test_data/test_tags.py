"""What files say of themselves: every kind of tag, cleaned genres, and what is no tag."""

from __future__ import annotations

import io
from collections.abc import Mapping

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tagged_audio import ape, flac, id3v1, id3v2, sound, wav

from genre_model.data.catalogue import CleanedGenre
from genre_model.data.left_out import LeftOut
from genre_model.data.tagged_files import catalogue_tags
from genre_model.data.tags.file_tags import LONGEST_TEXT, FileTags
from genre_model.data.tags.genre_map import GenreMap, built_in_map, one_spelling
from genre_model.data.tags.reading import read_tags
from genre_model.errors import CatalogueError

TAGS = {"title": "Größe", "artist": "Sigur Rós", "album": "One", "genre": "Post-Rock"}


@pytest.fixture(scope="module")
def mp3() -> bytes:
    return sound("MP3", rate=44_100)


def read(content: bytes, name: str = "a.mp3") -> FileTags:
    return read_tags(io.BytesIO(content), name=name)


def told(tags: FileTags) -> dict[str, str]:
    return {name: getattr(tags, name) for name in ("title", "artist", "album")} | {
        "genre": " / ".join(tags.genres)
    }


@pytest.mark.parametrize("encoding", [0, 1, 3])
def test_id3v2_in_every_encoding(mp3: bytes, encoding: int) -> None:
    found = read(id3v2({**TAGS, "album_artist": "X"}, encoding=encoding) + mp3)
    assert told(found) == TAGS
    assert found.album_artist == "X"
    assert found.sample_rate == 44_100
    assert 0.1 < found.seconds < 0.5
    assert found.bit_rate > 8_000


def test_other_tags(mp3: bytes) -> None:
    assert told(read(mp3 + id3v1(TAGS, genre=17))) == {**TAGS, "genre": "Rock"}
    assert told(read(mp3 + ape(TAGS))) == TAGS
    assert told(read(mp3 + ape(TAGS, picture=99_999) + id3v1({}))) == TAGS
    assert told(read(flac(TAGS, sound("FLAC")), "a.flac")) == TAGS
    assert told(read(wav(TAGS, sound("WAV")), "a.wav")) == TAGS
    both = read(id3v2({"genre": "Jazz"}) + mp3 + ape({**TAGS, "album_artist": "X"}))
    assert (both.genres, both.artist, both.album_artist) == (("Jazz",), "Sigur Rós", "X")


def test_several_genres_and_numbers_of_id3v1(mp3: bytes) -> None:
    assert read(id3v2({"genre": "Ska\0Punk"}) + mp3).genres == ("Ska", "Punk")
    assert read(id3v2({"genre": "(17)"}) + mp3).genres == ("Rock",)
    assert read(mp3 + ape({"genre": "17\0Dub"})).genres == ("17", "Dub")


def test_what_is_no_tag_or_a_bad_one(mp3: bytes) -> None:
    assert read(mp3).says_nothing
    assert read(b"", "a.flac").says_nothing
    assert read(sound("AU"), "a.au") == FileTags()
    damaged = read(b"OggS" + b"\xff" * 99, "a.ogg")
    assert damaged.fault == "damaged_tags"
    assert read(id3v2(TAGS)[:40] + mp3).detail == ""
    bad = read(id3v2({"title": "a\nb\ud800", "artist": "x" * 9_999}, encoding=1) + mp3)
    assert bad.title.encode().startswith(b"a b")
    assert len(bad.artist) == LONGEST_TEXT
    assert read(mp3 + b"\0" * 16 + b"APETAGEX" + b"\xff" * 24).says_nothing


def test_a_picture_of_fifty_megabytes_is_not_read(mp3: bytes) -> None:
    class Counting(io.BytesIO):
        count = 0

        def read(self, size: int | None = -1, /) -> bytes:
            part = super().read(size)
            self.count += len(part)
            return part

    file = Counting(id3v2(TAGS, picture=50 * 2**20) + mp3)
    assert told(read_tags(file, name="a.mp3")) == TAGS
    assert file.count < 2**20


@given(st.binary(max_size=300), st.sampled_from(["mp3", "flac", "ogg", "wav", "aiff", "opus"]))
@settings(max_examples=60, deadline=None)
def test_no_bytes_are_an_error(content: bytes, suffix: str) -> None:
    marks = {"flac": b"fLaC", "ogg": b"OggS", "wav": b"RIFF\0\0\0\0WAVE", "aiff": b"FORM"}
    found = read(marks.get(suffix, b"ID3") + content, f"a.{suffix}")
    assert FileTags.from_dict(found.to_dict()) == found


@pytest.mark.parametrize(
    ("written", "genre"),
    [
        (["hip hop"], "Hip-Hop"),
        (["HipHop/Rap"], "Hip-Hop"),
        (["17"], "Rock"),
        (["Nu Jazz", "Rock"], "Rock"),  # the first that the table knows
        (["Seapunk; Ambient"], "Ambient"),
        (["Pop/Funk"], "Pop/Funk"),
        (["Rock/Pop"], "Rock"),
        (["Seapunk/Vaporwave"], "Seapunk/Vaporwave"),
        (["Seapunk;Vaporwave"], "Seapunk"),
        (["Other", "Seapunk"], "Seapunk"),
        (["Unknown"], ""),
        ([], ""),
    ],
)
def test_the_built_in_table_cleans_genres(written: list[str], genre: str) -> None:
    assert built_in_map().choose(written) == genre


def test_a_table_of_ones_own_wins() -> None:
    table = b"\xef\xbb\xbffrom;to\r\nRock;Guitars\r\nSKA;\r\n*;Rest\r\n"
    mapped = built_in_map().with_table(table, name="map.csv")
    written = ("rock", "ska", "Seapunk", "Jazz", "Unknown")
    assert [mapped.choose([each]) for each in written] == ["Guitars", "", "Rest", "Jazz", ""]
    for wrong, said in (
        (b"from,to\nRock,A\n,B\nrock,C\n", "line 3 names no genre in the column from; line 4 mak"),
        (b"a,b\n", "lacks the columns from, to"),
    ):
        with pytest.raises(CatalogueError, match=said):
            GenreMap(names={}).with_table(wrong, name="map.csv")


def test_spellings_are_made_one() -> None:
    found = one_spelling(["Sea Punk", "seapunk", "Sea Punk", "日本", "?!"])
    assert found == {"Sea Punk": "Sea Punk", "seapunk": "Sea Punk", "日本": "日本", "?!": "?!"}


def of(tags: Mapping[str, FileTags]) -> tuple[list[tuple[str, str]], LeftOut, int]:
    """Make a catalogue, and give its tracks with their genres, what is left out, unlabelled."""
    found = catalogue_tags(
        tags, data_set="music", data="/music", genre_map=built_in_map(), left_out=LeftOut()
    )
    pairs = sorted(zip(found.tracks["path"], found.tracks["genre"], strict=True))
    return pairs, found.left_out, found.unlabelled


def test_every_file_is_a_track_or_counted_with_its_reason() -> None:
    tags = {
        "a.mp3": FileTags(genres=("hip hop",), title="Song", artist="A feat. B"),
        "b.mp3": FileTags(genres=("Rock", "Pop"), album_artist="A", artist="Guest", album="One"),
        "c.mp3": FileTags(genres=("Unknown",), title="x"),
        "d.mp3": FileTags(title="no genre"),
        "e.wav": FileTags(seconds=9),
        "f.mp3": FileTags(fault="vanished"),
        "g.mp3": FileTags(fault="damaged_tags", detail="why"),
    }
    pairs, left_out, unlabelled = of(tags)
    assert pairs == [("a.mp3", "Hip-Hop"), ("b.mp3", "Rock")]
    reasons = {"damaged_tags": 1, "no_tags": 1, "vanished": 1, "genre_map": 1}
    assert left_out.counts == reasons
    assert unlabelled == 1
    assert left_out.sentences == (
        "left out, as their tags are damaged: g.mp3",
        "left out, as they have no tags: e.wav",
        "left out, as gone while they were read: f.mp3",
        "left out, as the table of genres says: Unknown (1)",
    )
    found = catalogue_tags(
        tags, data_set="music", data="/music", genre_map=built_in_map(), left_out=LeftOut()
    )
    tracks = found.tracks.set_index("path")
    assert tracks["artist_id"]["a.mp3"] == tracks["artist_id"]["b.mp3"]
    assert tracks["artist"].to_dict() == {"a.mp3": "A feat. B", "b.mp3": "Guest"}
    assert tracks["title"].to_dict() == {"a.mp3": "Song", "b.mp3": "b"}
    assert found.several_genres == 1
    assert found.cleaned == (
        CleanedGenre(written="Rock / Pop", genre="Rock", tracks=1),
        CleanedGenre(written="hip hop", genre="Hip-Hop", tracks=1),
    )


def test_a_library_without_any_genre_is_refused_in_one_sentence() -> None:
    with pytest.raises(CatalogueError) as refusal:
        of({"a.mp3": FileTags(title="x"), "b.wav": FileTags()})
    assert str(refusal.value) == (
        "none of the 2 audio files of /music has a genre in its tags (left out, as they have no "
        "tags: b.wav); write genres into them, or give a table of paths and genres (--data "
        "tracks.csv)"
    )
