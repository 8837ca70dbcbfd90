"""What a listing finds: files, and what is passed by, with the reason."""

from dataclasses import dataclass
from enum import StrEnum


class Reason(StrEnum):
    """Why something that lies there is not given as a file."""

    NO_REGULAR_FILE = "no_regular_file"
    LINK_LOOP = "link_loop"
    NAME = "name"


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One file or object of a listing.

    Attributes
    ----------
    name : str
        Path relative to the location that was listed, with `/` between its parts.
    size : int
        Bytes.
    etag : str
        Changes when the content is written again: the modification time in nanoseconds of a
        file, the ETag of an object.
    """

    name: str
    size: int
    etag: str


@dataclass(frozen=True, kw_only=True)
class PassedBy:
    """Something that is not given as a file.

    Attributes
    ----------
    path : str
        Relative to the location that was listed, up to the part that is the reason; bytes that
        are not UTF-8 are in it as `os.fsdecode` gives them.
    reason : Reason
    why : str
        The reason in words, with the remedy: "its name is not UTF-8 (rename it)".
    files : int
        How many files that leaves out: those of a folder whose name is no text, else 1 (nothing
        looks into a hidden folder).
    """

    path: str
    reason: Reason
    why: str
    files: int = 1


@dataclass(frozen=True, kw_only=True)
class Listing:
    """All files below a location, and all that was passed by; both sorted by their path."""

    files: tuple[Entry, ...]
    passed_by: tuple[PassedBy, ...]


HIDDEN = "its name begins with a dot"
NOT_UTF8 = "its name is not UTF-8 (rename it)"
TOO_LONG = "its path is longer than the system takes (move it up)"
EMPTY_PART = "its key has an empty part, as a//b has (rename it)"
LOOP = "the link leads back to itself or to a folder that it lies in (remove it)"
NO_FILE = "it is no file, but a pipe, a socket, a device, or a link to what is not there"
