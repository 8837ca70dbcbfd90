"""Audio files: formats, which part is read, headers that lie, and a status for what is bad."""

from __future__ import annotations

import os
import struct
import tracemalloc
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from signals import band_noise, decode, encoded

from genre_model.errors import AudioError
from genre_model.mel import clip_windows
from genre_model.signal.audio import Source
from genre_model.signal.downmix import HALF_LSB
from genre_model.signal.status import ClipDefect, Status
from genre_model.signal.waveforms import ClipReader
from storage.array.layout import ABSENT

RATE = 44_100


def with_frame_count(mp3: bytes, frames: int) -> bytes:
    """Write another number of MP3 frames into the Xing header."""
    at = max(mp3.find(b"Xing"), mp3.find(b"Info")) + 8
    return mp3[:at] + struct.pack(">I", frames) + mp3[at + 4 :]


def without_frame_count(mp3: bytes) -> bytes:
    """Make the Xing header unknown, as if there were none."""
    return mp3.replace(b"Xing", b"____", 1).replace(b"Info", b"____", 1)


def with_flac_total(flac: bytes, samples: int) -> bytes:
    """Write another number of samples (36 bits) into STREAMINFO."""
    word = int.from_bytes(flac[18:26], "big") >> 36 << 36 | samples
    return flac[:18] + word.to_bytes(8, "big") + flac[26:]


def wav_header(*, rate: int, channels: int, data_bytes: int) -> bytes:
    """Make the header of a 16-bit WAV file."""
    block = 2 * channels
    form = struct.pack("<HHIIHH", 1, channels, rate, rate * block % 2**32, block, 16)
    riff = b"RIFF" + struct.pack("<I", (36 + data_bytes) % 2**32) + b"WAVE"
    return riff + b"fmt " + struct.pack("<I", 16) + form + b"data" + struct.pack("<I", data_bytes)


def test_three_statuses_are_kept() -> None:
    assert [status for status in Status if status.kept] == ["ok", "partial", "quiet"]
    assert len(Status) == 12


def test_the_word_for_rows_without_a_track_is_storages_own() -> None:
    assert ABSENT not in set(Status)
    assert ABSENT in (Status.__doc__ or "")


@pytest.mark.parametrize("rate", [22_050, 44_100, 48_000])
@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("format", ["WAV", "FLAC", "OGG", "MP3"])
def test_formats_decode_to_what_was_encoded(format: str, channels: int, rate: int) -> None:  # noqa: A002
    samples = band_noise(2.0, rate=rate, channels=channels)

    decoded, decoded_rate = decode(encoded(samples, rate=rate, format=format))

    assert decoded.dtype == np.float32
    assert decoded_rate == rate
    assert len(decoded) == pytest.approx(len(samples), abs=0.03 * rate)
    both = min(len(decoded), len(samples))
    assert np.corrcoef(decoded[:both], samples[:both].mean(axis=1))[0, 1] > 0.9


def test_bytes_and_path_are_the_same(tmp_path: Path) -> None:
    content = encoded(band_noise(4.0))
    path = tmp_path / "clip.raw"  # a name from which soundfile would conclude something else
    path.write_bytes(content)

    assert np.array_equal(decode(content)[0], decode(path)[0])
    assert np.array_equal(decode(content)[0], decode(str(path))[0])


@pytest.mark.parametrize("seconds", [30.9, 31.1, 45.0])
def test_a_long_file_is_read_in_its_middle(seconds: float) -> None:
    ramp = np.linspace(0, 0.9, round(seconds * 8_000))
    content = encoded(ramp, rate=8_000, format="WAV", subtype="FLOAT")

    samples, rate = decode(content)

    if seconds <= 31:
        assert np.allclose(samples, ramp)
    else:
        start = (len(ramp) - 30 * rate) // 2
        assert np.allclose(samples, ramp[start : start + 30 * rate])


def test_the_middle_of_an_mp3_is_found_to_the_sample() -> None:
    content = encoded(band_noise(50.0, channels=1))

    middle, _ = decode(content)
    whole, _ = decode(content, longest_seconds=100.0)

    start = (len(whole) - len(middle)) // 2
    assert len(middle) == 30 * RATE
    assert np.allclose(middle, whole[start : start + len(middle)], atol=1e-4)


