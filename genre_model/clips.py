"""Clips: which part of a file is read, whatever its header says."""

from collections.abc import Callable

import numpy as np
import soundfile

from genre_model.audio import AudioFile, AudioSource, ClipDefect, Source, Status, sndfile_reason

BLOCK_SAMPLES = 1 << 18
"""Samples of one read (1 MiB): still in a core's second cache when something is made of them."""

# Where a header lies about the length of a very long file, no more than this is listened through.
_LONGEST_COUNTED_SECONDS = 4 * 3_600
Fill = Callable[[AudioFile, int, int], int]
"""Takes (file, start, frames), reads that range and returns how many frames there were."""


def read_clip(
    source: Source, fill: Fill, *, clip_seconds: float = 30.0, longest_seconds: float = 31.0
) -> int:
    """Have `fill` read a clip: a short file from its first sample, a longer one's middle.

    A header's frame count is only a hint: where there is less than it promised, the audio is
    listened through instead; where an MP3 goes on behind its promised end, it is read again.

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
            if fill(file, (promised - wanted) // 2, wanted) == wanted:
                return wanted
        else:
            frames = fill(file, 0, longest)
            if frames < promised or file.format != "MP3" or not source.exaggerate():
                return frames
    return _read_untrusted(source, fill, wanted=wanted, longest=longest)


def _read_untrusted(source: Source, fill: Fill, *, wanted: int, longest: int) -> int:
    """Read a clip without believing its header: a long one is listened through first."""
    with source.open() as file:
        frames = fill(file, 0, longest)
        if frames < longest:
            return frames
        total = frames + _skip(file, _LONGEST_COUNTED_SECONDS * file.samplerate)
    with source.open() as file:
        # Decoded and dropped: a seek is what cannot be trusted in such a file.
        _skip(file, (total - wanted) // 2)
        return fill(file, 0, wanted)


def _skip(file: AudioFile, frames: int) -> int:
    """Decode and drop up to `frames`; return how many there were."""
    scrap = np.empty((BLOCK_SAMPLES // file.channels, file.channels), dtype=np.float32)
    skipped = 0
    while skipped < frames:
        part = scrap[: frames - skipped]
        got = read_block(file, part)
        skipped += got
        if got < len(part):
            break
    return skipped


def read_block(file: AudioFile, block: np.ndarray) -> int:
    """Read on into `block` (float32 [frames, channels]); return how many frames there were.

    Raises
    ------
    ClipDefect
        `undecodable`, if the decoder gives up.
    """
    try:
        return len(file.read(out=block))
    except soundfile.LibsndfileError as error:
        raise ClipDefect(
            Status.UNDECODABLE, f"the decoder gave up: {sndfile_reason(error)}"
        ) from error


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
        # What a header promises is at most `frames` here, so it may size an array.
        samples = np.empty((min(frames, file.frames), file.channels), dtype=np.float32)
        samples = samples[: read_block(file, samples)] if seek(file, start) else samples[:0]
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
