"""Audio that tests make themselves: waveforms, and files of them."""

from __future__ import annotations

import io

import numpy as np
import soundfile

from genre_model.signal.audio import AudioSource, Source
from genre_model.signal.waveforms import ClipReader


def band_noise(
    seconds: float, *, rate: int = 44_100, channels: int = 2, seed: int = 0
) -> np.ndarray:
    """Make tones in noise, other in each channel: float32 [frames, channels], RMS near -12 dBFS."""
    rng = np.random.default_rng(seed)
    time = np.arange(round(seconds * rate)) / rate
    columns = []
    for _ in range(channels):
        tones = sum(np.sin(2 * np.pi * f * time + f) for f in rng.uniform(60, 3_000, size=4))
        columns.append(0.12 * tones + 0.05 * rng.standard_normal(len(time)))
    return np.stack(columns, axis=1).astype(np.float32)


def encoded(
    samples: np.ndarray,
    *,
    rate: int = 44_100,
    format: str = "MP3",  # noqa: A002 - soundfile's word
    subtype: str | None = None,
    bitrate_mode: str | None = None,
    compression: float | None = None,
) -> bytes:
    """Encode samples [frames] or [frames, channels] with libsndfile."""
    content = io.BytesIO()
    channels = 1 if samples.ndim == 1 else samples.shape[1]
    with soundfile.SoundFile(
        content,
        "w",
        rate,
        channels,
        format=format,
        subtype=subtype,
        bitrate_mode=bitrate_mode,
        compression_level=compression,
    ) as file:
        # libsndfile's Vorbis encoder puts a whole write on the stack, which is not that large.
        for start in range(0, len(samples), 1 << 16):
            file.write(samples[start : start + (1 << 16)])
    return content.getvalue()


def decode(audio: AudioSource, *, longest_seconds: float = 31.0) -> tuple[np.ndarray, int]:
    """Read a clip at its own rate: the mean of its channels (float32 [frames]), and the rate."""
    with Source(audio) as source, source.open() as file:
        rate = file.samplerate
    return ClipReader(rate, longest_seconds=longest_seconds).read(audio).waveform.copy(), rate
