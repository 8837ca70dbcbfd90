"""Where a clip is cut into windows, in numbers; imports nothing heavy.

clip     |--------------------------- 30 s ---------------------------|
windows  [  0  ][  1  ][  2  ]  ...                            [  9  ]
"""

from dataclasses import MISSING, dataclass, fields
from typing import Self

from genre_model.signal.mel_spec import count_frames


@dataclass(frozen=True, kw_only=True)
class Cutting:
    """Windows of so many frames, each so far from the one before.

    Window w takes the frames from ``w * window_stride`` on, `window_frames` of them, and is whole
    if the clip has them all. Whoever makes one has checked the numbers.

    Parameters
    ----------
    sample_rate : int [Hz]
        That a clip is resampled to.
    hop_length : int [samples]
        From one frame to the next.
    windows : int
        Windows of a clip at most.
    window_frames, window_stride : int [frames]
        Length of a window, and from one window's start to the next.
    clip_seconds : float [s]
        What is read from the middle of a long file.
    longest_clip_seconds : float [s, at least clip_seconds]
        Longest file that is read from its first sample on.
    frame_length : int [samples]
        Of frames that lie inside the clip; 0: centred ones, of which there are more.
    """

    sample_rate: int
    hop_length: int
    windows: int
    window_frames: int
    window_stride: int
    clip_seconds: float
    longest_clip_seconds: float
    frame_length: int = 0

    @classmethod
    def of(cls, spec: object) -> Self:
        """Take the numbers of centred frames from what has them under the same names."""
        names = [each.name for each in fields(cls) if each.default is MISSING]
        return cls(**{name: getattr(spec, name) for name in names})

    @property
    def frames_of_a_clip(self) -> int:
        """Return how many frames the middle of a long file has."""
        return self.frames(int(self.clip_seconds * self.sample_rate))

    def frames(self, samples: int) -> int:
        """Return how many frames a waveform of `samples` has."""
        return count_frames(samples, hop_length=self.hop_length, frame_length=self.frame_length)

    def frames_of(self, whole: int) -> int:
        """Return how many frames the first `whole` windows reach over."""
        return (whole - 1) * self.window_stride + self.window_frames

    def whole_windows(self, samples: int) -> int:
        """Return how many windows are whole in a clip of `samples`.

        Examples
        --------
        >>> cutting = Cutting(sample_rate=22_050, hop_length=512, windows=10, window_frames=128,
        ...                   window_stride=128, clip_seconds=30.0, longest_clip_seconds=31.0)
        >>> [cutting.whole_windows(seconds * 22_050) for seconds in (30, 3, 0)]
        [10, 1, 0]
        """
        spare = self.frames(samples) - self.window_frames
        return min(self.windows, 1 + spare // self.window_stride) if spare >= 0 else 0

    @property
    def window_seconds(self) -> float:
        """Return the time from one window's start to the next, in seconds."""
        return self.window_stride * self.hop_length / self.sample_rate

    @property
    def window_length_seconds(self) -> float:
        """Return the time that one window reaches over, in seconds."""
        return self.window_frames * self.hop_length / self.sample_rate

    @property
    def least_seconds(self) -> float:
        """Return the least of a clip that has one whole window, in seconds."""
        samples = (self.window_frames - 1) * self.hop_length + self.frame_length
        return samples / self.sample_rate

    @property
    def segment_samples(self) -> tuple[int, int]:
        """Return the length of a long file's segments and the step between them, in samples."""
        length = int(self.clip_seconds * self.sample_rate)
        return length, min(length, self.windows * self.window_stride * self.hop_length)
