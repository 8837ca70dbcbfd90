"""MP3s by their frames' headers: what is a frame, what is a tag, what is lost."""

from __future__ import annotations

import io

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st
from signals import band_noise, encoded

from genre_model.signal.containers import mpeg, mpeg_excerpt

RATES = [8_000, 11_025, 12_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000]


def decoded(content: bytes) -> np.ndarray:
    """Decode without this project's code."""
    samples: np.ndarray = soundfile.read(io.BytesIO(content), dtype="float32", always_2d=True)[0]
    return samples


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("mode", ["CONSTANT", "VARIABLE"])
def test_frames_are_as_many_as_the_encoder_counted(rate: int, channels: int, mode: str) -> None:
    content = encoded(band_noise(3.0, rate=rate, channels=channels), rate=rate, bitrate_mode=mode)
    at = max(content.find(b"Xing"), content.find(b"Info")) + 8

    audio = mpeg.scan(content)

    assert audio is not None
    (stretch,) = audio.stretches
    assert (stretch.kind.rate, stretch.kind.is_mono) == (rate, channels == 1)
    assert len(stretch.starts) == int.from_bytes(content[at : at + 4])
    assert audio.seconds == pytest.approx(3.0, abs=3 * 1_152 / rate)
    assert (audio.is_plain, audio.says_frames, audio.lost_bytes) == (True, True, 0)


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("channels", [1, 2])
def test_an_excerpt_has_the_samples_of_the_whole(rate: int, channels: int) -> None:
    content = encoded(band_noise(6.0, rate=rate, channels=channels), rate=rate)
    audio = mpeg.scan(content)
    assert audio is not None
    (everything,) = mpeg_excerpt.excerpts(content, audio)
    whole = decoded(everything.content)

    (excerpt,) = mpeg_excerpt.excerpts(content, audio, start_s=3.3, seconds=1.5)

    samples = decoded(excerpt.content)[excerpt.lead :][: excerpt.samples]
    start = round(3.3 * rate)
    assert excerpt.samples == pytest.approx(1.5 * rate, abs=1)
    np.testing.assert_allclose(samples, whole[start : start + excerpt.samples], atol=1e-5)


@pytest.mark.parametrize("content", [b"", b"\xff", b"\xff\xfb\x90", b"text " * 9_000, bytes(9_000)])
def test_what_has_no_frames_is_none(content: bytes) -> None:
    assert mpeg.scan(content) is None


def test_two_headers_in_noise_are_an_accident() -> None:
    content = encoded(band_noise(1.0))
    noise = np.random.default_rng(2).bytes(50_000)

    assert mpeg.scan(noise + content[:900] + noise) is None


CONTENT = encoded(band_noise(2.0))


@given(
    pieces=st.lists(
        st.one_of(
            st.binary(max_size=3_000),
            st.tuples(st.integers(0, len(CONTENT)), st.integers(0, len(CONTENT))).map(
                lambda ends: CONTENT[min(ends) : max(ends)]
            ),
            st.sampled_from([b"ID3\x04\0\0\x7f\x7f\x7f\x7f", b"TAG", b"APETAGEX" + b"\xff" * 24]),
        ),
        max_size=6,
    )
)
@settings(max_examples=200, deadline=None)
def test_whatever_is_put_together_has_frames_in_order_and_within_it(pieces: list[bytes]) -> None:
    content = b"".join(pieces)

    audio = mpeg.scan(content)

    if audio is None:
        return
    starts = [start for stretch in audio.stretches for start in stretch.starts]
    assert starts == sorted(set(starts))
    assert starts[-1] < len(content)
    assert audio.audio_bytes + audio.lost_bytes <= len(content)
    assert audio.seconds > 0
