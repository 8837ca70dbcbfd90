"""The stages of fetching one archive: what is there, the archive, the plan, the verification."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from prefect import task
from prefect.cache_policies import NO_CACHE

from storage.archives import fetch_notes
from storage.archives.archive_file import ArchiveAt
from storage.archives.contents import read_contents
from storage.archives.download import OnBytes, download, hash_file
from storage.archives.fetch_notes import Fetched, FileNote
from storage.archives.members import Contents
from storage.archives.origin import Facts, NotConnected, Origin, Stored
from storage.archives.retries import Patience, patiently
from storage.archives.unpacking import Unpacking, plan_unpacking
from storage.errors import BadArchive, Mismatched, NoAnswer, UnknownFormat, Unreachable
from storage.places.folder import Folder
from storage.places.location import Location
from storage.places.space import check_space, readable_size

NOTES = ".fetch"
CHECKSUMS = "checksums"
AUDIO = ".mp3"
FIRST_CONTACT = Patience(tries=4)
"""An address at which nothing answers is rather wrong than out of order."""

_NAMED = 5


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """One archive that is to be fetched.

    Attributes
    ----------
    name : str
        As `fma_small`; the only folder at its top has the same name.
    origin : Origin
        Where it lies.
    sha1 : str
        That it must have.
    data : Location
        The folder of FMA's layout to be.
    archives : Folder or None
        Where the archive is kept; None to read it where it lies.
    """

    name: str
    origin: Origin
    sha1: str
    data: Location
    archives: Folder | None

    @property
    def target(self) -> Location:
        """Where its files go."""
        return self.data / self.name

    @property
    def notes(self) -> Location:
        """Where it is noted what was done."""
        return self.data / NOTES / self.name

    @property
    def kept(self) -> Folder | None:
        """The file that the archive is, or will be: a local mirror's own, else a copy."""
        if self.archives is None:
            return None
        place = self.origin.location
        return place if isinstance(place, Folder) else self.archives / f"{self.name}.zip"

    @property
    def is_streamed(self) -> bool:
        """Whether the archive is never kept."""
        return self.archives is None


@task(name="look", task_run_name="look for {wanted.name}", cache_policy=NO_CACHE)
def find_fetched(wanted: Wanted) -> Fetched | None:
    """Return what an earlier fetch noted, if all of it is still there and was verified as asked.

    No network is needed for that, but by a bucket's own.

    Raises
    ------
    NoAnswer
        If nothing answers where it is to go: that is rather the address than a passing fault.
    """
    try:
        fetched = fetch_notes.read_fetched(wanted.notes)
    except Unreachable as error:
        raise NoAnswer(str(error)) from None
    if fetched is None or fetched.sha1 != wanted.sha1:
        return None
    if not wanted.is_streamed and "sha1" not in fetched.verified:
        return None
    there = {entry.name: entry for entry in wanted.target.list(recursive=True)}
    return fetched if fetched.still_is(there) else None


@task(name="contact", task_run_name="contact {wanted.name}", cache_policy=NO_CACHE)
def contact(wanted: Wanted) -> Facts:
    """Ask the origin what it has, before anything is written; no network if the archive is kept.

    Raises
    ------
    UnknownFormat
        If it cannot be streamed from.
    NoAnswer
        If nothing answers there.
    StorageError
        If it cannot be had.
    """
    kept = wanted.kept
    origin = Stored(kept) if kept is not None and kept.exists() else wanted.origin
    try:
        facts = patiently(origin.facts, patience=FIRST_CONTACT)
    except Unreachable as error:
        if isinstance(error.__cause__, NotConnected):
            raise NoAnswer(f"{error.__cause__} Check --mirror.") from None
        raise
    if wanted.is_streamed and (not facts.has_ranges or facts.size is None):
        raise UnknownFormat(
            f"{wanted.origin.uri} serves no byte ranges, which --stream needs; leave --stream out."
        )
    return facts


@task(name="room", cache_policy=NO_CACHE)
def check_room(asked: Sequence[tuple[Wanted, Facts]]) -> None:
    """See whether there is room for archives and for what is in them, before their first byte.

    Archives that are kept already are left to `plan_files`.

    Parameters
    ----------
    asked : sequence of (Wanted, Facts)
        All that are to be fetched, with what `contact` told of them.

    Raises
    ------
    Full
        If there is not.
    BadArchive
        If a member of one is unsafe, as far as that can be seen before.
    """
    needs: list[tuple[Location, int]] = []
    unpacked = 0
    for wanted, facts in asked:
        remote = ArchiveAt.of(wanted.origin, facts)
        if wanted.kept is not None:
            if wanted.kept.exists():
                continue
            needs.append((wanted.kept, _still_to_get(wanted.kept, remote.size)))
        if facts.has_ranges:
            needs.append((wanted.target, missing_bytes(wanted, _contents(wanted, remote))))
            unpacked += needs[-1][1]
    is_kept = any(wanted.archives is not None for wanted, _ in asked)
    without = f"use --stream (which needs {readable_size(unpacked)}), " if is_kept else ""
    check_space(needs, remedy=f"free some, {without}or name another folder")


@task(name="archive", task_run_name="archive {wanted.name}", cache_policy=NO_CACHE)
def get_archive(
    wanted: Wanted, facts: Facts, *, on_bytes: OnBytes, say: Callable[[str], None]
) -> ArchiveAt:
    """Download the archive, unless it is there or is read where it lies.

    Parameters
    ----------
    wanted : Wanted
    facts : Facts
        Of `contact`.
    on_bytes, say : callable
        As for `storage.archives.download.download`.

    Returns
    -------
    ArchiveAt
        Its sha1 was compared, unless it is streamed.

    Raises
    ------
    Mismatched
        If its sha1 is another one.
    StorageError
    """
    kept = wanted.kept
    if kept is None:
        return ArchiveAt.of(wanted.origin, facts)
    if not kept.exists():
        download(wanted.origin, kept, sha1=wanted.sha1, on_bytes=on_bytes, say=say)
    else:
        _check_kept(wanted, kept, on_bytes)
    entry = kept.entry()
    assert entry is not None
    fetch_notes.note_archive(wanted.notes, entry, sha1=wanted.sha1)
    return ArchiveAt(origin=Stored(kept), size=entry.size, etag=entry.etag)


