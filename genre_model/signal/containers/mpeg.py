"""What an MPEG audio file (MP3) holds, by its frames' headers, whatever it says of itself.

A frame begins with four bytes from which its length follows, and with it where the next begins
(ISO/IEC 11172-3 and 13818-3). Files are joined, cut, patched and recorded from streams: between
their frames lie tags, titles, zeros or anything.
"""

from __future__ import annotations

import functools
import re
import struct
from array import array
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise

from genre_model.signal.audio import Content
from genre_model.signal.containers import mpeg_tags

# Sync, then a version, a layer, a bit rate and a sample rate that are not reserved.
_SYNC = re.compile(
    rb"\xff[\xe2-\xe7\xf2-\xff][%s]"
    % b"".join(b"\\x%x0-\\x%xb" % (rate, rate) for rate in range(1, 15))
)
_HEAD = struct.Struct(">I").unpack_from
# Of a header: sync, version, layer and sample rate, which are the same in all frames of an encoder.
_SAME = 0xFFFE0C00
_MONO = 0xC0
_RATES = {3: (44_100, 48_000, 32_000), 2: (22_050, 24_000, 16_000), 0: (11_025, 12_000, 8_000)}
_KBITS = {
    (1, 1): (32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448),
    (1, 2): (32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384),
    (1, 3): (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    (2, 1): (32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256),
    (2, 2): (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
    (2, 3): (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
# So many frames in a row are no accident.
_CHAIN = 3


@dataclass(frozen=True)
class Kind:
    """What frames have in common that one decoder plays without a break.

    Parameters
    ----------
    signature : int
        The bits of a header that say version, layer and sample rate.
    is_mono : bool
    rate : int [Hz]
    samples : int
        Of a frame, a channel.
    lengths : tuple[int, ...] [bytes, 128]
        Of a frame, by the seven bits of its header from the bit rate on; 0 for what is reserved.
    """

    signature: int
    is_mono: bool
    rate: int
    samples: int
    lengths: tuple[int, ...] = field(repr=False)

    @property
    def is_layer_3(self) -> bool:
        """Return whether it is MP3 proper."""
        return (self.signature >> 17) & 3 == 1

    @property
    def tag_offset(self) -> int:
        """Return where a first frame names its frames' count (`Xing`, `Info`), behind side info."""
        if (self.signature >> 19) & 3 == 3:
            return 21 if self.is_mono else 36
        return 13 if self.is_mono else 21

    def fits(self, head: int) -> bool:
        """Return whether a header is of this kind."""
        return head & _SAME == self.signature and (head & _MONO == _MONO) == self.is_mono

    def length(self, head: int) -> int:
        """Return a frame's length in bytes; 0 if its header says none."""
        return self.lengths[(head >> 9) & 0x7F]


@functools.lru_cache(maxsize=64)
def _kind(signature: int, is_mono: bool) -> Kind | None:
    version, layer = (signature >> 19) & 3, 4 - ((signature >> 17) & 3)
    rate_index = (signature >> 10) & 3
    if signature >> 21 != 0x7FF or version == 1 or layer == 4 or rate_index == 3:
        return None
    rate = _RATES[version][rate_index]
    is_first = version == 3
    samples = 384 if layer == 1 else 576 if layer == 3 and not is_first else 1_152
    lengths = [0] * 128
    for index, kbits in enumerate(_KBITS[1 if is_first else 2, layer], start=1):
        for padded in (0, 1):
            if layer == 1:
                length = (12_000 * kbits // rate + padded) * 4
            else:
                length = samples // 8 * 1_000 * kbits // rate + padded
            lengths[index << 3 | rate_index << 1 | padded] = length
    return Kind(signature, is_mono, rate, samples, tuple(lengths))


def kind_of(head: int) -> Kind | None:
    """Return the kind of frame that a header of 32 bits begins, if it does."""
    return _kind(head & _SAME, head & _MONO == _MONO)


@dataclass(frozen=True)
class Stretch:
    """Frames of one kind, one after another, whatever lies between them.

    Parameters
    ----------
    kind : Kind
    starts : array of int [bytes]
        Where each frame begins that holds audio.
    """

    kind: Kind
    starts: array[int]

    @property
    def samples(self) -> int:
        """Return its length at its own rate."""
        return len(self.starts) * self.kind.samples

    @property
    def seconds(self) -> float:
        """Return its length in seconds."""
        return self.samples / self.kind.rate


@dataclass(frozen=True)
class Mpeg:
    """The frames of a file.

    Parameters
    ----------
    stretches : tuple[Stretch, ...]
        At least one, each of at least one frame.
    is_plain : bool
        Whether its frames follow each other without a gap, from where its tags end, all of a kind,
        and not more or fewer than it says (if it does): any decoder reads it to its end.
    says_frames : bool
        Whether it says how many frames there are.
    lost_bytes : int
        Bytes between or behind the frames that are no tags and in which frames would fit.
    audio_bytes : int
        Bytes of the frames.
    """

    stretches: tuple[Stretch, ...]
    is_plain: bool
    says_frames: bool
    lost_bytes: int
    audio_bytes: int

    @property
    def seconds(self) -> float:
        """Return how long all frames play."""
        return sum(stretch.seconds for stretch in self.stretches)

    @property
    def samples(self) -> int:
        """Return how many samples a channel all frames hold, at their own rates."""
        return sum(stretch.samples for stretch in self.stretches)

    @property
    def lost_seconds(self) -> float:
        """Return how long the lost bytes would play at the mean bit rate."""
        return self.seconds * self.lost_bytes / self.audio_bytes


def scan(content: Content) -> Mpeg | None:
    """Find the frames of a file.

    Parameters
    ----------
    content : bytes or mmap
        The whole file.

    Returns
    -------
    Mpeg | None
        None if there are no frames (or of a free bit rate, whose length no header tells).
    """
    runs = list(_runs(content))
    if not runs:
        return None
    frames = [start for run in runs for start in run.starts]
    announced, counts = _announcements(content, runs)
    stretches = _joined(runs, leave_out=announced)
    if not stretches:
        return None
    audio_frames = len(frames) - len(announced)
    is_alone = len(runs) == 1 and runs[0].gap == 0 and announced <= {frames[0]}
    return Mpeg(
        stretches=stretches,
        is_plain=is_alone and all(abs(count - audio_frames) <= 1 for count in counts),
        says_frames=bool(counts),
        lost_bytes=_lost_bytes(content, runs),
        audio_bytes=sum(run.end - run.starts[0] for run in runs),
    )


@dataclass(frozen=True)
class _Run:
    """Frames without a gap: their kind, starts, end, and the bytes before that are no tags."""

    kind: Kind
    starts: array[int]
    end: int
    gap: int


def _runs(content: Content) -> Iterator[_Run]:
    last = None
    end = 0
    while True:
        resumed = mpeg_tags.skip(content, end)
        start = _next_frame(content, resumed, last)
        if start is None:
            return
        kind = kind_of(_HEAD(content, start)[0])
        assert kind is not None
        starts, end = _walk(content, start, kind)
        if not starts:
            return
        yield _Run(kind, starts, end, start - resumed)
        last = kind


def _walk(content: Content, start: int, kind: Kind) -> tuple[array[int], int]:
    """Go from frame to frame; return all starts of whole frames, and where the last one ends."""
    starts = array("Q")
    append, lengths = starts.append, kind.lengths
    signature, mono = kind.signature, kind.is_mono
    at, size = start, len(content)
    last = size - 4
    while at <= last:
        (head,) = _HEAD(content, at)
        if head & _SAME != signature or (head & _MONO == _MONO) is not mono:
            break
        length = lengths[(head >> 9) & 0x7F]
        if not length:
            break
        append(at)
        at += length
    if at > size:
        starts.pop()
        at = size
    return starts, at


def _next_frame(content: Content, at: int, last: Kind | None) -> int | None:
    """Return where frames go on from `at`: of the last kind one is enough if it lies there."""
    if last is not None and at + 4 <= len(content):
        (head,) = _HEAD(content, at)
        if last.fits(head) and last.length(head):
            return at if _is_chain(content, at) or at + last.length(head) <= len(content) else None
    for match in _SYNC.finditer(content, at):
        if _is_chain(content, match.start()):
            return match.start()
    return None


def _is_chain(content: Content, at: int) -> bool:
    """Return whether frames follow each other from `at`, three or up to the end of all."""
    size = len(content)
    if at + 4 > size:
        return False
    kind = kind_of(_HEAD(content, at)[0])
    if kind is None:
        return False
    for number in range(_CHAIN):
        if at + 4 > size or mpeg_tags.skip(content, at) > at:
            return number > 1 or (number == 1 and at == size)
        (head,) = _HEAD(content, at)
        if not kind.fits(head) or not kind.length(head):
            return False
        at += kind.length(head)
    return True


def _announcements(content: Content, runs: list[_Run]) -> tuple[set[int], list[int]]:
    """Find the frames that count frames and hold no audio: where they begin, and the counts."""
    found = {
        start: count
        for run in runs
        if run.kind.is_layer_3
        for start, count in mpeg_tags.frame_counts(content, run.starts, offset=run.kind.tag_offset)
    }
    return set(found), [count for count in found.values() if count]


def _joined(runs: list[_Run], *, leave_out: set[int]) -> tuple[Stretch, ...]:
    """Put runs of one kind together."""
    stretches: list[Stretch] = []
    for run in runs:
        starts = array("Q", [start for start in run.starts if start not in leave_out])
        if stretches and stretches[-1].kind == run.kind:
            stretches[-1].starts.extend(starts)
        elif starts:
            stretches.append(Stretch(run.kind, starts))
    return tuple(stretches)


def _lost_bytes(content: Content, runs: list[_Run]) -> int:
    """Count the bytes between and behind frames that are no tags and in which two frames fit."""
    lost = 0
    for before, run in pairwise(runs):
        if run.gap >= 2 * (before.end - before.starts[0]) / len(before.starts):
            lost += run.gap
    return lost + mpeg_tags.left_behind(content, runs[-1].end)
