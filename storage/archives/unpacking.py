"""Members of an archive to files or objects, in parts that can be done anywhere and again.

    .fetch/<name>/parts/<digest>-<n, 6 digits>.json   written after the files of a part
    .fetch/<name>/fetched.json                        written when all parts are there and verified

What is there is told from a listing: a file with the size and the etag that were noted is not read
again. One that has the size but was not noted, as after a kill, is read and compared.
"""

import hashlib
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from storage.archives.archive_file import ArchiveFile
from storage.archives.contents import content_of
from storage.archives.fetch_notes import FileNote, note_part
from storage.archives.members import Contents, Member
from storage.places.location import Entry, Location

MEMBERS_A_PART = 64
BYTES_A_PART = 256 * 2**20
_READ = 4 * 2**20


@dataclass(frozen=True, kw_only=True)
class Part:
    """Members that one task unpacks.

    Attributes
    ----------
    digest : str
        Of the archive's contents.
    number : int
    members : tuple[Member, ...]
        In the order in which they lie in the archive.
    suspects : frozenset[str]
        Those of them that are there already, by size, but were not noted.
    known : tuple[FileNote, ...]
        What was noted of the part's other members.
    """

    digest: str
    number: int
    members: tuple[Member, ...]
    suspects: frozenset[str]
    known: tuple[FileNote, ...] = ()

    @property
    def size(self) -> int:
        """Bytes, unpacked."""
        return sum(member.size for member in self.members)

    @property
    def end(self) -> int:
        """The byte of the archive at which its last member ends."""
        return max(member.end for member in self.members)


@dataclass(frozen=True, kw_only=True)
class Unpacking:
    """What is to be unpacked, and what is done.

    Attributes
    ----------
    parts : tuple[Part, ...]
        To do.
    done : tuple[FileNote, ...]
        Files that are there and whole.
    """

    parts: tuple[Part, ...]
    done: tuple[FileNote, ...]

    @property
    def size(self) -> int:
        """Bytes to unpack or compare."""
        return sum(part.size for part in self.parts)


def plan_unpacking(
    contents: Contents,
    there: Mapping[str, Entry],
    notes: Mapping[str, FileNote],
    *,
    trust: bool = True,
) -> Unpacking:
    """Divide what is missing into parts.

    Parameters
    ----------
    contents : Contents
    there : Mapping
        Name -> entry of every file below the target.
    notes : Mapping
        Name -> what was noted of it.
    trust : bool
        Whether a file that is as it was noted counts as whole without being read.

    Returns
    -------
    Unpacking
        Parts are numbered by their first member's place in the archive: the same members make the
        same part in every run.
    """
    parts, done, digest = [], [], contents.digest
    for number, members in enumerate(_divided(contents.members)):
        left, known, suspects = [], [], set()
        for member in members:
            entry, note = there.get(member.name), notes.get(member.name)
            if trust and note and note.fits(member) and note.still_is(entry):
                known.append(note)
                continue
            left.append(member)
            if entry and entry.size == member.size:
                suspects.add(member.name)
        done.extend(known)
        if left:
            parts.append(
                Part(
                    digest=digest,
                    number=number,
                    members=tuple(left),
                    suspects=frozenset(suspects),
                    known=tuple(known),
                )
            )
    return Unpacking(parts=tuple(parts), done=tuple(done))


def write_members(
    file: ArchiveFile,
    part: Part,
    *,
    target: Location,
    notes: Location,
    on_bytes: Callable[[int], None] = lambda _done: None,
) -> tuple[int, int]:
    """Write the members of one part, each whole or not at all, then note them.

    Parameters
    ----------
    file : ArchiveFile
    part : Part
    target : Location
        The folder of the archive, as DATA/fma_small.
    notes : Location
        Where it is noted, as DATA/.fetch/fma_small.
    on_bytes : callable
        Called with the bytes done, after each piece of a member.

    Returns
    -------
    tuple[int, int]
        Files that were written, and those that were there.

    Raises
    ------
    BadArchive
        If a member is damaged; those before it stay.
    StorageError
    """
    found, written, done = [], 0, 0
    for member in part.members:
        place = target / member.name
        note = _compare(place, member) if member.name in part.suspects else None
        if note is None:
            note = _write(content_of(file, member), member, place, done, on_bytes)
            written += 1
        found.append(note)
        done += member.size
        on_bytes(done)
    note_part(notes, digest=part.digest, number=part.number, files=[*part.known, *found])
    return written, len(found) - written


def _divided(members: Sequence[Member]) -> Iterator[list[Member]]:
    """Give consecutive members, so many or so large that a part is worth a task."""
    part: list[Member] = []
    for member in members:
        size = sum(each.size for each in part) + member.size
        if part and (len(part) == MEMBERS_A_PART or size > BYTES_A_PART):
            yield part
            part = []
        part.append(member)
    if part:
        yield part


def _write(
    content: Iterator[bytes],
    member: Member,
    target: Location,
    done: int,
    on_bytes: Callable[[int], None],
) -> FileNote:
    sha1 = hashlib.sha1(usedforsecurity=False)

    def hashed() -> Iterator[bytes]:
        nonlocal done
        for piece in content:
            sha1.update(piece)
            yield piece
            done += len(piece)
            on_bytes(done)

    etag = target.write_pieces(hashed())
    return FileNote(member.name, member.size, member.crc, sha1.hexdigest(), etag)


def _compare(place: Location, member: Member) -> FileNote | None:
    """Note a file that is there already, if it is the member's content."""
    entry = place.entry()
    if entry is None or entry.size != member.size:
        return None
    sha1, crc = hashlib.sha1(usedforsecurity=False), 0
    for start in range(0, member.size, _READ):
        piece = place.read_range(start, min(_READ, member.size - start))
        sha1.update(piece)
        crc = zlib.crc32(piece, crc)
    if crc != member.crc:
        return None
    return FileNote(member.name, member.size, member.crc, sha1.hexdigest(), entry.etag)
