"""The seal of a published folder: a document beside its files that holds the sha256 of each.

seal.json   {"of": "models/default-1a2b3c4d", "files": {"params.json": {"size", "sha256"}, …},
             "seal"}

It is written before the file that says that the folder is whole, so that a whole one has it.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass

from storage.errors import Damaged, NotFound
from storage.places.location import Location
from storage.proof.documents import MOST_BYTES, is_plain, parse_document, read_bounded
from storage.proof.seals import Unsealed, check_document, seal, seal_document

SEAL_FILE = "seal.json"


@dataclass(frozen=True)
class SealedFile:
    """Bytes and sha256 of one file."""

    size: int
    sha256: str

    @classmethod
    def of(cls, data: bytes) -> "SealedFile":
        """Measure some bytes."""
        return cls(len(data), seal(data))


@dataclass(frozen=True)
class FolderSeal:
    """What a seal.json says.

    Attributes
    ----------
    of : str
        What the folder is.
    files : Mapping[str, SealedFile]
        By their names below the folder.
    """

    of: str
    files: Mapping[str, SealedFile]

    def to_json(self) -> bytes:
        """Write as JSON, the same bytes every time."""
        files = {name: asdict(file) for name, file in sorted(self.files.items())}
        document = seal_document({"of": self.of, "files": files}, of=self.of)
        return json.dumps(document, indent=1).encode() + b"\n"


def read_seal(folder: Location, *, of: str) -> FolderSeal:
    """Read the seal of a folder.

    Raises
    ------
    Unsealed
        If it has none.
    Damaged
        If it is none, does not hold, or is that of another folder.
    """
    place = folder / SEAL_FILE
    try:
        data = read_bounded(place, most=MOST_BYTES)
    except NotFound:
        raise Unsealed(f"{folder.uri} has no {SEAL_FILE}.") from None
    check_document(parse_document(data, dict[str, object], where=place.uri), of=of, where=place.uri)
    found = parse_document(data, FolderSeal, where=place.uri)
    strays = [name for name in found.files if not all(map(is_plain, name.split("/")))]
    if strays:
        raise Damaged(f"{place.uri} names {strays[0]!r}, which leads out of its folder.")
    if found.to_json() != data:
        raise Damaged(f"{place.uri} is not written as it was.")
    return found


def faults(folder: Location, *, of: str, is_deep: bool = True) -> Iterator[tuple[Location, str]]:
    """Compare a folder with its seal, reading every byte of the files that it names.

    Parameters
    ----------
    folder : Location
    of : str
        What it is.
    is_deep : bool
        Whether files of folders in it are compared too.

    Yields
    ------
    tuple[Location, str]
        A file that is not as it was written, and a sentence.

    Raises
    ------
    Unsealed
        If there is no seal to compare with.
    """
    try:
        known = read_seal(folder, of=of)
    except Unsealed:
        raise
    except Damaged as error:
        yield folder / SEAL_FILE, str(error)
        return
    for name, file in known.files.items():
        if not is_deep and "/" in name:
            continue
        fault = file_fault(folder / name, file)
        if fault:
            yield folder / name, fault


def file_fault(place: Location, file: SealedFile) -> str:
    """Say what is wrong with a file; nothing if it is as it was sealed."""
    entry = place.entry()
    if entry is None:
        return f"It is gone; it had {file.size} bytes."
    if entry.size != file.size:
        return f"It has {entry.size} bytes, and had {file.size} when it was sealed."
    try:
        found = SealedFile.of(place.read_bytes())
    except NotFound:
        return f"It is gone; it had {file.size} bytes."
    return "" if found == file else "Its sha256 is not the one that was sealed."
