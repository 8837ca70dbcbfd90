"""Log-mel windows: their bank, their buffers, and what a worker needs for them."""

from __future__ import annotations

import pickle
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from signals import band_noise, encoded

from genre_model.errors import InvalidSpec
from genre_model.frontends import PRESETS as ALL
from genre_model.frontends.log_mel import DEFAULT, NOTEBOOK, LogMel, LogMelExtractor
from genre_model.mel import clip_windows
from genre_model.signal.scales import half_of_positive
from genre_model.signal.status import ClipDefect, Status

RATE = 44_100
PRESETS = {name: each for name, each in ALL.items() if isinstance(each, LogMel)}


def power_mel(samples: np.ndarray, *, rate: int, spec: LogMel) -> np.ndarray:
    """Compute it our way."""
    return spec.build().log_mel.power_mel(samples, rate=rate)


def test_what_is_above_the_band_does_not_leak_into_it() -> None:
    spec = DEFAULT
    time = np.arange(5 * RATE) / RATE
    fade = np.minimum(1, 8 * np.minimum(time, time[::-1]))
    low = (1e-3 * np.sin(2 * np.pi * 300 * time) * fade).astype(np.float32)
    high = (0.5 * np.sin(2 * np.pi * 15_000 * time) * fade).astype(np.float32)

    alone = power_mel(low, rate=RATE, spec=spec)

    assert power_mel(high, rate=RATE, spec=spec).max() < 1e-5 * alone.max()
    assert np.abs(power_mel(low + high, rate=RATE, spec=spec) - alone).max() < 1e-4 * alone.max()


@given(gain=st.floats(1e-3, 10.0))
@settings(max_examples=10, deadline=None)
def test_power_goes_with_the_square_of_the_level(gain: float) -> None:
    samples = 0.1 * np.random.default_rng(7).standard_normal(RATE).astype(np.float32)
    spec = DEFAULT

    louder = power_mel(np.float32(gain) * samples, rate=RATE, spec=spec)

    assert np.allclose(louder, gain**2 * power_mel(samples, rate=RATE, spec=spec), rtol=1e-3)


@pytest.mark.parametrize("seconds", [95.0, 30.0, 0.5])
def test_what_the_audio_is_is_told(seconds: float) -> None:
    time = np.arange(int(seconds * 32_000)) / 32_000
    sides = np.stack([0.5 * np.sin(2 * np.pi * 500 * time), np.zeros_like(time)], axis=1)

    sound = clip_windows(encoded(sides, rate=32_000, format="FLAC")).sound

    assert sound is not None
    assert (sound.sample_rate, sound.channels) == (32_000, 2)
    assert sound.file_s == pytest.approx(seconds)
    # a quarter of full scale in the mean of both sides, and a sine's 3 dB
    assert sound.level_db == pytest.approx(-12.04 - 3.01, abs=0.01)


def test_of_what_does_not_decode_nothing_is_known() -> None:
    assert clip_windows(b"this is no music").sound is None


def test_every_float16_and_what_lies_between_is_rounded_as_numpy_does() -> None:
    grid = np.arange(0x7C00, dtype=np.uint16).view(np.float16).astype(np.float32)
    between = (grid[1:] + grid[:-1]) / 2
    values = np.concatenate(
        [
            grid,
            between,
            np.nextafter(between, np.float32(0)),
            np.nextafter(between, np.float32(1e5)),
        ]
    )

    assert np.array_equal(half_of_positive(values), values.astype(np.float16))


def test_the_scales_ends() -> None:
    notebook, default = NOTEBOOK.build().log_mel, DEFAULT.build().log_mel
    power = np.array([0.0, 1e-30, 1.0, 1e38], dtype=np.float32)

    assert notebook.scaled(power.copy()).tolist() == pytest.approx(
        [0, 0, np.log(2), 87.5], abs=0.01
    )
    assert default.scaled(power.copy()).tolist() == pytest.approx([-100, -100, 0, 380])


@given(
    samples=hnp.arrays(
        np.float32,
        st.integers(70_000, 80_000),
        elements=st.floats(-1e5, 1e5, width=32),
        fill=st.sampled_from([np.float32(0), np.float32(1e-40), np.float32(-1), np.float32(3e4)]),
    ),
    name=st.sampled_from(sorted(PRESETS)),
)
@settings(max_examples=25, deadline=None)
def test_windows_are_always_finite(samples: np.ndarray, name: str) -> None:
    clip = clip_windows(encoded(samples, rate=22_050, format="WAV", subtype="FLOAT"), preset=name)

    assert clip.status in (Status.PARTIAL, Status.SILENT)
    if clip.windows is not None:
        assert np.isfinite(clip.windows).all()


