"""All of a file's audio is heard, or how much was not is said: joined, holed, patched, streamed."""

from __future__ import annotations

import struct
from collections.abc import Callable
from functools import cache
from itertools import pairwise

import numpy as np
import pytest
from signals import encoded

from genre_model.mel import clip_windows
from genre_model.signal.containers import mpeg
from genre_model.signal.segments import Heard, read_segments
from genre_model.signal.status import Status
from genre_model.signal.waveforms import ClipReader

RATE = 44_100
LOW, HIGH = 300.0, 2_000.0


@cache
def tone(seconds: float, pitch: float, *, rate: int = RATE, kind: str = "MP3") -> bytes:
    """Encode a tone, which tells what part of a file was heard."""
    time = np.arange(round(seconds * rate)) / rate
    left = 0.4 * np.sin(2 * np.pi * pitch * time)
    return encoded(np.stack([left, 0.5 * left], axis=1), rate=rate, format=kind)


@cache
def sweep(seconds: float) -> bytes:
    """Encode a tone that rises by 20 Hz a second from 200 Hz, as frames of one bit rate alone."""
    time = np.arange(round(seconds * RATE)) / RATE
    mp3 = encoded(0.4 * np.sin(2 * np.pi * (200 * time + 10 * time**2)), bitrate_mode="CONSTANT")
    return b"".join(frames(mp3))


@cache
def frames(mp3: bytes) -> tuple[bytes, ...]:
    """Return the frames that hold audio."""
    audio = mpeg.scan(mp3)
    assert audio is not None
    starts = [*audio.stretches[0].starts, len(mp3)]
    return tuple(mp3[start:end] for start, end in pairwise(starts))


def pitch_of(waveform: np.ndarray, rate: int) -> float:
    """Return the frequency [Hz] of the strongest tone."""
    power = np.abs(np.fft.rfft(waveform * np.hanning(len(waveform))))
    return float(power.argmax() * rate / len(waveform))


def heard_of(content: bytes) -> Heard:
    heard = Heard()
    for _ in read_segments(content, rate=8_000, length=80_000, step=80_000, heard=heard):
        pass
    return heard


def with_zeros(count: int) -> Callable[[bytes], bytes]:
    return lambda mp3: bytes(count) + mp3


def after_padded_id3(mp3: bytes) -> bytes:
    return b"ID3\x03\0\0\0\0\0\x64" + b"x" * 100 + bytes(3_000) + mp3


def after_ape(mp3: bytes) -> bytes:
    mark = b"APETAGEX" + struct.pack("<III", 2_000, 132, 1)
    head, foot = (mark + struct.pack("<I", flags << 29) + bytes(8) for flags in (5, 4))
    return head + b"y" * 100 + foot + mp3


def within_a_frame(mp3: bytes) -> bytes:
    return mp3[300:]


def before_tags(mp3: bytes) -> bytes:
    return mp3 + b"TAG" + b"t" * 125


def titled(mp3: bytes) -> bytes:
    """Put a stream's title behind every fortieth frame, the way Icecast does."""
    title = b"\x04" + b"StreamTitle='A song that is called so';".ljust(64, b"\0")
    return b"".join(
        frame + (title if number % 40 == 39 else b"") for number, frame in enumerate(frames(mp3))
    )


def titled_barely(mp3: bytes) -> bytes:
    return titled(mp3).replace(b"\x04StreamTitle", b"StreamTitle")


@pytest.mark.parametrize(
    "change",
    [
        with_zeros(512),
        with_zeros(70_000),
        after_padded_id3,
        after_ape,
        within_a_frame,
        before_tags,
        titled,
        titled_barely,
    ],
)
@pytest.mark.parametrize("seconds", [20.0, 39.0])
def test_what_players_pass_over_hides_no_audio(
    change: Callable[[bytes], bytes], seconds: float
) -> None:
    content = change(sweep(seconds))

    clip, heard = clip_windows(content), heard_of(content)

    assert clip.seconds == pytest.approx(min(seconds, 30.0), abs=0.1)
    assert clip.status == (Status.OK if seconds > 30 else Status.PARTIAL)
    assert "could be read" not in clip.detail
    assert heard.seconds == pytest.approx(seconds, abs=0.1)
    assert heard.unread == ""