@pytest.mark.parametrize("frames", [460 * 100, 460 * 3, 2**32 - 1])
def test_an_mp3_that_promises_more_gives_what_there_is(frames: int) -> None:
    content = encoded(band_noise(12.0))

    seconds = len(decode(with_frame_count(content, frames))[0]) / RATE

    assert seconds == pytest.approx(12.0, abs=0.1)


def test_a_long_mp3_that_promises_more_gives_its_true_middle() -> None:
    content = encoded(band_noise(40.0, channels=1))

    told, _ = decode(with_frame_count(content, 2**31))
    whole, _ = decode(content, longest_seconds=100.0)

    assert len(told) == 30 * RATE
    at = 5 * RATE + 4_000
    around = whole[at - 4_000 : at + 14_000]
    fit = np.correlate(around, told[4_000:14_000], "valid")
    assert abs(int(fit.argmax()) - 4_000) < 1_200  # less than one MP3 frame of padding


@pytest.mark.parametrize("share", [0.05, 0.4, 0.9])
def test_a_truncated_mp3_gives_what_is_left(share: float) -> None:
    content = encoded(band_noise(20.0))

    samples, rate = decode(content[: round(share * len(content))])

    assert len(samples) / rate == pytest.approx(share * 20.0, abs=0.2)


@pytest.mark.parametrize("forget", [without_frame_count, partial(with_frame_count, frames=0)])
@pytest.mark.parametrize("compression", [0.2, 0.8])
def test_a_variable_bit_rate_without_a_frame_count_is_read_to_its_end(
    tmp_path: Path, compression: float, forget: Callable[[bytes], bytes]
) -> None:
    samples = band_noise(20.0)
    whole = encoded(samples, bitrate_mode="VARIABLE", compression=compression)
    content = forget(whole)
    path = tmp_path / "clip.mp3"
    path.write_bytes(content)

    for audio in (content, path):
        decoded, rate = decode(audio)
        assert len(decoded) / rate == pytest.approx(20.0, abs=0.1)
    assert path.read_bytes() == content


@pytest.mark.parametrize("total", [0, 60 * RATE, 2**36 - 1])
def test_a_flac_that_lies_about_its_length_gives_what_there_is(total: int) -> None:
    content = with_flac_total(encoded(band_noise(6.0), format="FLAC"), total)

    assert len(decode(content)[0]) == 6 * RATE


def test_a_decoder_that_gives_up_leaves_what_came_before() -> None:
    content = bytearray(encoded(band_noise(12.0), format="FLAC"))
    at = len(content) * 3 // 4
    content[at:at] = bytes(range(256)) * 8

    clip = clip_windows(bytes(content))

    assert clip.status == Status.PARTIAL
    assert clip.seconds == pytest.approx(9.0, abs=0.3)


@pytest.mark.parametrize(
    ("header", "detail"),
    [
        (wav_header(rate=2**31 - 1, channels=2, data_bytes=2**31), "2147483647 Hz"),
        (wav_header(rate=999, channels=1, data_bytes=4_096), "999 Hz"),
        (wav_header(rate=RATE, channels=5_000, data_bytes=4_096), "."),
        (wav_header(rate=RATE, channels=0, data_bytes=4_096), "."),
        (b"ID3\x04\x00\x00\x7f\x7f\x7f\x7f", "."),
        (b"fLaC" + b"\xff" * 64, "."),
        (b"OggS" + b"\x00" * 64, "."),
        (b"The quick brown fox. " * 400, "Format not recognised"),
    ],
)
def test_headers_out_of_all_bounds_are_undecodable(header: bytes, detail: str) -> None:
    with pytest.raises(ClipDefect, match=detail) as caught:
        decode(header + b"\x00\x10" * 2_048)

    assert caught.value.status == Status.UNDECODABLE


def test_a_format_that_is_not_read_is_told_which_are_and_how_to_convert_it() -> None:
    mpeg_4 = b"\x00\x00\x00\x20ftypM4A \x00\x00\x02\x00isomiso2" + b"\x00\x10" * 2_048
    with pytest.raises(ClipDefect) as caught:
        decode(mpeg_4)
    assert caught.value.status == Status.UNDECODABLE
    assert caught.value.detail == (
        "Format not recognised; WAV, AIFF, AU, CAF, W64, FLAC, MP3, Ogg Vorbis and Opus are read; "
        "convert it, as by `ffmpeg -i X X.flac`"
    )


