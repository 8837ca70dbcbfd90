"""A single file is given to nobody before it says what its model says."""

from __future__ import annotations

import io

import numpy as np
import soundfile

from genre_model.errors import ModelError
from genre_model.exported.single_file import SONG_FILE
from genre_model.exported.single_file.song import PROBABILITIES, SAMPLES, WINDOWS
from genre_model.judging.judgement import Judgement
from genre_model.learning.bundle import Bundle
from genre_model.portable.session import first_line, open_session

CLOSE = 1e-3
"""How far a window's probability may be from the model's: features that were rounded to float16 may
differ by its last bit."""
CLOSE_JOINED = 1e-5


def check_same(content: bytes, bundle: Bundle) -> None:
    """Refuse a single file that says other things than its model of a made song.

    The song is a tone that rises through noise, half as long again as a segment.

    Parameters
    ----------
    content : bytes
        The ONNX file.
    bundle : Bundle
        The model.

    Raises
    ------
    ModelError
        If it does not open, or says something else.
    """
    rate = bundle.features.mel.sample_rate
    samples = _made(3 * bundle.features.cutting.segment_samples[0] // 2, rate)
    try:
        session = open_session(content)
        found, joined = session.run([WINDOWS, PROBABILITIES], {SAMPLES: samples})
    except ModelError as error:
        raise ModelError(f"{SONG_FILE} {error}; leave --single-file out") from error
    except Exception as error:  # onnxruntime's own have no base
        raise ModelError(
            f"{SONG_FILE} fails ({first_line(error)}); leave --single-file out"
        ) from error
    off = _off(found, _expected(bundle, samples, rate))
    if not off <= CLOSE:
        raise ModelError(
            f"{SONG_FILE} says other things than the model of a window, by up to {off:.2g}; "
            "leave --single-file out"
        )
    off = _off(joined, Judgement.from_params(bundle.params).of_track(found.astype(np.float64)))
    if not off <= CLOSE_JOINED:
        raise ModelError(
            f"{SONG_FILE} joins windows otherwise than the model, by up to {off:.2g}; "
            "leave --single-file out"
        )


def _expected(bundle: Bundle, samples: np.ndarray, rate: int) -> np.ndarray:
    """Return what the model says of the windows [windows, genres]."""
    wave = io.BytesIO()
    soundfile.write(wave, samples, rate, format="WAV", subtype="FLOAT")
    classifier = bundle.classifier()
    heard = bundle.extractor().long_windows(wave.getvalue())
    return np.concatenate([classifier.probabilities(windows) for _, windows in heard])


def _off(found: np.ndarray, expected: np.ndarray) -> float:
    """Return the largest difference; infinite where there are not as many numbers."""
    return float(np.abs(found - expected).max()) if found.shape == expected.shape else np.inf


def _made(count: int, rate: int) -> np.ndarray:
    """Return samples [count], float32, at most 1."""
    time_s = np.arange(count) / rate
    rises_hz = 100 + 0.02 * rate * time_s / time_s[-1]
    noise = np.random.default_rng(0).normal(0, 0.05, count)
    loudness = 0.6 + 0.4 * np.sin(time_s)
    made: np.ndarray = loudness * (noise + 0.2 * np.sin(2 * np.pi * rises_hz * time_s))
    return made.clip(-1, 1).astype(np.float32)
