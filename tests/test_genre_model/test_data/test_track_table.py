"""Tables of paths and genres, however they were saved; all that is wrong at once, by line."""

from __future__ import annotations

import io
import json

import pandas as pd
import pytest
from test_layouts import Files

from genre_model.data import track_table
from genre_model.data.catalogue import COLUMNS, Catalogue
from genre_model.data.drawing.names import album_number, artist_number
from genre_model.data.drawing.path_hash import track_id
from genre_model.data.folder import CatalogueOptions
from genre_model.data.layouts import LAYOUTS, recognise
from genre_model.errors import CatalogueError

ROWS = [
    {"path": "rock/a.mp3", "genre": "Rock", "artist": "Björk feat. X", "album": "One"},
    {"path": "/music/b.flac", "genre": "Rock", "artist": "BJÖRK", "album": "Two"},
    {"path": "s3://bucket/c.ogg", "genre": "Hip-Hop/Rap", "artist": "", "title": 'a;b, "c"\nd'},
    {"path": "sub/../d.wav", "genre": "", "artist": "", "license": "CC0"},
]


def saved(kind: str) -> bytes:
    """Save the rows as people do."""
    table = pd.DataFrame(ROWS)
    if kind == "parquet":
        file = io.BytesIO()
        table.to_parquet(file)
        return file.getvalue()
    if kind == "jsonl":
        return "\n".join(map(json.dumps, ROWS)).encode() + b"\n\n"
    text = table.to_csv(index=False, sep={"excel": ";", "wide": "\t"}.get(kind, ","))
    if kind == "excel":
        return b"\xef\xbb\xbfsep=;\r\n" + text.replace("\n", "\r\n").encode()
    return text.encode("utf-16" if kind == "wide" else "utf-8")


def found(content: bytes, name: str = "tracks.csv", **options: str) -> Catalogue:
    wanted = CatalogueOptions(**options)  # type: ignore[arg-type]
    folder = Files({name: content}, uri="/music/My Set")
    layout = recognise(folder, options=wanted)
    assert layout is LAYOUTS["table"]
    return layout.catalogue(folder, options=wanted)


@pytest.mark.parametrize("kind", ["csv", "excel", "wide", "parquet", "jsonl"])
def test_one_table_however_it_was_saved(kind: str) -> None:
    read = found(saved(kind), f"tracks.{kind if kind in ('parquet', 'jsonl') else 'csv'}")
    tracks = read.tracks.set_index("path")
    assert tuple(read.tracks.columns) == COLUMNS
    assert (read.data_set, read.unlabelled, len(tracks)) == ("my-set", 1, 3)
    assert tracks["genre"].to_dict() == {
        "rock/a.mp3": "Rock",
        "/music/b.flac": "Rock",
        "s3://bucket/c.ogg": "Hip-Hop/Rap",
    }
    assert tracks["track_id"]["rock/a.mp3"] == track_id("rock/a.mp3")
    assert tracks["artist_id"]["rock/a.mp3"] == tracks["artist_id"]["/music/b.flac"]
    assert pd.isna(tracks["artist_id"]["s3://bucket/c.ogg"])
    assert tracks["title"]["s3://bucket/c.ogg"].replace("\r", "") == 'a;b, "c"\nd'
    assert not read.brings_splits
    assert read.id == found(saved("csv")).id


def test_splits_and_numbers_that_it_brings_are_kept() -> None:
    text = "PATH, Genre ,split,track_id\na.mp3,A,Train,7\nb.mp3,B,val,007123\nc.mp3,A,test,\n"
    tracks = found(text.encode()).tracks.set_index("path")
    assert tracks["split"].to_dict() == {"a.mp3": "training", "b.mp3": "validation"} | {
        "c.mp3": "test"
    }
    assert tracks["track_id"].to_dict() == {"a.mp3": 7, "b.mp3": 7123, "c.mp3": track_id("c.mp3")}
    with pytest.raises(CatalogueError, match=r"^--split-by artist is for data without splits, and"):
        found(text.encode(), split_by="artist")


