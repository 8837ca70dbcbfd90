"""Audio files as libsndfile opens them, and the words for what can be wrong with a clip."""

import errno
import os
import stat
import tempfile
from enum import StrEnum
from types import TracebackType
from typing import Self

import soundfile

from genre_model.errors import AudioError, GenreModelError

AudioSource = bytes | str | os.PathLike[str]

LOWEST_RATE, HIGHEST_RATE = 1_000, 384_000
"""Sample rates in Hz outside of which a header is taken for damaged."""

# Files up to this size are copied into memory, where their length can be exaggerated.
_COPIED_BYTES = 64 << 20
# A decoder that stops with more than this left of an MP3 has believed a too short header.
_UNREAD_BYTES = 16 << 10
_EXAGGERATION = 16


class Status(StrEnum):
    """What became of one track's audio; `kept` says whether it has features.

    =========== ==== =====================================================================
    status      kept means
    =========== ==== =====================================================================
    ok          yes  all windows
    partial     yes  at least one whole window, not all; the rest are zero, not trained on
    quiet       yes  all windows, but the mean of the channels is below -60 dBFS RMS
    missing     no   the catalogue names a file that is not there
    empty       no   0 bytes
    unreadable  no   there, but may not be read
    undecodable no   no audio in it
    short       no   decodes to less than one window
    silent      no   digital silence: every sample is below half a step of 16 bits
    timeout     no   decoding ran past its time limit
    crashed     no   the decoder took its process down
    absent      no   no track has this row
    =========== ==== =====================================================================
    """

    OK = "ok"
    PARTIAL = "partial"
    QUIET = "quiet"
    MISSING = "missing"
    EMPTY = "empty"
    UNREADABLE = "unreadable"
    UNDECODABLE = "undecodable"
    SHORT = "short"
    SILENT = "silent"
    TIMEOUT = "timeout"
    CRASHED = "crashed"
    ABSENT = "absent"

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


class AudioFile(soundfile.SoundFile):  # type: ignore[misc]
    """A sound file that is read forward.

    `soundfile` asks a seekable file where it stands before each read, cuts the read to what the
    header promises, and seeks afterwards, which makes an MP3 decoder start anew. Said not to be
    seekable, it just reads; `seek` works all the same.
    """

    def seekable(self) -> bool:
        """Return False, whatever the file."""
        return False


class Source:
    """Audio bytes or a path as something that libsndfile opens, as often as needed.

    libsndfile gets a file descriptor, never Python callbacks: that is quicker, and a damaged header
    that sends it to a negative offset prints no traceback. Close it, or use it in a ``with``.

    Parameters
    ----------
    audio : bytes, str or os.PathLike
        The content of an audio file, or its path.

    Raises
    ------
    ClipDefect
        `missing`, `unreadable` or `empty`.
    AudioError
        If `audio` is neither bytes nor a path.
    """

    def __init__(self, audio: AudioSource) -> None:
        self._owned = True
        if isinstance(audio, bytes | bytearray | memoryview):
            self._descriptor = _copied(audio)
        elif isinstance(audio, str | os.PathLike):
            self._descriptor = self._open_path(audio)
        else:
            raise AudioError(
                f"audio is a {type(audio).__name__}; give the bytes of a file or its path"
            )

    def _open_path(self, path: str | os.PathLike[str]) -> int:
        descriptor = _open_regular(path)
        size = os.fstat(descriptor).st_size
        if size > _COPIED_BYTES:
            self._owned = False
            return descriptor
        with os.fdopen(descriptor, "rb") as file:
            try:
                return _copied(file.read())
            except OSError as error:
                raise ClipDefect(Status.UNREADABLE, f"{path}: {error.strerror}") from error

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        os.close(self._descriptor)

    def open(self) -> AudioFile:
        """Open the audio from its beginning.

        Raises
        ------
        ClipDefect
            `undecodable`, if libsndfile finds no audio or the header is out of all bounds.
        """
        os.lseek(self._descriptor, 0, os.SEEK_SET)
        try:
            file = AudioFile(self._descriptor, closefd=False)
        except soundfile.LibsndfileError as error:
            raise ClipDefect(Status.UNDECODABLE, sndfile_reason(error)) from error
        if not LOWEST_RATE <= file.samplerate <= HIGHEST_RATE:
            file.close()
            raise ClipDefect(
                Status.UNDECODABLE,
                f"its header says {file.samplerate} Hz, "
                f"which is not from {LOWEST_RATE} to {HIGHEST_RATE}",
            )
        return file

    def exaggerate(self) -> bool:
        """Make an MP3 seem longer if the decoder stopped far from its end.

        Without a Xing header libsndfile takes an MP3's length from its size and the bit rate of
        its first frames, and stops there: a variable bit rate loses what comes after. Zeros behind
        the audio raise that guess and are no audio themselves.

        Returns
        -------
        bool
            Whether reading it again may give more.
        """
        size = os.fstat(self._descriptor).st_size
        unread = size - os.lseek(self._descriptor, 0, os.SEEK_CUR)
        if not self._owned or unread <= _UNREAD_BYTES:
            return False
        os.ftruncate(self._descriptor, size * _EXAGGERATION)
        return True


def _open_regular(path: str | os.PathLike[str]) -> int:
    """Open a regular file for reading; anything else would block or never end."""
    try:
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
    except FileNotFoundError as error:
        raise ClipDefect(Status.MISSING, f"there is no file {path}") from error
    except (OSError, ValueError) as error:
        raise ClipDefect(Status.UNREADABLE, f"{path}: {error}") from error
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise ClipDefect(Status.UNREADABLE, f"{path} is not a regular file")
    return descriptor


def _copied(audio: bytes | bytearray | memoryview) -> int:
    """Return the descriptor of an unnamed file in memory (on disk where there are none)."""
    if not len(audio):
        raise ClipDefect(Status.EMPTY, "the file has 0 bytes")
    if hasattr(os, "memfd_create"):
        descriptor = os.memfd_create("clip")
    else:
        with tempfile.TemporaryFile() as file:
            descriptor = os.dup(file.fileno())
    written = os.write(descriptor, audio)
    if written != len(audio):
        os.close(descriptor)
        raise OSError(errno.ENOSPC, "no room for a copy of the audio")
    return descriptor


def sndfile_reason(error: soundfile.LibsndfileError) -> str:
    """Return libsndfile's words without soundfile's prefix, which names a descriptor."""
    return str(error.error_string).strip() or f"libsndfile's error {error.code}"
