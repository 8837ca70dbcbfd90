"""What becomes no track is counted by suffix and reason, and told where somebody would miss it."""

from __future__ import annotations

import json

import pytest

from genre_model.data.audio_suffixes import AUDIO_SUFFIXES, UNREAD_SUFFIXES, is_tried, suffix_of
from genre_model.data.folder import Oddity
from genre_model.data.left_out import NAMED, LeftOut


def odd(path: str, reason: str = "name", why: str = "its name is bad (rename it)") -> Oddity:
    return Oddity(path=path, reason=reason, why=why)


@pytest.mark.parametrize(
    ("path", "suffix"),
    [
        ("pop/a.M4A", ".m4a"),
        ("pop/README", "no_suffix"),
        ("pop/01. Intro", "no_suffix"),
        ("a.b/c", "no_suffix"),
        ("a.tar.gz", ".gz"),
        ("Mr. Blue Sky and what else is in a name", "no_suffix"),
        ("dot.", "no_suffix"),
    ],
)
def test_a_file_is_counted_by_its_suffix(path: str, suffix: str) -> None:
    assert suffix_of(path) == suffix
    assert LeftOut.of([path, path]).counts == {suffix: 2}


def test_what_is_tried_is_one_list() -> None:
    assert is_tried("deep/a.FLAC")
    assert not is_tried("a.m4a")
    assert not AUDIO_SUFFIXES & UNREAD_SUFFIXES


def test_sentences_name_what_somebody_would_miss() -> None:
    found = LeftOut.of(
        ["pop/a.m4a", "pop/b.m4a", "x.jpg", "notes"],
        [
            odd("rock/caf\udce9.wav"),
            odd("rock/\x1b[31m.wav"),
            odd(".git"),
            odd("a", "link_loop", "a link"),
        ],
    )
    assert found.sentences == (
        "2 files are of a format that is not read (2 .m4a): WAV, AIFF, AU, CAF, W64, FLAC, MP3, "
        "Ogg Vorbis and Opus are read; convert it, as by `ffmpeg -i X X.flac`",
        r"left out, as its name is bad (rename it): rock/caf\xe9.wav, rock/\x1b[31m.wav",
        "left out, as a link: a",
    )
    assert found.in_words == "2 .m4a, 1 .jpg, 1 no suffix, 2 name, 1 hidden, 1 link loop"
    assert LeftOut.of(["x.jpg", "notes"], [odd("a/.DS_Store")]).sentences == ()


def test_names_come_back_as_they_lie_there() -> None:
    found = LeftOut.of([], [odd("rock/caf\udce9.wav"), odd(".hidden"), odd("a\nb", "link_loop")])
    plain = json.loads(json.dumps(found.to_dict()))
    assert plain["left_out"] == {"name": 2, "link_loop": 1}
    assert plain["left_out_paths"] == {"name": ["rock/caf\udce9.wav"], "link_loop": ["a\nb"]}


def test_a_sentence_has_an_end() -> None:
    (sentence,) = LeftOut.of([], [odd(f"{number}") for number in range(NAMED + 20)]).sentences
    assert sentence.endswith(", 99 and 20 more")


def test_nothing_left_out_is_nothing_said() -> None:
    assert (LeftOut().counts, LeftOut().sentences, LeftOut().in_words) == ({}, (), "")
