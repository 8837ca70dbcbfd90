"""What frontends make is librosa's: mel spectra, windows of them, statistics, patches.

librosa compiles for half a minute where it never ran before: what compares with it lies together.
"""

from __future__ import annotations

from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import librosa
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_nets import BANDS, FRAMES, mean_net
from signals import band_noise, decode, encoded

from genre_model.frontends import PRESETS as ALL
from genre_model.frontends.backbone import Backbone, NetSpec
from genre_model.frontends.log_mel import DEFAULT, LogMel
from genre_model.frontends.mfcc import MFCC, Mfcc
from genre_model.mel import clip_windows
from genre_model.signal.filters import MelBank
from genre_model.signal.status import Status

RATE = 44_100
PRESETS = {name: each for name, each in ALL.items() if isinstance(each, LogMel)}
# Relative error of power; and what a spectrum in single precision leaves undecided, relative to the
# loudest value of the clip (-110 dB): librosa windows and transforms in double precision, we in
# single. Real music needs a tenth of it.
RELATIVE, FLOOR = 1e-4, 1e-11


def reference(samples: np.ndarray, rate: int, spec: LogMel) -> np.ndarray:
    """Compute the power mel spectrum the plain way: average, resample, librosa."""
    mono = samples.mean(axis=1) if samples.ndim == 2 else samples
    if rate != spec.sample_rate:
        mono = librosa.resample(mono, orig_sr=rate, target_sr=spec.sample_rate, res_type="soxr_hq")
    power: np.ndarray = librosa.feature.melspectrogram(
        y=mono,
        sr=spec.sample_rate,
        n_fft=spec.n_fft,
        hop_length=spec.hop_length,
        n_mels=spec.n_mels,
        fmin=spec.f_min,
        fmax=spec.f_max,
    )
    return power


def check_agreement(samples: np.ndarray, rate: int, spec: LogMel) -> None:
    """Check every frame, those at the clip's ends too."""
    expected = reference(samples, rate, spec)

    power = spec.build().log_mel.power_mel(samples, rate=rate)

    assert power.dtype == np.float32
    assert power.shape == expected.shape
    np.testing.assert_allclose(power, expected, rtol=RELATIVE, atol=FLOOR * expected.max())


def waveform(kind: str, seconds: float = 3.0, rate: int = RATE) -> np.ndarray:
    """Make a test signal, float32."""
    time = np.arange(round(seconds * rate)) / rate
    signals = {
        "silence": 0 * time,
        "noise": 0.1 * np.random.default_rng(7).standard_normal(len(time)),
        "click": time == 1.0,
        "sine": 0.5 * np.sin(2 * np.pi * 1_000 * time),
        "cosine": 0.5 * np.cos(2 * np.pi * 1_000 * time),
        "sweep": 0.5 * np.sin(2 * np.pi * (20 + (10_000 - 20) / (2 * seconds) * time) * time),
    }
    return np.asarray(signals[kind], dtype=np.float32)


@pytest.mark.parametrize("rate", [22_050, 44_100, 48_000, 88_200, 16_000])
@pytest.mark.parametrize("kind", ["silence", "noise", "click", "sine", "cosine", "sweep"])
@pytest.mark.parametrize("name", sorted(PRESETS))
def test_power_is_librosas(name: str, kind: str, rate: int) -> None:
    check_agreement(waveform(kind, rate=rate), rate, PRESETS[name])


@pytest.mark.filterwarnings("ignore:n_fft=.* is too large:UserWarning")
@pytest.mark.parametrize("length", [1, 2, 511, 1_023, 1_024, 2_047, 4_001, 44_101])
@pytest.mark.parametrize("name", sorted(PRESETS))
def test_power_is_librosas_for_any_length(name: str, length: int) -> None:
    check_agreement(waveform("noise")[:length], RATE, PRESETS[name])


@given(half=st.integers(32, 300), hop=st.integers(1, 600), length=st.integers(1, 3_000))
@settings(max_examples=60, deadline=None)
@pytest.mark.filterwarnings("ignore:n_fft=.* is too large:UserWarning")
def test_power_is_librosas_for_any_frame_and_hop(half: int, hop: int, length: int) -> None:
    spec = replace(DEFAULT, n_fft=2 * half, hop_length=min(hop, 2 * half), n_mels=4, windows=1)

    check_agreement(waveform("noise")[:length], spec.sample_rate, spec)


@pytest.mark.parametrize("channels", [2, 3])
def test_channels_are_averaged(channels: int) -> None:
    check_agreement(band_noise(3.0, channels=channels), RATE, DEFAULT)


@pytest.mark.parametrize("track", ["000/000238", "030/030669", "077/077207", "091/091470"])
@pytest.mark.parametrize("name", sorted(PRESETS))
def test_power_of_real_music_is_librosas(name: str, track: str, real_music: Path) -> None:
    samples, rate = decode(real_music / "fma_small" / f"{track}.mp3")

    check_agreement(samples, rate, PRESETS[name])


