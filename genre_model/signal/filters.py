"""Mel filters: librosa's, in a form that is small to send and quick to apply."""

import io
import math
from dataclasses import dataclass

import numpy as np

from genre_model.signal.mel_spec import MelSpec

# Bands that share one small matrix: fewer make more calls, more make more multiplications by zero.
_GROUP_BANDS = 16
_MOST_OF_A_HEADER = 1_024


@dataclass(frozen=True)
class BandGroup:
    """Neighbouring mel bands and the bins they reach over.

    Parameters
    ----------
    bands, bins : slice
        Which bands of the mel spectrum come from which bins of the spectrum.
    weights : np.ndarray [shape=(bins, bands), float32]
        Filter weights.
    """

    bands: slice
    bins: slice
    weights: np.ndarray


@dataclass(frozen=True)
class MelBank:
    """A mel filter matrix without its zeros.

    Parameters
    ----------
    first : np.ndarray [shape=(bands,), int32]
        First bin of each band.
    counts : np.ndarray [shape=(bands,), int32]
        Bins of each band.
    weights : np.ndarray [shape=(sum of counts,), float32]
        Weights of all bands, one after another.
    bins : int
        Bins of a spectrum.
    """

    first: np.ndarray
    counts: np.ndarray
    weights: np.ndarray
    bins: int

    @classmethod
    def build(cls, spec: MelSpec) -> "MelBank":
        """Make a bank of librosa's filters.

        Imports librosa (5 s): call it once, where work is given out; the bank is a few kilobytes.
        """
        import librosa.filters

        return cls.of_matrix(
            librosa.filters.mel(
                sr=spec.sample_rate,
                n_fft=spec.n_fft,
                n_mels=spec.n_mels,
                fmin=spec.f_min,
                fmax=spec.f_max,
                htk=spec.filters == "htk",
                norm=None if spec.filters == "htk" else "slaney",
                dtype=np.float32,
            )
        )

    @classmethod
    def of_matrix(cls, matrix: np.ndarray) -> "MelBank":
        """Make a bank of a dense matrix [bands, bins] whose rows have no zeros inside."""
        used = matrix > 0
        counts = used.sum(axis=1, dtype=np.int32)
        return cls(used.argmax(axis=1).astype(np.int32), counts, matrix[used], matrix.shape[1])

    def matrix(self) -> np.ndarray:
        """Return the dense matrix [bands, bins], float32."""
        dense = np.zeros((len(self.first), self.bins), dtype=np.float32)
        ends = np.cumsum(self.counts)
        for row, first, count, end in zip(dense, self.first, self.counts, ends, strict=True):
            row[first : first + count] = self.weights[end - count : end]
        return dense

    def to_bytes(self) -> bytes:
        """Write the dense matrix as a .npy file."""
        file = io.BytesIO()
        np.save(file, self.matrix(), allow_pickle=False)
        return file.getvalue()

    @classmethod
    def of_bytes(cls, data: bytes, spec: MelSpec) -> "MelBank":
        """Read what `to_bytes` wrote.

        Raises
        ------
        ValueError
            If it is no .npy file, or not of filters for that spectrum; the text goes on from its
            name.
        """
        shape = (spec.n_mels, 1 + spec.n_fft // 2)
        room = math.prod(shape) * 4
        try:
            if not room < len(data) <= room + _MOST_OF_A_HEADER:
                raise ValueError(f"it has {len(data):,} bytes")
            matrix = np.load(io.BytesIO(data), allow_pickle=False)
        except (ValueError, EOFError, OSError, TypeError, SyntaxError) as error:
            raise ValueError(f"holds no mel filters [{shape[0]}, {shape[1]}] ({error})") from error
        is_one = matrix.shape == shape and matrix.dtype == np.float32
        if not is_one or not np.isfinite(matrix).all() or (matrix < 0).any():
            raise ValueError(f"holds no mel filters [{shape[0]}, {shape[1]}]")
        return cls.of_matrix(matrix)

    def groups(self) -> list[BandGroup]:
        """Cut the matrix into small dense ones along its diagonal."""
        dense = self.matrix()
        groups = []
        for start in range(0, len(dense), _GROUP_BANDS):
            rows = dense[start : start + _GROUP_BANDS]
            used = np.flatnonzero(rows.any(axis=0))
            low, high = (used[0], used[-1] + 1) if len(used) else (0, 1)
            groups.append(
                BandGroup(
                    slice(start, start + len(rows)),
                    slice(int(low), int(high)),
                    np.ascontiguousarray(rows[:, low:high].T),
                )
            )
        return groups