def test_buffers_that_are_kept_leak_nothing_into_the_next_clip() -> None:
    extractor = DEFAULT.build()
    clips = [
        encoded(band_noise(30.0, seed=1)),
        encoded(band_noise(8.0, seed=2, channels=1), rate=22_050, format="WAV"),
        b"no audio",
        encoded(band_noise(12.0, seed=3, rate=48_000), rate=48_000, format="OGG"),
        encoded(band_noise(30.0, seed=4, channels=1)),
    ]
    alone = [LogMelExtractor(extractor.spec, extractor.bank).windows(clip) for clip in clips]

    together = [extractor.windows(clip) for clip in clips]

    for one, other in zip(alone, together, strict=True):
        assert (one.status, one.seconds) == (other.status, other.seconds)
        assert np.array_equal(one.windows, other.windows)  # type: ignore[arg-type]


def test_threads_do_not_share_buffers() -> None:
    contents = [encoded(band_noise(10.0, seed=seed)) for seed in range(2)]
    expected = [clip_windows(content).windows for content in contents]
    wrong: list[int] = []

    def work(index: int) -> None:
        found = [clip_windows(contents[index]).windows for _ in range(8)]
        wrong.extend(index for each in found if not np.array_equal(each, expected[index]))  # type: ignore[arg-type]

    threads = [threading.Thread(target=work, args=(index,)) for index in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert wrong == []


def test_an_extractor_travels_small_and_unchanged() -> None:
    extractor = NOTEBOOK.build()
    content = encoded(band_noise(4.0))
    extractor.windows(content)

    sent = pickle.dumps(extractor)

    assert len(sent) < 10_000
    assert np.array_equal(
        pickle.loads(sent).windows(content).windows,
        extractor.windows(content).windows,  # type: ignore[arg-type]
    )


def test_a_worker_needs_only_numpy_scipy_soundfile_and_soxr(tmp_path: Path) -> None:
    (tmp_path / "extractor").write_bytes(pickle.dumps(DEFAULT.build()))
    (tmp_path / "clip.mp3").write_bytes(encoded(band_noise(4.0)))
    program = """
import pathlib, pickle, sys
extractor = pickle.loads(pathlib.Path("extractor").read_bytes())
print(extractor.windows(pathlib.Path("clip.mp3").read_bytes()).status)
heavy = "librosa numba tensorflow keras prefect dask zarr pandas matplotlib fsspec".split()
print(*[name for name in heavy if name in sys.modules])
"""

    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=tmp_path,
        env={"PYTHONPATH": str(Path(__file__).parents[3])},
        capture_output=True,
        text=True,
        check=True,
    )

    assert done.stdout.splitlines() == ["partial", ""]


def test_a_long_file_is_turned_into_windows_without_a_gap(tmp_path: Path) -> None:
    spec = DEFAULT
    samples = band_noise(75.0, rate=22_050, channels=1)
    path = tmp_path / "long.wav"
    path.write_bytes(encoded(samples, rate=22_050, format="WAV", subtype="FLOAT"))
    extractor = spec.build()

    segments = list(extractor.long_windows(path))

    step = spec.windows * spec.window_seconds
    assert [start for start, _ in segments] == pytest.approx([0.0, step, 2 * step])
    assert [len(windows) for _, windows in segments] == [10, 10, 5]
    whole = power_mel(samples, rate=22_050, spec=spec)
    expected = extractor.log_mel.scaled(whole[:, : 25 * 128].copy()).reshape(128, 25, 128)
    found = np.concatenate([windows for _, windows in segments]).transpose(1, 0, 2)
    inside = slice(1, -1)  # the frames at a segment's ends see zeros where the whole sees music
    assert np.abs(found[..., inside] - expected[..., inside]).max() < 0.05


def test_a_variable_bit_rate_without_a_frame_count_is_predicted_to_its_end() -> None:
    content = encoded(band_noise(40.0, channels=1), bitrate_mode="VARIABLE", compression=0.8)
    extractor = DEFAULT.build()

    segments = list(extractor.long_windows(content.replace(b"Xing", b"____", 1)))

    assert sum(len(windows) for _, windows in segments) == 13


def test_a_clip_predicts_from_the_windows_it_was_trained_on() -> None:
    content = encoded(band_noise(30.0))
    extractor = DEFAULT.build()

    segments = list(extractor.long_windows(content))

    assert len(segments) == 1
    assert segments[0][0] == 0.0
    assert np.array_equal(segments[0][1], clip_windows(content).windows)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("content", "status"),
    [
        (b"", Status.EMPTY),
        (b"text" * 1_000, Status.UNDECODABLE),
        (encoded(band_noise(1.0)), Status.SHORT),
        (encoded(np.full(200_000, np.nan), format="WAV", subtype="FLOAT"), Status.UNDECODABLE),
    ],
)
def test_long_windows_of_a_bad_file_say_what_it_is(content: bytes, status: Status) -> None:
    with pytest.raises(ClipDefect) as caught:
        list(DEFAULT.build().long_windows(content))

    assert caught.value.status == status
    assert status.value in str(caught.value)


def test_an_unknown_preset_is_the_callers_error() -> None:
    with pytest.raises(InvalidSpec, match="loud"):
        clip_windows(b"", preset="loud")
