"""The table of layouts: who takes which folder, in which order, and asking what of it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

import pytest
from test_catalogue import row, tracks_csv

from genre_model.data.catalogue import Catalogue
from genre_model.data.fma_layout import DEMO_MARK
from genre_model.data.folder import CatalogueOptions, DataFolder, Oddity
from genre_model.data.layouts import LAYOUTS, forms, name_of, recognise, remedies_of
from genre_model.data.remedies import UNKNOWN, Remedies
from genre_model.errors import CatalogueError

TABLE = tracks_csv({2: row("Rock"), 3: row("Pop"), 5: row("", track_genres="[12]")})
GENRES_CSV = b"genre_id,#tracks,parent,title,top_level\n12,2,0,Rock,12\n"


@dataclass
class Files:
    """A data folder that is a dictionary, and what was asked of it."""

    content: Mapping[str, bytes]
    asked: list[str] = field(default_factory=list)
    odd: tuple[Oddity, ...] = ()
    uri: str = "s3://music/My Set"
    local_path: Path | None = None

    def folders(self) -> Collection[str]:
        self.asked.append("folders")
        return sorted({path.split("/", 1)[0] for path in self.content if "/" in path})

    def files(self, below: str = "") -> Collection[str]:
        self.asked.append(f"files {below}".strip())
        return sorted(
            path for path in self.content if path.startswith(f"{below}/" if below else "")
        )

    def oddities(self, below: str = "") -> Collection[Oddity]:
        return [each for each in self.odd if each.path.startswith(f"{below}/" if below else "")]

    def has(self, path: str) -> bool:
        self.asked.append(f"has {path}")
        return path in self.content

    def read(self, path: str) -> bytes:
        if path not in self.content:
            raise FileNotFoundError(path)
        return self.content[path]


def files(*names: str, **tables: bytes) -> Files:
    """Give a folder of files of a byte, and of FMA's tables by their name without suffix."""
    content = {f"fma_metadata/{name}.csv": table for name, table in tables.items()}
    return Files(dict.fromkeys(names, b"x") | content)


def catalogue(folder: DataFolder, subset: str | None = None) -> Catalogue:
    options = CatalogueOptions(subset=subset)
    return recognise(folder, options=options).catalogue(folder, options=options)


def test_fmas_layout_is_tables_beside_folders() -> None:
    folder = files("fma_small/000/000002.mp3", "fma_full/000/000003.mp3", "x/a.mp3", tracks=TABLE)
    found = catalogue(folder)
    assert (found.data_set, found.subset, found.unlabelled, found.derived) == ("fma", "full", 1, 0)
    assert found.tracks["path"].tolist() == ["fma_small/000/000002.mp3", "fma_full/000/000003.mp3"]
    assert "files" not in folder.asked  # what lies beside the subsets' folders is not listed
    assert "files x" not in folder.asked
    assert catalogue(folder, "small").subset == "small"


def test_what_lies_in_fmas_folders_and_belongs_to_no_row_is_counted() -> None:
    """A row without a genre is counted as such, and a second copy is its row's."""
    clips = ("small/000/000002", "full/000/000002", "small/000/000003", "small/000/000005")
    folder = files(*(f"fma_{clip}.mp3" for clip in clips), tracks=TABLE)
    assert catalogue(folder, "small").left_out.counts == {}
    others = ("fma_small/README.txt", "fma_small/checksums", "fma_small/000/000009.mp3", "x/a.mp3")
    folder.content = {**folder.content, **dict.fromkeys(others, b"x")}
    pipe = Oddity(path="fma_small/000/pipe.mp3", reason="no_regular_file", why="it is no file")
    folder.odd = (pipe, Oddity(path="x/pipe", reason="no_regular_file", why="it is no file"))
    found = catalogue(folder, "small")
    assert found.left_out.suffixes == {".mp3": 1, ".txt": 1, "no_suffix": 1}
    assert found.left_out.oddities == (pipe,)


def test_its_tables_decide_what_is_derived_and_whose_it_is() -> None:
    found = catalogue(files("fma_small/a", DEMO_MARK, tracks=TABLE, genres=GENRES_CSV))
    assert (found.data_set, found.unlabelled, found.derived) == ("demo", 0, 1)
    with pytest.raises(CatalogueError, match=r"^s3://music/My Set/fma_metadata/genres\.csv is not"):
        catalogue(files("fma_small/a", tracks=TABLE, genres=b"<html>"))
    with pytest.raises(CatalogueError, match=r"^s3://music/My Set/fma_metadata/tracks\.csv is not"):
        catalogue(files("fma_small/a", tracks=b"<html>"))
    with pytest.raises(CatalogueError, match="none of the folders fma_small, fma_medium"):
        recognise(files("x/a.mp3", tracks=TABLE), options=CatalogueOptions())


def test_of_a_local_folder_the_header_alone_is_read_at_first(tmp_path: Path) -> None:
    (tmp_path / "fma_metadata").mkdir()
    header = b"".join(TABLE.splitlines(keepends=True)[:3])
    folder = Files(
        {"fma_metadata/tracks.csv": header, "fma_small/a": b"x"},
        uri=str(tmp_path),
        local_path=tmp_path,
    )
    (tmp_path / "fma_metadata/tracks.csv").write_bytes(header + b"\xff not to be read yet")
    recognise(folder, options=CatalogueOptions())
    (tmp_path / "fma_metadata/tracks.csv").write_bytes(header.replace(b"track_id", b"id"))
    with pytest.raises(CatalogueError, match="third line does not begin with 'track_id'"):
        recognise(folder, options=CatalogueOptions())


