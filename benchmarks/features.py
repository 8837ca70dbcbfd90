"""What a clip's features cost, as ratios to decoding it: ``python -m benchmarks.features``.

Every way is run on every clip, one after another, clip by clip, so that whatever else the machine
does meets all of them alike. A time is the CPU time of this thread, with BLAS kept to one thread; a
row is the median over all clips, and its ratio the median of the clips' own ratios.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import soundfile

from genre_model.demo import plan_demo, render_track
from genre_model.frontends.log_mel import DEFAULT, NOTEBOOK, LogMel
from genre_model.signal.waveforms import ClipReader

ONE_THREAD = {f"{pool}_NUM_THREADS": "1" for pool in ("OMP", "OPENBLAS", "MKL", "NUMBA")}
Way = Callable[[bytes], object]

REAL_MUSIC = Path(__file__).parents[1].parent / "shared" / "real_music"
BASELINE = "decode only: soundfile.read"


def load_clips(folder: Path | None, *, count: int) -> tuple[str, list[bytes]]:
    """Return where the clips are from, and 44.1 kHz stereo ones of about 30 s."""
    if folder is None:
        tracks = [each for each in plan_demo().tracks if each.defect is None]
        tracks = [t for t in tracks if (t.encoding.rate, t.encoding.channels) == (44_100, 2)]
        return "built-in data set", [render_track(each) or b"" for each in tracks[:count]]
    clips: list[bytes] = []
    for path in sorted(folder.glob("fma_*/*/*.mp3")):
        if len(clips) < count and _is_usual(path):
            clips.append(path.read_bytes())
    return str(folder.name), clips


def _is_usual(path: Path) -> bool:
    try:
        info = soundfile.info(path)
    except soundfile.LibsndfileError:
        return False
    usual = (info.samplerate, info.channels) == (44_100, 2) and 29.5 < info.duration < 31
    # A hundredth of the usual size is silence.
    return usual and path.stat().st_size > 100_000


def decode_only(content: bytes) -> np.ndarray:
    """Decode, no more: what all the rest is compared with."""
    samples, _ = soundfile.read(io.BytesIO(content), dtype="float32")
    return np.asarray(samples)


def plain_librosa(content: bytes) -> np.ndarray:
    """Compute the default preset's spectrogram as librosa's tutorial does."""
    import librosa

    spec = DEFAULT
    samples, rate = librosa.load(io.BytesIO(content), sr=spec.sample_rate)
    decibels: np.ndarray = librosa.power_to_db(_melspectrogram(samples, rate, spec))
    return decibels


def notebook(content: bytes) -> None:
    """Compute the notebook preset's spectrogram and save it as text, as the notebook did."""
    import librosa

    spec = NOTEBOOK
    samples, rate = librosa.load(io.BytesIO(content), sr=spec.sample_rate)
    np.savetxt(io.BytesIO(), np.log1p(_melspectrogram(samples, rate, spec)))


def _melspectrogram(samples: np.ndarray, rate: float, spec: LogMel) -> np.ndarray:
    import librosa

    power: np.ndarray = librosa.feature.melspectrogram(
        y=samples,
        sr=rate,
        n_fft=spec.n_fft,
        hop_length=spec.hop_length,
        n_mels=spec.n_mels,
        fmin=spec.f_min,
        fmax=spec.f_max,
    )
    return power


def ways() -> dict[str, Way]:
    """Return what is compared, by name."""
    default, small = DEFAULT.build(), NOTEBOOK.build()
    return {
        BASELINE: decode_only,
        "ours: decode, average the channels": ClipReader(44_100).read,
        "ours: and resample": ClipReader(default.spec.cutting.sample_rate).read,
        "ours: and all the rest, default preset": default.windows,
        "ours: and all the rest, notebook preset": small.windows,
        "librosa: load, melspectrogram, power_to_db": plain_librosa,
        "notebook: librosa and savetxt": notebook,
    }


def measure(clips: list[bytes], compared: dict[str, Way]) -> dict[str, list[float]]:
    """Return the thread's CPU seconds of every way for every clip."""
    seconds: dict[str, list[float]] = {name: [] for name in compared}
    for way in compared.values():
        way(clips[0])
    for clip in clips:
        for name, way in compared.items():
            start = time.thread_time()
            way(clip)
            seconds[name].append(time.thread_time() - start)
    return seconds


def table(seconds: dict[str, list[float]]) -> list[dict[str, object]]:
    """Return one row a way: milliseconds, and the ratio to decoding."""
    base = seconds[BASELINE]
    return [
        {
            "way": name,
            "ms": round(1_000 * statistics.median(mine), 2),
            "ratio": round(statistics.median(a / b for a, b in zip(mine, base, strict=True)), 3),
        }
        for name, mine in seconds.items()
    ]


def main() -> None:
    """Measure and print."""
    if ONE_THREAD.items() - os.environ.items():
        # They are read when numpy is imported.
        os.execve(sys.executable, sys.orig_argv, {**os.environ, **ONE_THREAD})
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clips", type=int, default=40, help="how many clips")
    parser.add_argument("--data", type=Path, help="a folder of FMA's layout")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    options = parser.parse_args()
    real = Path(os.environ.get("GENRE_REAL_MUSIC", REAL_MUSIC))
    folder = options.data or (real if real.is_dir() else None)
    source, clips = load_clips(folder, count=options.clips)
    if not clips:
        parser.error(f"there are no 30-second clips of 44.1 kHz stereo in {folder}; give --data")
    rows = table(measure(clips, ways()))
    if options.json:
        print(json.dumps({"clips": len(clips), "source": source, "features": rows}))
        return
    print(f"{len(clips)} clips of 30 s, 44.1 kHz stereo, from {source}; CPU time of one thread\n")
    print(f"{'':44}{'ms a clip':>10}{'ratio':>8}")
    for row in rows:
        print(f"{row['way']:44}{row['ms']:10.1f}{row['ratio']:8.2f}")


if __name__ == "__main__":
    main()
