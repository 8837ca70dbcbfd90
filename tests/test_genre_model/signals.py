"""Audio that tests make themselves: waveforms, and files of them."""

from __future__ import annotations

import io

import numpy as np
import soundfile


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
    file = io.BytesIO()
    soundfile.write(
        file,
        samples,
        rate,
        format=format,
        subtype=subtype,
        bitrate_mode=bitrate_mode,
        compression_level=compression,
    )
    return file.getvalue()