def test_a_thousand_channels_are_averaged_in_bounded_memory() -> None:
    samples = band_noise(3.2, rate=8_000, channels=1)
    content = encoded(np.repeat(samples, 1_000, axis=1), rate=8_000, format="WAV")

    tracemalloc.start()
    clip = ClipReader(8_000).read(content)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert np.allclose(clip.waveform, samples[:, 0], atol=1e-4)
    assert peak < 8 << 20


def test_hours_of_audio_take_the_memory_of_a_clip(tmp_path: Path) -> None:
    path = tmp_path / "hours.wav"
    data_bytes = 4 * RATE * 3_600 * 3
    noise = np.frombuffer(np.random.default_rng(0).bytes(4 * RATE * 40), np.int16) // 8
    with path.open("wb") as file:
        file.write(wav_header(rate=RATE, channels=2, data_bytes=data_bytes))
        file.seek(44 + data_bytes // 2 - 4 * RATE * 20)
        file.write(noise.tobytes())
        file.truncate(44 + data_bytes)

    tracemalloc.start()
    clip = clip_windows(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert (clip.status, clip.seconds) == (Status.OK, 30.0)
    assert peak < 40 << 20


def test_files_that_are_not_there_or_not_files(tmp_path: Path) -> None:
    (tmp_path / "empty.mp3").touch()
    os.mkfifo(tmp_path / "pipe.mp3")

    assert clip_windows(tmp_path / "none.mp3").status == Status.MISSING
    assert clip_windows(tmp_path / "empty.mp3").status == Status.EMPTY
    assert clip_windows(b"").status == Status.EMPTY
    assert clip_windows(tmp_path).status == Status.UNREADABLE
    assert clip_windows(tmp_path / "pipe.mp3").status == Status.UNREADABLE
    assert clip_windows("a\0b").status == Status.UNREADABLE


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_without_permission_is_unreadable(tmp_path: Path) -> None:
    path = tmp_path / "mine.mp3"
    path.write_bytes(encoded(band_noise(1.0)))
    path.chmod(0)

    assert clip_windows(path).status == Status.UNREADABLE


def test_what_is_neither_bytes_nor_a_path_is_the_callers_error() -> None:
    with pytest.raises(AudioError, match="float"):
        clip_windows(1.5)  # type: ignore[arg-type]


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf, 1e30])
def test_samples_that_are_no_audio_are_undecodable(bad: float) -> None:
    samples = band_noise(4.0, channels=2)
    samples[100_000, 1] = bad

    clip = clip_windows(encoded(samples, format="WAV", subtype="FLOAT"))

    assert (clip.status, clip.windows) == (Status.UNDECODABLE, None)
    assert "samples" in clip.detail


@pytest.mark.parametrize("format", ["WAV", "FLAC", "OGG", "MP3"])
def test_digital_silence_is_silent_in_every_format(format: str) -> None:  # noqa: A002
    clip = clip_windows(encoded(np.zeros((30 * RATE, 2)), format=format))

    assert (clip.status, clip.windows) == (Status.SILENT, None)


@pytest.mark.parametrize(
    ("peak", "status"),
    [(0.9 * HALF_LSB, Status.SILENT), (1.1 * HALF_LSB, Status.QUIET), (2**-15, Status.QUIET)],
)
def test_silence_ends_at_half_a_step_of_sixteen_bits(peak: float, status: Status) -> None:
    samples = np.zeros((30 * RATE, 2), dtype=np.float32)
    samples[500_000, 0] = -peak

    assert clip_windows(encoded(samples, format="WAV", subtype="FLOAT")).status == status


@pytest.mark.parametrize(
    ("level", "status"), [(-40, Status.OK), (-59.9, Status.OK), (-60.1, Status.QUIET)]
)
def test_quiet_is_a_loudest_channel_below_minus_sixty_decibels(
    level: float, status: Status
) -> None:
    time = np.arange(30 * RATE) / RATE
    tone = np.sqrt(2) * 10 ** (level / 20) * np.sin(2 * np.pi * 440 * time)
    one_side = np.stack([tone, 0 * tone], axis=1)  # the loudest channel counts

    clip = clip_windows(encoded(one_side, format="WAV", subtype="FLOAT"))

    assert clip.status == status
    assert clip.windows is not None
    assert clip.windows.shape == (10, 128, 128)


