"""What a person is shown of a name does nothing to their terminal, and is UTF-8."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genre_model.shown import shown, shown_lines


@pytest.mark.parametrize(
    ("name", "is_shown"),
    [
        ("plain name.mp3", "plain name.mp3"),
        (
            "日本語の歌\u3000 العربية é 👩\u200d🎤 \xa0",
            "日本語の歌\u3000 العربية é 👩\u200d🎤 \xa0",
        ),
        ("new\nline\ttab\r", r"new\nline\ttab\r"),
        ("ctrl\x07\x1b[31mred\x7f\x9b", r"ctrl\x07\x1b[31mred\x7f\x9b"),
        ("rtl\u202etxt\u2066\u200f", r"rtl\u202etxt\u2066\u200f"),
        ("zero\u200bwidth\ufeff\u2028", r"zero\u200bwidth\ufeff\u2028"),
        ("caf\udce9 \ud800", r"caf\xe9 \ud800"),
        (12, "12"),
    ],
)
def test_what_is_not_seen_is_escaped(name: object, is_shown: str) -> None:
    assert shown(name) == is_shown


@given(st.text(st.characters(exclude_categories=())))
def test_any_text_becomes_one_line_of_utf8_and_stays_it(name: str) -> None:
    once = shown(name)
    once.encode()
    assert len(once.splitlines()) <= 1
    assert shown(once) == once
    assert shown_lines(f"{name}\n{name}") == "\n".join(map(shown, f"{name}\n{name}".split("\n")))
