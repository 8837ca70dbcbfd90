"""Audio files as libsndfile opens them."""

import mmap
import os
import stat
import tempfile
import weakref
from typing import Self

import soundfile

from genre_model.errors import AudioError
from genre_model.signal.formats import CONVERT
from genre_model.signal.status import ClipDefect, Status

AudioSource = bytes | str | os.PathLike[str]
Content = bytes | mmap.mmap
"""All bytes of a file."""

LOWEST_RATE, HIGHEST_RATE = 1_000, 384_000
"""Sample rates in Hz outside of which a header is taken for damaged."""

# Larger files are mapped; a mapped file that somebody cuts off meanwhile would kill the process.
_READ_BYTES = 256 << 20


class AudioFile(soundfile.SoundFile):  # type: ignore[misc]
    """A sound file that is read forward.

    `soundfile` asks a seekable file where it stands before each read, cuts the read to what the
    header promises, and seeks afterwards, which makes an MP3 decoder start anew. Said not to be
    seekable, it just reads; `seek` works all the same.

    Attributes
    ----------
    careful : bool
        Whether to read in small blocks, as a block in which the decoder gives up is lost.
    gave_up : bool
        Whether the decoder did.
    """

    careful = False
    gave_up = False

    def seekable(self) -> bool:
        """Return False, whatever the file."""
        return False


class MemoryFile:
    """An unnamed file in memory (on disk where there are none) for one content after another."""

    def __init__(self) -> None:
        if hasattr(os, "memfd_create"):
            self.descriptor = os.memfd_create("clip")
        else:
            with tempfile.TemporaryFile() as temporary:
                self.descriptor = os.dup(temporary.fileno())
        self.close = weakref.finalize(self, os.close, self.descriptor)

    def write(self, content: bytes | bytearray | memoryview) -> None:
        """Hold other content from now on."""
        os.ftruncate(self.descriptor, len(content))
        view, done = memoryview(content), 0
        while done < len(view):
            done += os.pwrite(self.descriptor, view[done:], done)


class Source:
    """Audio bytes or a path as something that libsndfile opens, as often as needed.

    libsndfile gets a file descriptor, never Python callbacks: that is quicker, and a damaged header
    that sends it to a negative offset prints no traceback. Use it in a ``with``.

    Parameters
    ----------
    audio : bytes, str or os.PathLike
        The content of an audio file, or its path.
    memory : MemoryFile, optional
        Where to put bytes: one that is kept saves the time of making one.

    Raises
    ------
    ClipDefect
        `missing`, `unreadable` or `empty`.
    AudioError
        If `audio` is neither bytes nor a path.
    """

    def __init__(self, audio: AudioSource, *, memory: MemoryFile | None = None) -> None:
        self._memory = MemoryFile() if memory is None else memory
        self._keep_memory = memory is not None
        self._opened: int | None = None
        self._given: bytes | None = None
        if isinstance(audio, bytes | bytearray | memoryview):
            self._given = bytes(audio)
            self._memory.write(audio)
            self._descriptor = self._memory.descriptor
        elif isinstance(audio, str | os.PathLike):
            self._descriptor = self._opened = _open_regular(audio)
        else:
            raise AudioError(
                f"audio is a {type(audio).__name__}; give the bytes of a file or its path"
            )
        if not self.size:
            self.close()
            raise ClipDefect(Status.EMPTY, "the file has 0 bytes")

    @property
    def size(self) -> int:
        """Return how many bytes there are."""
        return os.fstat(self._descriptor).st_size

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def close(self) -> None:
        """Give back what was opened."""
        if self._opened is not None:
            os.close(self._opened)
        if not self._keep_memory:
            self._memory.close()

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
            reason = f"{sndfile_reason(error).rstrip('.')}; {CONVERT}"
            raise ClipDefect(Status.UNDECODABLE, reason) from error
        if not LOWEST_RATE <= file.samplerate <= HIGHEST_RATE:
            file.close()
            raise ClipDefect(
                Status.UNDECODABLE,
                f"its header says {file.samplerate} Hz, "
                f"which is not from {LOWEST_RATE} to {HIGHEST_RATE}",
            )
        return file

    def content(self) -> Content:
        """Return all bytes, as an `mmap` where they are many."""
        if self.size > _READ_BYTES:
            return mmap.mmap(self._descriptor, 0, access=mmap.ACCESS_READ)
        return os.pread(self._descriptor, self.size, 0) if self._given is None else self._given


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


def sndfile_reason(error: soundfile.LibsndfileError) -> str:
    """Return libsndfile's words without soundfile's prefix, which names a descriptor."""
    return str(error.error_string).strip() or f"libsndfile's error {error.code}"
