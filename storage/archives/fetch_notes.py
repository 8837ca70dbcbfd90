"""What was noted of fetched files: a part each while they are unpacked, one list at the end."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from typing import NamedTuple

from storage.archives.guards import is_hidden
from storage.archives.members import Member
from storage.errors import NotFound
from storage.places.location import Entry, Location

_READERS = 8


class FileNote(NamedTuple):
    """One file as it was written.

    Attributes
    ----------
    name : str
        Path below the archive's folder.
    size, crc : int
    sha1 : str
    etag : str
        Of its `Entry`: another one once it is written again.
    """

    name: str
    size: int
    crc: int
    sha1: str
    etag: str

    def fits(self, member: Member) -> bool:
        """Whether it is that member's content."""
        return (self.size, self.crc) == (member.size, member.crc)

    def still_is(self, entry: Entry | None) -> bool:
        """Whether the file is as it was noted."""
        return entry is not None and (entry.size, entry.etag) == (self.size, self.etag)


@dataclass(frozen=True, kw_only=True)
class Fetched:
    """One archive that was fetched whole.

    Attributes
    ----------
    source : str
        The address it came from.
    digest : str
        Of its contents.
    sha1 : str
        That the archive must have.
    verified : tuple[str, ...]
        What was compared: `sha1` of the archive, `crc32` of every file, `checksums` (the list in
        the archive).
    remarks : tuple[str, ...]
        What a person must know of it, a sentence each.
    files : tuple[FileNote, ...]
    """

    source: str
    digest: str
    sha1: str
    verified: tuple[str, ...]
    remarks: tuple[str, ...] = ()
    files: tuple[FileNote, ...] = field(default=(), repr=False)

    def still_is(self, there: Mapping[str, Entry]) -> bool:
        """Whether every file is as it was noted."""
        return all(note.still_is(there.get(note.name)) for note in self.files)


def note_part(notes: Location, *, digest: str, number: int, files: Sequence[FileNote]) -> None:
    """Note the files of a part, once they are written."""
    (notes / "parts" / f"{digest}-{number:06d}.json").write_bytes(json.dumps(files).encode())


def read_notes(notes: Location) -> dict[str, FileNote]:
    """Read all that was noted of one archive's files, by name."""
    fetched = read_fetched(notes)
    found = {note.name: note for note in fetched.files} if fetched else {}
    places = [notes / "parts" / entry.name for entry in (notes / "parts").list()]
    with ThreadPoolExecutor(_READERS) as pool:
        for part in pool.map(_read_part, places):
            found.update((note.name, note) for note in part)
    return found


def _read_part(place: Location) -> list[FileNote]:
    try:
        return [FileNote(*line) for line in json.loads(place.read_bytes())]
    except (NotFound, ValueError, TypeError):
        return []


def read_fetched(notes: Location) -> Fetched | None:
    """Read what was noted at the end of a fetch; None if there was none."""
    try:
        content = json.loads((notes / "fetched.json").read_bytes())
        files = tuple(FileNote(*line) for line in content.pop("files"))
        lists = {name: tuple(content.get(name, ())) for name in ("verified", "remarks")}
        return Fetched(**{**content, **lists, "files": files})
    except (NotFound, ValueError, TypeError, KeyError):
        return None


def note_fetched(notes: Location, fetched: Fetched) -> None:
    """Note a whole fetch; the notes of its parts are deleted."""
    (notes / "fetched.json").write_bytes(json.dumps(asdict(fetched)).encode())
    forget_parts(notes)


def note_archive(notes: Location, archive: Entry, *, sha1: str) -> None:
    """Note the sha1 of an archive that is kept, so that it need not be hashed again."""
    content = {"size": archive.size, "etag": archive.etag, "sha1": sha1}
    (notes / "archive.json").write_bytes(json.dumps(content).encode())


def read_archive_sha1(notes: Location, archive: Entry) -> str | None:
    """Return the sha1 that was noted of an archive, None if it changed since."""
    try:
        found = json.loads((notes / "archive.json").read_bytes())
        known = (found["size"], found["etag"]) == (archive.size, archive.etag)
        return str(found["sha1"]) if known else None
    except (NotFound, ValueError, TypeError, KeyError):
        return None


def forget_parts(notes: Location) -> None:
    """Delete the notes of parts."""
    for entry in (notes / "parts").list():
        (notes / "parts" / entry.name).delete()


def compare_listed(
    listing: str, files: Iterable[FileNote], *, root: str
) -> tuple[list[str], list[str]]:
    """Compare files with a list in the form of `sha1sum`.

    Parameters
    ----------
    listing : str
        Lines of 40 hex digits, two signs (the second a space or `*`), and a path relative to the
        list's folder, or to the one above; empty lines, comments (`#`) and hidden files count
        for nothing.
    files : iterable of FileNote
    root : str
        The list's folder.

    Returns
    -------
    list[str]
        Listed names with another sha1, or that are not there.
    list[str]
        Files that are not listed.
    """
    known = {note.name: note.sha1 for note in files}
    listed = list(_listed_hashes(listing, root))
    wrong = [name for name, sha1 in listed if known.get(name) != sha1 and not is_hidden(name)]
    return wrong, sorted(known.keys() - dict(listed).keys())


def _listed_hashes(listing: str, root: str) -> Iterator[tuple[str, str]]:
    for line in listing.removeprefix("\ufeff").splitlines():
        sha1, _, name = line.partition(" ")
        name = name.removeprefix("*").removeprefix(" ").removeprefix("./").removeprefix(f"{root}/")
        if name and not line.startswith("#"):
            yield name, sha1.lower()