@task(name="plan", task_run_name="plan {wanted.name}", cache_policy=NO_CACHE)
def plan_files(wanted: Wanted, archive: ArchiveAt, *, verify: bool = False) -> Unpacking:
    """Read and check the archive's list of files, and find which of them are missing.

    What writers that were killed left unfinished is thrown away.

    Parameters
    ----------
    wanted : Wanted
    archive : ArchiveAt
    verify : bool
        Read the files that are there, too.

    Raises
    ------
    BadArchive
        If a member is unsafe.
    Full
        If there is no room for what is missing.
    """
    contents = _contents(wanted, archive)
    wanted.target.sweep()
    wanted.target.abort_uploads({member.name for member in contents.members})
    check_space(
        [(wanted.target, missing_bytes(wanted, contents))],
        remedy="free some, or name another folder",
    )
    there = {entry.name: entry for entry in wanted.target.list(recursive=True)}
    notes = fetch_notes.read_notes(wanted.notes)
    return plan_unpacking(contents, there, notes, trust=not verify)


@task(name="verify", task_run_name="verify {wanted.name}", cache_policy=NO_CACHE)
def verify_fetched(wanted: Wanted, archive: ArchiveAt) -> Fetched:
    """Check that every file is there and fits the archive's own list of hashes, and note it all.

    Raises
    ------
    BadArchive
        If files do not fit; it names the first ones. They are deleted.
    Mismatched
        If a file was changed or deleted meanwhile.
    """
    contents = _contents(wanted, archive)
    there = {entry.name: entry for entry in wanted.target.list(recursive=True)}
    unpacking = plan_unpacking(contents, there, fetch_notes.read_notes(wanted.notes))
    if unpacking.parts:
        missing = [member.name for part in unpacking.parts for member in part.members]
        raise Mismatched(
            f"{wanted.target.uri} lost {_listed(missing)} while it was fetched; "
            "run the same command again."
        )
    fetched = Fetched(
        source=wanted.origin.uri,
        digest=contents.digest,
        sha1=wanted.sha1,
        verified=() if wanted.is_streamed else ("sha1",),
        files=tuple(sorted(unpacking.done)),
    )
    has_list, remarks = _compare_with_list(wanted, fetched.files)
    if contents.hidden:
        remarks.append(f"left out, since their names begin with a dot: {contents.hidden:,}")
    verified = (*fetched.verified, "crc32", *([CHECKSUMS] if has_list else []))
    fetched = replace(fetched, verified=verified, remarks=tuple(remarks))
    fetch_notes.note_fetched(wanted.notes, fetched)
    return fetched


def missing_bytes(wanted: Wanted, contents: Contents) -> int:
    """Return how many bytes of the archive's files are not there yet."""
    there = {entry.name: entry.size for entry in wanted.target.list(recursive=True)}
    return sum(each.size for each in contents.members if there.get(each.name) != each.size)


def _check_kept(wanted: Wanted, kept: Folder, on_bytes: OnBytes) -> None:
    entry = kept.entry()
    if entry is not None and fetch_notes.read_archive_sha1(wanted.notes, entry) == wanted.sha1:
        return
    found = hash_file(kept.path, on_bytes)
    if found != wanted.sha1:
        raise Mismatched(
            f"{kept.uri} has the sha1 {found}, not {wanted.sha1}: delete it to have it fetched, or "
            f"give --sha1 {wanted.name}={found} if that is the archive you want."
        )


def _still_to_get(kept: Folder, size: int) -> int:
    partial = kept.path.with_name(f".{kept.name}.partial")
    return max(0, size - (partial.stat().st_size if partial.exists() else 0))


def _contents(wanted: Wanted, archive: ArchiveAt) -> Contents:
    with archive.open() as file:
        return read_contents(file, root=wanted.name)


def _compare_with_list(wanted: Wanted, files: Sequence[FileNote]) -> tuple[bool, list[str]]:
    """Compare files with the archive's own list of hashes.

    Returns
    -------
    bool
        Whether there is a list that names every clip.
    list[str]
        A sentence where it does not.
    """
    if all(note.name != CHECKSUMS for note in files):
        return False, []
    listing = (wanted.target / CHECKSUMS).read_bytes().decode("utf-8", "replace")
    wrong, unlisted = fetch_notes.compare_listed(listing, files, root=wanted.name)
    # the list is the archive's, and may name what is none of its files
    for name in {note.name for note in files}.intersection(wrong):
        (wanted.target / name).delete()
    if wrong:
        raise BadArchive(
            f"{wanted.origin.uri} is refused: its own list {CHECKSUMS!r} has other hashes for "
            f"{_listed(wrong)}, which were deleted; fetch it from another --mirror."
        )
    clips = [name for name in unlisted if name.endswith(AUDIO)]
    if clips:
        return False, [
            f"its list {CHECKSUMS!r} has no hash of {len(clips):,} clips: {_listed(clips)}"
        ]
    return True, []


def _listed(names: list[str]) -> str:
    first = ", ".join(repr(name) for name in names[:_NAMED])
    return f"{first} and {len(names) - _NAMED:,} more" if len(names) > _NAMED else first