@pytest.mark.whole
@pytest.mark.parametrize("kind", ["MP3", "OGG", "FLAC"])
@pytest.mark.parametrize(("first", "second"), [(10, 15), (10, 50), (35, 45)])
@pytest.mark.parametrize("other_rate", [False, True])
def test_files_put_together_are_heard_whole(
    kind: str, first: int, second: int, other_rate: bool
) -> None:
    content = tone(first, LOW, kind=kind)
    content += tone(second, HIGH, rate=RATE // 2 if other_rate else RATE, kind=kind)
    total = first + second

    clip, heard = ClipReader(8_000).read(content), heard_of(content)

    assert heard.seconds == pytest.approx(total, abs=0.2)
    assert (heard.unread, clip.unread) == ("", "")
    assert clip.rate in (RATE, RATE // 2 if other_rate else RATE)
    assert clip.seconds == pytest.approx(min(total, 30), abs=0.2)
    begins = max(0.0, (total - 30) / 2)
    for at in (1.0, clip.seconds - 3.0):
        part = clip.waveform[round(at * 8_000) : round((at + 2) * 8_000)]
        if not first - 2.2 < begins + at < first + 0.2:
            assert pitch_of(part, 8_000) == pytest.approx(
                LOW if begins + at < first else HIGH, abs=2
            )


def test_a_mix_of_changing_bit_rate_without_a_header_is_read_in_its_middle() -> None:
    quiet, loud = (
        encoded(
            np.random.default_rng(1).normal(0, level, RATE * 30),
            bitrate_mode="VARIABLE",
            compression=0.3,
        )
        for level in (1e-4, 0.3)
    )
    content = b"".join((*frames(loud), *frames(quiet), *frames(sweep(40.0)), *frames(quiet)))
    length = 30 + 30 + 40 + 30

    clip = ClipReader(8_000).read(content)

    # The middle, 50 to 80 s, has the sweep's first 20 s from its tenth on.
    assert heard_of(content).seconds == pytest.approx(length, abs=0.3)
    part = clip.waveform[25 * 8_000 : 26 * 8_000]
    assert pitch_of(part, 8_000) == pytest.approx(200 + 20 * 15.5, abs=15)


@pytest.mark.parametrize(("junk", "size"), [(b"\xaa" * 5_000, "5.0 kB"), (bytes(2_048), "2.0 kB")])
def test_what_lies_behind_a_hole_is_heard_and_the_hole_is_told(junk: bytes, size: str) -> None:
    whole = sweep(40.0)
    at = len(whole) // 3
    content = whole[:at] + junk + whole[at:]

    clip, heard = clip_windows(content), heard_of(content)

    assert (clip.status, clip.seconds) == (Status.PARTIAL, 30.0)
    assert clip.windows is not None
    assert len(clip.windows) == 10
    assert f"s could be read; {size} of it are no audio" in clip.detail
    assert heard.seconds == pytest.approx(40.0, abs=0.15)
    assert heard.unread == clip.detail


def test_what_cannot_be_read_to_the_end_is_told() -> None:
    content = sweep(40.0) + np.random.default_rng(0).bytes(2_000_000)

    clip = clip_windows(content)

    assert clip.status == Status.PARTIAL
    assert clip.detail.startswith("40 of ")
    assert clip.detail.endswith("could be read; 2.0 MB of it are no audio that can be played")


def test_a_download_that_was_never_filled_is_told() -> None:
    whole = sweep(60.0)
    content = whole[: len(whole) // 2].ljust(len(whole), b"\0")

    clip = clip_windows(content)

    assert clip.status == Status.PARTIAL
    assert clip.detail.startswith("30 of 60 s could be read")


@pytest.mark.parametrize("kind", ["OGG", "FLAC"])
def test_a_damaged_file_of_another_format_tells_what_is_missing(kind: str) -> None:
    content = bytearray(tone(50, LOW, kind=kind))
    at = len(content) * 3 // 5
    content[at : at + 9_000] = b"\xaa" * 9_000

    clip = clip_windows(bytes(content))

    assert clip.status == Status.PARTIAL
    assert " of 5" in clip.detail
    assert "s could be read" in clip.detail


@pytest.mark.parametrize("kind", ["OGG", "FLAC"])
def test_what_lies_in_front_of_another_format_is_passed_over(kind: str) -> None:
    clip = clip_windows(bytes(512) + tone(32, LOW, kind=kind))

    assert (clip.status, clip.detail, clip.seconds) == (Status.OK, "", 30.0)


@pytest.mark.parametrize("riff_size", [None, 0])
@pytest.mark.parametrize("seconds", [12.0, 40.0])
def test_a_wav_from_a_pipe_is_read_to_its_end(seconds: float, riff_size: int | None) -> None:
    content = bytearray(tone(seconds, HIGH, kind="WAV"))
    at = content.find(b"data") + 4
    content[at : at + 4] = bytes(4)
    if riff_size is not None:
        content[4:8] = struct.pack("<I", riff_size)

    clip = ClipReader(8_000).read(bytes(content))

    assert clip.seconds == pytest.approx(min(seconds, 30.0))
    assert heard_of(bytes(content)).seconds == pytest.approx(seconds)
    assert pitch_of(clip.waveform[8_000:24_000], 8_000) == pytest.approx(HIGH, abs=2)


def test_an_excerpt_is_what_the_whole_has_there() -> None:
    """Frames need bytes of those before them; enough of those go in front of an excerpt."""
    content = bytes(512) + sweep(90.0)
    reader = ClipReader(RATE)

    middle = reader.read(content).waveform.copy()
    whole = ClipReader(RATE, longest_seconds=100.0).read(content).waveform

    start = round((len(whole) + 529 - 30 * RATE) / 2)
    lag = max(
        range(-1_200, 1_200),
        key=lambda lag: float(np.dot(middle[:4_000], whole[start + lag :][:4_000])),
    )
    np.testing.assert_allclose(middle, whole[start + lag :][: len(middle)], atol=1e-5)
