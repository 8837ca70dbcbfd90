"""Clips: which part of a file is read, whatever its header says."""

from collections.abc import Callable, Iterator

import numpy as np
import soundfile

from genre_model.signal.audio import AudioFile, AudioSource, Source, sndfile_reason
from genre_model.signal.status import ClipDefect, Status

BLOCK_SAMPLES = 1 << 17
"""Samples of one read (512 KiB): still in a core's second cache when something is made of them."""

# Read at once where the decoder may give up: one MP3 frame.
_CAREFUL_FRAMES = 1_152
# Where a header lies about the length of a very long file, no more than this is listened through.
_LONGEST_COUNTED_SECONDS = 4 * 3_600

Fill = Callable[[AudioFile, int, int], int]
"""Takes (file, start, frames), reads that range and returns how many frames there were."""


def read_clip(
    source: Source, fill: Fill, *, clip_seconds: float = 30.0, longest_seconds: float = 31.0
) -> int:
    """Have `fill` read a clip: a short file from its first sample, a longer one's middle.

    A header's frame count is only a hint: where there is less than it promised, the audio is
    listened through instead; where an MP3 may go on behind its promised end, it is read again.
    Where the decoder gives up, the clip is what came before.

    Parameters
    ----------
    source : Source
        The audio.
    fill : Fill
        What reads a range; called anew, from its first frame, if the header lied.
    clip_seconds : float [s]
        Length of the middle.
    longest_seconds : float [s]
        Longest file that counts as a clip.

    Returns
    -------
    int
        Frames that the last call of `fill` read.

    Raises
    ------
    ClipDefect
        `undecodable`.
    """
    with source.open() as file:
        longest = int(longest_seconds * file.samplerate)
        wanted = int(clip_seconds * file.samplerate)
        promised = file.frames
        if promised > longest:
            if _has_middle(file, fill, start=(promised - wanted) // 2, wanted=wanted):
                return wanted
        else:
            frames = fill(file, 0, longest)
            cut_off = frames == promised and file.format == "MP3" and source.exaggerate()
            if not cut_off and not file.gave_up:
                return frames
    return _read_untrusted(source, fill, wanted=wanted, longest=longest)


def _has_middle(file: AudioFile, fill: Fill, *, start: int, wanted: int) -> bool:
    """Read the middle; return whether it was all there."""
    try:
        return fill(file, start, wanted) == wanted
    except ClipDefect:
        return False


def _read_untrusted(source: Source, fill: Fill, *, wanted: int, longest: int) -> int:
    """Read a clip without believing its header: a long one is listened through first."""
    with source.open() as file:
        file.careful = True
        frames = fill(file, 0, longest)
        if frames < longest:
            return frames
        file.careful = False
        total = frames + _skip(file, _LONGEST_COUNTED_SECONDS * file.samplerate)
    with source.open() as file:
        # Decoded and dropped: a seek is what cannot be trusted in such a file.
        _skip(file, (total - wanted) // 2)
        file.careful = True
        return fill(file, 0, wanted)


def _skip(file: AudioFile, frames: int) -> int:
    """Decode and drop up to `frames`; return how many there were."""
    samples = np.empty(BLOCK_SAMPLES, dtype=np.float32)
    return sum(len(block) for block in read_blocks(file, frames, samples))


def read_blocks(file: AudioFile, frames: int, samples: np.ndarray) -> Iterator[np.ndarray]:
    """Read a file's next frames, block by block.

    Parameters
    ----------
    file : AudioFile
        Stands where to read on.
    frames : int
        How many to read, if there are as many.
    samples : np.ndarray [shape=(n,), float32]
        Where a block is written; the next one overwrites it.

    Yields
    ------
    np.ndarray [shape=(frames, channels), float32]
        A part of `samples`.

    Raises
    ------
    ClipDefect
        `undecodable`, if the decoder gives up in the first block; later that is the audio's end.
    """
    rows = min(len(samples) // file.channels, _CAREFUL_FRAMES if file.careful else len(samples))
    block = samples[: rows * file.channels].reshape(rows, file.channels)
    done = 0
    while done < frames:
        part = block[: frames - done]
        try:
            got = len(file.read(out=part))
        except soundfile.LibsndfileError as error:
            file.gave_up = True
            if done:
                return
            detail = f"the decoder gave up: {sndfile_reason(error)}"
            raise ClipDefect(Status.UNDECODABLE, detail) from error
        yield part[:got]
        done += got
        if got < len(part):
            return


def decode(
    audio: AudioSource, *, clip_seconds: float = 30.0, longest_seconds: float = 31.0
) -> tuple[np.ndarray, int]:
    """Decode a clip: all of a short file, the middle of a long one.

    Parameters
    ----------
    audio : bytes, str or os.PathLike
        The content of an audio file of any format that libsndfile reads, or its path.
    clip_seconds, longest_seconds : float [s]
        What is read of a file longer than `longest_seconds`.

    Returns
    -------
    tuple[np.ndarray, int]
        Samples (float32 [frames, channels], full scale is 1) and their rate in Hz.

    Raises
    ------
    ClipDefect
        `missing`, `unreadable`, `empty` or `undecodable`.
    """
    samples = np.empty((0, 1), dtype=np.float32)
    rate = 0

    def fill(file: AudioFile, start: int, frames: int) -> int:
        nonlocal samples, rate
        rate = file.samplerate
        block = np.empty(BLOCK_SAMPLES, dtype=np.float32)
        parts = [np.empty((0, file.channels), dtype=np.float32)]
        if seek(file, start):
            parts.extend(part.copy() for part in read_blocks(file, frames, block))
        samples = np.concatenate(parts)
        return len(samples)

    with Source(audio) as source:
        read_clip(source, fill, clip_seconds=clip_seconds, longest_seconds=longest_seconds)
    return samples, rate


def seek(file: AudioFile, start: int) -> bool:
    """Go to a frame; return whether the file could."""
    try:
        return start == 0 or file.seek(start) == start
    except soundfile.LibsndfileError:
        return False
