"""Damaged files thrown at the decoder: each gives audio or a status.

``GENRE_FUZZ`` sets how many (60 by default); every one has its own seed, so that one that fails can
be had again by its number.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from signals import band_noise, encoded

from genre_model.frontends.clip import ClipWindows
from genre_model.mel import clip_windows
from genre_model.signal.status import Status

COUNT = int(os.environ.get("GENRE_FUZZ", "60"))
OUTCOMES = {
    *(Status.OK, Status.PARTIAL, Status.QUIET),
    *(Status.EMPTY, Status.UNDECODABLE, Status.SHORT, Status.SILENT),
}
Mutation = Callable[[bytes, np.random.Generator], bytes]


@cache
def sources() -> tuple[bytes, ...]:
    """Make the files that are damaged: MP3s mostly."""
    return (
        encoded(band_noise(4.0)),
        encoded(band_noise(4.0), bitrate_mode="VARIABLE", compression=0.5),
        encoded(band_noise(4.0, channels=1, rate=22_050), rate=22_050),
        encoded(band_noise(4.0, rate=48_000), rate=48_000, compression=0.9),
        encoded(band_noise(33.0, channels=1)),
        encoded(band_noise(4.0), format="OGG"),
        encoded(band_noise(4.0), format="FLAC"),
        encoded(band_noise(4.0), format="WAV", subtype="FLOAT"),
    )


def flip_bits(content: bytes, rng: np.random.Generator) -> bytes:
    damaged = np.frombuffer(content, np.uint8).copy()
    at = rng.integers(0, len(damaged), size=2 ** int(rng.integers(0, 11)))
    damaged[at] ^= np.uint8(1) << rng.integers(0, 8, size=len(at), dtype=np.uint8)
    return damaged.tobytes()


def flip_bits_of_the_header(content: bytes, rng: np.random.Generator) -> bytes:
    return flip_bits(content[:256], rng) + content[256:]


def truncate(content: bytes, rng: np.random.Generator) -> bytes:
    return content[: int(rng.integers(0, len(content)))]


def insert(content: bytes, rng: np.random.Generator) -> bytes:
    at = int(rng.integers(0, len(content)))
    return content[:at] + rng.bytes(2 ** int(rng.integers(0, 15))) + content[at:]


def overwrite(content: bytes, rng: np.random.Generator) -> bytes:
    at, length = int(rng.integers(0, len(content))), 2 ** int(rng.integers(0, 15))
    return content[:at] + rng.bytes(length) + content[at + length :]


def remove(content: bytes, rng: np.random.Generator) -> bytes:
    at = int(rng.integers(0, len(content)))
    return content[:at] + content[at + 2 ** int(rng.integers(0, 15)) :]


def other_magic(content: bytes, rng: np.random.Generator) -> bytes:
    magics = [
        b"RIFF\xff\xff\xff\xffWAVEfmt ",
        b"fLaC",
        b"OggS",
        b"FORM",
        b".snd",
        b"caff",
        b"\x1aE",
    ]
    magic = magics[int(rng.integers(len(magics)))]
    return magic + content[len(magic) :]


def id3_bomb(content: bytes, rng: np.random.Generator) -> bytes:
    """Put tags in front that promise up to 256 MB, or many of them."""
    digits = bytes(int(digit) for digit in rng.integers(0, 128, size=4))
    tag = b"ID3" + bytes([int(rng.integers(0, 5)), 0, int(rng.integers(0, 256))])
    whole = tag + b"\x00\x00\x00\x05" + rng.bytes(5)
    return whole * int(rng.integers(0, 200)) + tag + digits + content


def frame_count(content: bytes, rng: np.random.Generator) -> bytes:
    """Write any number of frames and bytes into the Xing header."""
    at = max(content.find(b"Xing"), content.find(b"Info"))
    return content if at < 0 else content[: at + 4] + rng.bytes(12) + content[at + 16 :]


def join(content: bytes, rng: np.random.Generator) -> bytes:
    return content + sources()[int(rng.integers(len(sources())))]


MUTATIONS: tuple[Mutation, ...] = (
    flip_bits,
    flip_bits_of_the_header,
    truncate,
    insert,
    overwrite,
    remove,
    other_magic,
    id3_bomb,
    frame_count,
    join,
)


def check(clip: ClipWindows) -> None:
    assert clip.status in OUTCOMES
    assert (clip.windows is not None) == clip.status.kept
    assert 0.0 <= clip.seconds <= 31.0
    if clip.windows is None:
        assert clip.detail
    else:
        assert clip.windows.dtype == np.float16
        assert 1 <= len(clip.windows) <= 10
        assert np.isfinite(clip.windows).all()


def damaged(content: bytes, number: int) -> Iterator[bytes]:
    """Damage a file in one way, and once more."""
    rng = np.random.default_rng([11, number])
    first = MUTATIONS[number % len(MUTATIONS)](content, rng)
    yield first
    if first:
        yield MUTATIONS[int(rng.integers(len(MUTATIONS)))](first, rng)


@pytest.mark.parametrize("number", range(COUNT))
def test_a_damaged_file_gives_audio_or_a_status(number: int, tmp_path: Path) -> None:
    content = sources()[number // len(MUTATIONS) % len(sources())]

    for mutant in damaged(content, number):
        clip = clip_windows(mutant)

        check(clip)
        path = tmp_path / f"clip{['.mp3', '.wav', '.raw', '.flac', ''][number % 5]}"
        path.write_bytes(mutant)
        assert clip_windows(path).status == clip.status


def test_damaged_real_clips_give_audio_or_a_status(real_music: Path) -> None:
    clips = sorted((real_music / "fma_small" / "000").glob("*.mp3"))

    for number in range(COUNT // 3):
        for mutant in damaged(clips[number % len(clips)].read_bytes(), number):
            check(clip_windows(mutant))