@pytest.mark.parametrize("name", sorted(PRESETS))
def test_windows_are_cut_from_the_scaled_spectrum(name: str) -> None:
    spec = PRESETS[name]
    content = encoded(band_noise(30.0), format="FLAC")
    samples, rate = decode(content)
    power = reference(samples, rate, spec)
    values = np.log1p(power) if name == "notebook" else librosa.power_to_db(power, top_db=None)

    clip = clip_windows(content, preset=name)

    assert (clip.status, clip.detail, clip.seconds) == (Status.OK, "", 30.0)
    assert clip.windows is not None
    assert clip.windows.dtype == np.float16
    assert clip.windows.shape == spec.row_shape
    for window, cut in enumerate(clip.windows):
        start = window * spec.window_stride
        expected = values[:, start : start + spec.window_frames]
        np.testing.assert_allclose(cut, expected, rtol=1e-3, atol=1e-3)


def coefficients(samples: np.ndarray, rate: int, spec: Mfcc) -> np.ndarray:
    """Compute coefficients the plain way [frames, coefficients]."""
    mono = samples.mean(axis=1) if samples.ndim == 2 else samples
    waveform = librosa.resample(mono, orig_sr=rate, target_sr=spec.sample_rate, res_type="soxr_hq")
    power = librosa.feature.melspectrogram(
        y=waveform, sr=spec.sample_rate, n_fft=spec.n_fft, hop_length=spec.hop_length
    )
    values: np.ndarray = librosa.feature.mfcc(
        S=librosa.power_to_db(power, top_db=None), n_mfcc=spec.coefficients
    )
    return values.T


def test_a_window_holds_the_statistics_of_librosas_coefficients() -> None:
    content = encoded(band_noise(30.0), format="FLAC")
    samples, rate = decode(content)
    values = coefficients(samples, rate, MFCC)

    clip = clip_windows(content, preset="mfcc")

    assert (clip.status, clip.seconds) == (Status.OK, 30.0)
    assert clip.windows is not None
    assert (clip.windows.shape, clip.windows.dtype) == ((10, 80), np.float16)
    for number, window in enumerate(clip.windows.astype(np.float64)):
        own = values[128 * number : 128 * number + 128]
        moving = librosa.feature.delta(own, width=9, axis=0)[4:-4]
        parts = [own.mean(axis=0), own.std(axis=0), moving.mean(axis=0), moving.std(axis=0)]
        np.testing.assert_allclose(window, np.concatenate(parts), rtol=2e-3, atol=2e-2)


@pytest.mark.parametrize("name", sorted(PRESETS))
def test_the_bank_is_librosas_matrix(name: str) -> None:
    spec = PRESETS[name]
    matrix = librosa.filters.mel(
        sr=spec.sample_rate, n_fft=spec.n_fft, n_mels=spec.n_mels, fmin=spec.f_min, fmax=spec.f_max
    )
    bank = MelBank.build(spec.mel)

    together = np.zeros_like(matrix)
    for group in bank.groups():
        together[group.bands, group.bins] = group.weights.T

    assert np.array_equal(bank.matrix(), matrix)
    assert np.array_equal(together, matrix)


def backbone_of(net: bytes, *, patches: str, frames: int, values: int) -> Backbone:
    spec = NetSpec(name="net", sha256=sha256(net).hexdigest(), output="embedding", values=values)
    return Backbone(name="made", patches=patches, frames=frames, nets=(spec,))


def test_patches_are_those_that_were_published() -> None:
    samples = band_noise(30.0, rate=16_000, channels=1).reshape(-1)[: 30 * 16_000]
    power = librosa.feature.melspectrogram(
        y=samples, sr=16_000, n_fft=512, hop_length=256, n_mels=96
    )
    expected = np.log10(10_000 * power + 1).T[: 10 * FRAMES].reshape(10, FRAMES, BANDS)

    net = mean_net(5)
    made = backbone_of(net, patches="musicnn", frames=FRAMES, values=5).build()
    found = made.given((net,)).cut_patches(samples, whole=10)

    assert found.dtype == np.float32
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-4)


def test_patches_of_yamnet_are_magnitudes_of_frames_that_are_not_centred() -> None:
    samples = band_noise(30.0, rate=16_000, channels=1).reshape(-1)[: 30 * 16_000]
    net = mean_net(3, frames=96, bands=64)
    made = backbone_of(net, patches="yamnet", frames=96, values=3).build()
    frames = np.lib.stride_tricks.sliding_window_view(samples, 400)[::160]
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(400) / 400)
    magnitude = np.abs(np.fft.rfft(frames * window, 512))
    filters = librosa.filters.mel(
        sr=16_000, n_fft=512, n_mels=64, fmin=125, fmax=7_500, htk=True, norm=None
    )
    expected = np.log(magnitude @ filters.T + 0.001)

    found = made.cut_patches(samples, whole=made.spec.windows)

    assert (made.spec.windows, len(expected)) == (31, 2_998)
    np.testing.assert_allclose(found.reshape(-1, 64), expected[: 31 * 96], rtol=1e-4, atol=1e-4)
    # the frame after the last sample that a frame needs is the next one's
    assert made.cutting.whole_windows(95 * 160 + 400) == 1
    assert made.cutting.whole_windows(95 * 160 + 399) == 0