def test_folders_of_genres_are_called_after_the_folder() -> None:
    found = catalogue(files("rock/a.mp3", "rock/deep/b.wav", "pop/a.ogg", "notes/a.txt"))
    assert (found.data_set, found.subset, found.genres) == ("my-set", "full", ["pop", "rock"])
    with pytest.raises(CatalogueError, match=r"--subset small is for FMA's layout, and s3://music"):
        catalogue(files("rock/a.mp3", "pop/a.mp3"), "small")


@pytest.mark.parametrize(
    ("names", "said"),
    [
        ([], "is empty or not there; name a folder of FMA's layout or with a table of paths and"),
        (["README"], "has neither fma_metadata/tracks.csv (FMA's layout) nor a table tracks.csv"),
        (["rock/a.mp3", "fma_small/000/1.mp3"], "has fma_small but no fma_metadata/tracks.csv;"),
    ],
)
def test_what_fits_none_is_refused_by_what_the_table_looks_for(names: list[str], said: str) -> None:
    with pytest.raises(CatalogueError) as refusal:
        recognise(files(*names), options=CatalogueOptions())
    assert str(refusal.value).startswith(f"--data s3://music/My Set {said}")


def test_a_folder_of_other_formats_is_told_which_are_read() -> None:
    with pytest.raises(CatalogueError) as refusal:
        recognise(files("rock/a.m4a", "pop/b.WMA", "c.jpg"), options=CatalogueOptions())
    assert str(refusal.value).endswith(
        "or `demo`; 2 files are of a format that is not read (1 .m4a, 1 .wma): WAV, AIFF, AU, CAF, "
        "W64, FLAC, MP3, Ogg Vorbis and Opus are read; convert it, as by `ffmpeg -i X X.flac`"
    )
    nameless = Oddity(path="rock/caf\udce9.wav", reason="name", why="its name is not UTF-8")
    with pytest.raises(CatalogueError, match=r"has neither.*not UTF-8: rock/caf\\xe9\.wav"):
        recognise(Files({}, odd=(nameless,)), options=CatalogueOptions())


class Playlists:
    """A further layout: a list of paths by genre."""

    LOOKS_FOR = "a file genres.m3u (playlists)"
    FORM = "with playlists"
    EXAMPLE = "genres.m3u"

    @staticmethod
    def remedies(subset: str) -> Remedies:
        return Remedies(genres="write another playlist", split=f"lengthen those of {subset}")

    @staticmethod
    def fits(folder: DataFolder) -> bool:
        return folder.has("genres.m3u")

    @staticmethod
    def lacks(folder: DataFolder) -> str | None:
        others = [path for path in folder.files() if PurePosixPath(path).suffix == ".m3u"]
        return f"has {others[0]} but no genres.m3u; rename it" if others else None

    @staticmethod
    def check(folder: DataFolder, *, options: CatalogueOptions) -> None:
        pass

    @staticmethod
    def catalogue(folder: DataFolder, *, options: CatalogueOptions) -> Catalogue:
        return LAYOUTS["folders"].catalogue(folder, options=options)


def test_a_further_layout_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(LAYOUTS, "playlists", Playlists())
    assert forms().startswith("of FMA's layout (fma_metadata/tracks.csv, fma_small/…) or with a ")
    assert forms().endswith("--layout tags) or with playlists (genres.m3u)")
    options = CatalogueOptions()
    assert recognise(files("genres.m3u"), options=options) is LAYOUTS["playlists"]
    assert recognise(files("a/a.mp3", "genres.m3u"), options=options) is LAYOUTS["folders"]
    assert name_of(LAYOUTS["playlists"]) == "playlists"
    assert remedies_of("playlists", subset="full").split == "lengthen those of full"
    with pytest.raises(CatalogueError, match=r"^--data .*Set has my\.m3u but no genres\.m3u; ren"):
        recognise(files("my.m3u"), options=options)
    with pytest.raises(CatalogueError) as refusal:
        recognise(files("README"), options=options)
    said = str(refusal.value)
    assert all(layout.LOOKS_FOR in said and layout.FORM in said for layout in LAYOUTS.values())
    assert said.startswith("--data s3://music/My Set has neither fma_metadata/tracks.csv (FMA's")
    assert " nor one folder a genre with audio in it (rock/song.mp3; WAV, AU, AIFF, FLAC" in said
    assert said.endswith(" or of files with tags or with playlists, or `demo`")


def test_every_layout_has_words_of_its_own_for_what_its_catalogue_lacks() -> None:
    words = {name: remedies_of(name, subset="small") for name in LAYOUTS}
    assert len(set(words.values())) == len(LAYOUTS)
    assert "tracks.csv" in words["fma"].split
    assert "--subset" in words["fma"].genres
    for said in (words["folders"], words["tags"], UNKNOWN):
        assert not any(word in f"{said}" for word in ("tracks.csv", "subset", "fma"))
    assert "larger" not in f"{remedies_of('fma', subset='full')}"
    for unknown in (None, "of-a-later-version"):
        assert remedies_of(unknown, subset="small") is UNKNOWN
