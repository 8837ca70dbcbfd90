"""The words for what became of a clip; imports nothing heavy."""

from enum import StrEnum

from genre_model.errors import GenreModelError


class Status(StrEnum):
    """What became of one track's audio; `kept` says whether it has features.

    ============ ==== ====================================================================
    status       kept means
    ============ ==== ====================================================================
    ok           yes  all windows
    partial      yes  at least one whole window, not all (the rest are zero, not trained on), or
                      not all of the file's audio could be read
    quiet        yes  all windows, but the loudest channel is below -60 dBFS RMS
    out_of_phase no  the channels' mean is below -60 dBFS RMS, since they cancel each other
    missing      no   the catalogue names a file that is not there
    empty        no   0 bytes
    unreadable   no   there, but may not be read
    undecodable  no   no audio in it
    short        no   decodes to less than one window
    silent       no   digital silence: every sample is below half a step of 16 bits
    timeout      no   decoding ran past its time limit
    crashed      no   the decoder took its process down, or a backbone's net failed on it
    absent       -    no track has this row: no member here, storage writes that word by itself
    ============ ==== ====================================================================
    """

    OK = "ok"
    PARTIAL = "partial"
    QUIET = "quiet"
    OUT_OF_PHASE = "out_of_phase"
    MISSING = "missing"
    EMPTY = "empty"
    UNREADABLE = "unreadable"
    UNDECODABLE = "undecodable"
    SHORT = "short"
    SILENT = "silent"
    TIMEOUT = "timeout"
    CRASHED = "crashed"

    @property
    def kept(self) -> bool:
        """Return whether a track of this status has features."""
        return self in (Status.OK, Status.PARTIAL, Status.QUIET)


class ClipDefect(GenreModelError):  # noqa: N818 - a clip's fault, not the program's
    """A clip gives no features.

    Parameters
    ----------
    status : Status
        One that is not `kept`.
    detail : str
        One sentence for people.
    """

    def __init__(self, status: Status, detail: str) -> None:
        super().__init__(status, detail)
        self.status = status
        self.detail = detail

    def __str__(self) -> str:
        return f"{self.status}: {self.detail}"
