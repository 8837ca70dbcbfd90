"""Clips to features, the simple way: `clip_windows`."""

import threading

from genre_model import frontends
from genre_model.frontends.clip import ClipWindows
from genre_model.frontends.frontend import Extractor, Frontend
from genre_model.signal.audio import AudioSource

__all__ = ["ClipWindows", "clip_windows"]


class _Extractors(threading.local):
    """One extractor a thread and frontend: they keep buffers."""

    def __init__(self) -> None:
        self.by_spec: dict[Frontend, Extractor] = {}

    def of(self, spec: Frontend) -> Extractor:
        if spec not in self.by_spec:
            self.by_spec[spec] = spec.build()
        return self.by_spec[spec]


_extractors = _Extractors()


def clip_windows(
    audio: AudioSource, *, preset: str = "default", spec: Frontend | None = None
) -> ClipWindows:
    """Turn one clip into windows; the simple way, for a few clips.

    The first call of a thread builds an extractor, which imports librosa.

    Parameters
    ----------
    audio : bytes, str or os.PathLike
        The content of an audio file of any format that libsndfile reads, or its path.
    preset : str
        Name of a preset.
    spec : Frontend, optional
        Instead of a preset.

    Returns
    -------
    ClipWindows
        Never an error for bad audio: `status` says what became of it.

    Raises
    ------
    InvalidSpec
        If there is no such preset.
    AudioError
        If `audio` is neither bytes nor a path.

    Examples
    --------
    >>> clip_windows(b"no audio").status
    <Status.UNDECODABLE: 'undecodable'>
    """
    return _extractors.of(spec or frontends.preset(preset)).windows(audio)