@pytest.mark.parametrize(
    ("gains", "status"),
    [
        ([1, -1], Status.OUT_OF_PHASE),
        ([1, -0.999], Status.OUT_OF_PHASE),
        ([1, -1, 1, -1], Status.OUT_OF_PHASE),
        ([1, -0.9], Status.OK),
        ([1, 0], Status.OK),
        ([1e-2, 0, 0, 0, 0, 0], Status.OK),  # its mean is faint, since five channels are empty
        ([1e-4, -1e-4], Status.QUIET),
        ([0, 0], Status.SILENT),
    ],
)
@pytest.mark.parametrize("format", ["WAV", "FLAC"])
def test_channels_that_cancel_are_neither_music_nor_silence(
    gains: list[float],
    status: Status,
    format: str,  # noqa: A002
) -> None:
    samples = band_noise(30.0, channels=1, rate=8_000) * np.array(gains)

    clip = clip_windows(encoded(samples, rate=8_000, format=format, subtype="PCM_24"))

    assert clip.status == status
    assert (clip.windows is None) == (status in (Status.OUT_OF_PHASE, Status.SILENT))


def test_an_mp3_whose_channels_cancel_is_out_of_phase() -> None:
    samples = band_noise(30.0, channels=1)

    clip = clip_windows(encoded(np.hstack([samples, -samples])))

    assert (clip.status, clip.windows) == (Status.OUT_OF_PHASE, None)
    assert clip.detail.startswith("its channels cancel each other: their RMS is -1")


@pytest.mark.parametrize(
    ("seconds", "status", "windows"),
    [
        (0.0, Status.SHORT, None),
        (0.01, Status.SHORT, None),
        (2.9, Status.SHORT, None),
        (3.0, Status.PARTIAL, 1),
        (10.0, Status.PARTIAL, 3),
        (29.6, Status.PARTIAL, 9),
        (29.8, Status.OK, 10),
        (31.0, Status.OK, 10),
    ],
)
def test_length_decides_how_many_windows_are_whole(
    seconds: float, status: Status, windows: int | None
) -> None:
    samples = band_noise(seconds, rate=8_000, channels=1)

    clip = clip_windows(encoded(samples, rate=8_000, format="WAV"))

    assert clip.status == status
    assert clip.seconds == pytest.approx(seconds)
    assert (None if clip.windows is None else len(clip.windows)) == windows


def test_descriptors_are_given_back() -> None:
    descriptors = Path("/proc/self/fd")
    good, bad = encoded(band_noise(1.0)), b"no audio at all"
    clip_windows(good)
    before = len(list(descriptors.iterdir()))

    for _ in range(20):
        clip_windows(good)
        clip_windows(bad)
        clip_windows("/no/such/file")

    assert len(list(descriptors.iterdir())) == before


def test_without_files_in_memory_one_on_disk_serves(monkeypatch: pytest.MonkeyPatch) -> None:
    content = encoded(band_noise(1.0))
    expected = decode(content)[0]

    monkeypatch.delattr(os, "memfd_create")

    assert np.array_equal(decode(content)[0], expected)
    with Source(content) as source:
        assert source.size == len(content)


def test_the_planted_defects_have_their_status(real_music: Path) -> None:
    expected = {
        107_621: Status.EMPTY,
        54_546: Status.UNDECODABLE,
        143_806: Status.SHORT,
        54_658: Status.SHORT,
        130_194: Status.SILENT,
        106_885: Status.QUIET,
        124_505: Status.OK,
        154_489: Status.OK,  # its header promises 5 s more than there are
    }
    names = {number: f"{number:06}" for number in expected}
    folder = real_music / "fma_small"

    found = {
        number: clip_windows(folder / name[:3] / f"{name}.mp3").status
        for number, name in names.items()
    }

    assert found == expected
    assert clip_windows(folder / "070" / "070054.mp3").status == Status.MISSING
