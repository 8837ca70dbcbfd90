"""MTG-Jamendo's tables and GTZAN's artist-aware lists, as further layouts."""

from __future__ import annotations

import pytest
from test_layouts import Files

from genre_model.data.catalogue import Catalogue
from genre_model.data.folder import CatalogueOptions
from genre_model.data.layouts import LAYOUTS, name_of, recognise
from genre_model.data.tags.genre_map import GenreMap
from genre_model.errors import CatalogueError

HEADER = "TRACK_ID\tARTIST_ID\tALBUM_ID\tPATH\tDURATION\tTAGS"
LINES = (
    "track_0000214\tartist_000014\talbum_000031\t14/214.mp3\t124.6\tgenre---punkrock",
    "track_0000215\tartist_000014\talbum_000031\t15/215.mp3\t151.4\tgenre---seapunk\tgenre---jazz",
    "track_0000216\tartist_000015\talbum_000032\t16/216.mp3\t234.9\tmood---happy",
    "track_0000217\tartist_000016\talbum_000033\t17/217.mp3\t127.9\tgenre---hiphop",
)
META = "TRACK_ID\tARTIST_ID\tALBUM_ID\tTRACK_NAME\tARTIST_NAME\tALBUM_NAME\tRELEASEDATE\tURL"


def table(*lines: str, header: str = HEADER) -> bytes:
    return "\n".join([header, *lines, ""]).encode()


def jamendo(**tables: bytes) -> Files:
    """Give a folder of MTG-Jamendo, with `data/<name>.tsv` for each given; `__` is a slash."""
    content = {f"data/{name.replace('__', '/')}.tsv": each for name, each in tables.items()}
    audio = ("raw_30s/14/214.low.mp3", "raw_30s/15/215.low.mp3", "raw_30s/99/999.mp3", "README")
    known = {"data/autotagging_genre.tsv": table(*LINES)}
    return Files({**dict.fromkeys(audio, b"x"), **known, **content}, uri="/music/jamendo")


def found(folder: Files, options: CatalogueOptions = CatalogueOptions()) -> Catalogue:  # noqa: B008
    return recognise(folder, options=options).catalogue(folder, options=options)


def test_jamendos_tracks_have_the_first_genre_that_is_known() -> None:
    folder = jamendo(
        **{
            "raw.meta": table(
                "track_0000214\tartist_000014\talbum_000031\tA song\tSomebody\tX\t2004\thttp://x",
                header=META,
            )
        }
    )
    assert name_of(recognise(folder, options=CatalogueOptions())) == "jamendo"
    read = found(folder)
    tracks = read.tracks.set_index("track_id")
    assert tracks["genre"].to_dict() == {214: "Punk Rock", 215: "Jazz", 217: "Hip-Hop"}
    assert tracks["path"].to_dict() == {
        214: "raw_30s/14/214.low.mp3",
        215: "raw_30s/15/215.low.mp3",
        217: "17/217.mp3",  # which is not there, and so will be missing
    }
    assert tracks["artist_id"].to_dict() == {214: 14, 215: 14, 217: 16}
    assert (tracks["title"][214], tracks["artist"][214]) == ("A song", "Somebody")
    assert (read.unlabelled, read.several_genres, read.data_set) == (1, 1, "mtg-jamendo")
    assert not read.brings_splits
    assert read.left_out.counts[".mp3"] == 1
    mapped = GenreMap(names={}).with_table(b"from,to\nseapunk,Water\n", name="m.csv")
    assert "Water" in found(folder, CatalogueOptions(genre_map=mapped)).genres


def test_jamendos_own_splits_are_taken_and_the_rest_is_counted() -> None:
    splits = {
        f"splits__split-0__autotagging_genre-{word}": table(line)
        for word, line in zip(("train", "validation", "test"), LINES, strict=False)
    }
    read = found(jamendo(**splits))
    assert read.tracks.set_index("track_id")["split"].to_dict() == {
        214: "training",
        215: "validation",
    }
    assert read.left_out.counts["no_split"] == 1
    assert not found(jamendo(**splits), CatalogueOptions(split_by="artist")).brings_splits


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"a\tb\n", "is no table of MTG-Jamendo: its first line must begin with TRACK_ID, ARTIST"),
        (table("214\t14\t31\tx.mp3\t1\t"), r"has no track in line 2 \(TRACK_ID, ARTIST_ID, ALBUM"),
        (table(LINES[0], LINES[0]), "names track 214 in line 2 and in line 3; keep one"),
        (b"\xff", "is not UTF-8 text"),
    ],
)
def test_what_is_wrong_with_jamendos_table_is_said(content: bytes, said: str) -> None:
    with pytest.raises(CatalogueError, match=rf"^/music/jamendo/data/autotagging_genre.tsv {said}"):
        found(jamendo(autotagging_genre=content))


LISTS = {
    "train_filtered.txt": b"blues/blues.00029.wav\r\nrock/rock.00001.wav\n",
    "valid_filtered.txt": b"blues/blues.00001.au\n\n",
    "test_filtered.txt": b"rock/rock.00002.wav\nrock/rock.00099.wav\n",
}
SONGS = (
    *("genres/blues/blues.00029.au", "genres/blues/blues.00001.au", "genres/blues/blues.00050.au"),
    *("genres/rock/rock.00001.au", "genres/rock/rock.00002.au"),
)


def gtzan(*left_out: str, **more: bytes) -> Files:
    content = {name: each for name, each in LISTS.items() if name not in left_out}
    return Files({**dict.fromkeys(SONGS, b"x"), **content, **more}, uri="/music/GTZAN")


def test_gtzans_lists_say_which_song_is_where() -> None:
    read = found(gtzan())
    assert read.tracks.set_index("path")["split"].to_dict() == {
        "genres/blues/blues.00029.au": "training",
        "genres/rock/rock.00001.au": "training",
        "genres/blues/blues.00001.au": "validation",
        "genres/rock/rock.00002.au": "test",
    }
    assert (read.genres, read.data_set) == (["blues", "rock"], "gtzan")
    assert read.left_out.counts == {"no_split": 1}
    assert read.remarks == ()  # its lists keep artists apart, so none is said to be torn


def test_what_gtzans_lists_lack_is_said() -> None:
    with pytest.raises(CatalogueError, match=r"has not test_filtered.txt beside GTZAN's other"):
        recognise(gtzan("test_filtered.txt"), options=CatalogueOptions())
    with pytest.raises(CatalogueError, match=r"^--split-by track cannot be heard, as /music/GTZAN"):
        recognise(gtzan(), options=CatalogueOptions(split_by="track"))
    both = gtzan()
    both.content = {**both.content, "test_filtered.txt": LISTS["train_filtered.txt"]}
    with pytest.raises(CatalogueError, match=r"test_filtered.txt names in line 1 'blues/blues.000"):
        found(both)
    none = Files(LISTS, uri="/music/GTZAN")
    with pytest.raises(CatalogueError, match=r"^/music/GTZAN has none of the 5 songs that its li"):
        found(none)


def test_every_layout_is_tried_in_its_order() -> None:
    assert list(LAYOUTS) == ["fma", "table", "jamendo", "gtzan", "folders", "tags"]