def test_wrong_rows_come_together_with_their_lines() -> None:
    text = (
        "path,genre,split,track_id\n"
        ",Rock,training,1\n"
        '"x\ny.mp3",Rock,later,2\n'
        "a.mp3,Rock,test,-3\n"
        "sub/../a.mp3,Rock,,5\n"
        "\n"
        "http://x/b.mp3,Rock,test,5,6\n"
        "ftp://x/b.mp3,Rock,test,05\n"
    )
    with pytest.raises(CatalogueError) as refusal:
        found(text.encode())
    said = str(refusal.value)
    assert said.startswith("/music/My Set/tracks.csv has 8 faults in its rows: line 2 has no path;")
    assert "line 3 has the split 'later' (one of training, validation, test)" in said
    assert "line 5 has the track_id '-3', which is no whole number" in said
    assert "line 6 has no split" in said
    assert "line 6 has the path of line 5 (a.mp3)" in said
    assert "line 8 has 5 cells for 4 columns" in said
    assert "line 9 has the path 'ftp://x/b.mp3', which is neither" in said
    assert said.endswith("line 9 has the track_id of line 6 (05); mend them")
    assert "\n" not in said
    many = "path,genre\n" + ",Rock\n" * 99
    with pytest.raises(CatalogueError, match=r"has 99 faults .*line 21 has no path; and 79 more; "):
        found(many.encode())


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("x.csv", b"file,genre\na,b\n", "lacks the column path (its columns: file, genre); its "),
        ("x.csv", b"", "lacks the columns path, genre (its columns: none); its first line must"),
        ("x.csv", b"path;genre\n\xe9.mp3;Rock", "is not UTF-8 text (line 2); save it as UTF-8, in"),
        ("x.csv", b"path,genre\na.mp3,\n", "names no track with a genre; fill its column genre"),
        ("x.parquet", b"PAR1", "is no Parquet table ("),
        ("x.jsonl", b"[]\n{", "lacks the columns path, genre (its columns: none)"),
        ("x.jsonl", b'{"path": "a", "genre": "b"}\n7', "has 1 wrong row: line 2 is no JSON object"),
    ],
)
def test_what_is_no_such_table_is_refused(name: str, content: bytes, said: str) -> None:
    with pytest.raises(CatalogueError) as refusal:
        catalogue_of_file(name, content)
    assert str(refusal.value).startswith(f"/music/{name} {said}")
    assert "\n" not in str(refusal.value)


def catalogue_of_file(name: str, content: bytes) -> Catalogue:
    """Read a table whose own address was given."""
    folder = Files({"": content}, uri=f"/music/{name}")
    layout = recognise(folder, options=CatalogueOptions())
    return layout.catalogue(folder, options=CatalogueOptions())


def test_a_table_by_its_own_address_is_called_after_itself() -> None:
    assert catalogue_of_file("Jazz 2.csv", saved("excel")).data_set == "jazz-2"
    assert catalogue_of_file("tracks.csv", saved("excel")).data_set == "music"


def test_two_tables_in_one_folder_and_a_table_that_is_not_there_are_refused() -> None:
    folder = Files({"tracks.csv": saved("csv"), "tracks.jsonl": b"x"}, uri="/music")
    with pytest.raises(CatalogueError, match=r"^/music has 2 tables, tracks.csv and tracks.jsonl"):
        recognise(folder, options=CatalogueOptions())
    with pytest.raises(CatalogueError, match=r"^--data /no/x.csv is not there; name a table, or "):
        recognise(Files({}, uri="/no/x.csv"), options=CatalogueOptions())
    with pytest.raises(CatalogueError, match=r"^--subset small is for FMA's layout, and /music is"):
        track_table.check(folder, options=CatalogueOptions(subset="small"))


def test_a_tracks_csv_of_another_form_beside_genres_is_no_table() -> None:
    folder = Files({"tracks.csv": b"track_id,title\n", "rock/a.mp3": b"", "ska/b.mp3": b""})
    assert recognise(folder, options=CatalogueOptions()) is LAYOUTS["folders"]


def test_names_make_numbers() -> None:
    assert artist_number(" Sigur  Rós ") == artist_number("sigur rós") != artist_number("sigur")
    assert artist_number("Various Artists") is artist_number("unknown") is artist_number("") is None
    assert album_number("Live", artist="A") != album_number("Live", artist="B")
    assert album_number("Now 7", artist="A") == album_number("Now 7", artist="B")
    assert album_number("Now 7", album_artist="Various") == album_number("now 7", artist="A")
    assert album_number("One", album_artist="A") != album_number("One", album_artist="B")
    assert album_number("Unknown Album", artist="A") is None
