"""What a person is shown of a name does nothing to their terminal, and is UTF-8."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt  # what rich reads Markdown with

from genre_model.printable import (
    LONGEST_NAME,
    as_markdown,
    as_markdown_code,
    is_harmless_markdown,
    printable,
    printable_lines,
    printable_name,
)

MARKDOWN = MarkdownIt("commonmark").enable(["table", "strikethrough"])
# mostly of what means something to Markdown, HTML or a terminal
hostile_text = st.text(
    st.one_of(
        st.sampled_from("[]()<>|`*_~#!&;:\\/-+=.\n\r\t\x1b\x9b\u202e\u2028 \"'htpw12ab"),
        st.characters(exclude_categories=()),
    ),
    max_size=40,
)
HOSTILE = (
    "<script>alert(1)</script>",
    "a|b",
    "[x](http://evil)",
    "![x](http://evil/pixel.png)",
    "\x1b[31mred\x1b]0;owned\x07",
    "new\nline",
    "# head",
    "> quote",
    "1. item",
    "123456) item",
    "- item",
    "```",
    "`code`",
    "*bold* __bold__ ~~gone~~",
    "&lt;b&gt;",
    "<http://evil>",
    "[x]: http://evil",
    "\\",
    "\\|",
    "\u202egnp.exe",
)


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
    assert printable(name) == is_shown


@given(st.text(st.characters(exclude_categories=())))
def test_any_text_becomes_one_line_of_utf8_and_stays_it(name: str) -> None:
    once = printable(name)
    once.encode()
    assert len(once.splitlines()) <= 1
    assert printable(once) == once
    assert printable_lines(f"{name}\n{name}") == "\n".join(
        map(printable, f"{name}\n{name}".split("\n"))
    )


def texts(markdown: str) -> list[str]:
    """Return the text of every paragraph and cell, all of which must hold nothing else."""
    found = []
    for token in MARKDOWN.parse(markdown):
        assert token.type not in ("html_block", "code_block", "fence", "blockquote_open", "hr")
        if token.type == "inline":
            assert {each.type for each in token.children or []} <= {"text", "text_special"}
            found.append("".join(each.content for each in token.children or []))
    return found


def check_markdown(name: str) -> None:
    plain = printable(name).strip(" ")
    cells = texts(f"| a | b |\n|---|---|\n| {as_markdown(name)} | x |\n")
    assert [each.strip() for each in cells] == ["a", "b", plain.strip(), "x"]
    # a hard space alone is a text in some places and nothing in others
    said = [each for each in (plain.strip(), "x") if each]
    items = texts(f"- {as_markdown(name)}\n- x\n")
    assert [each.strip() for each in items if each.strip()] == said
    alone = texts(f"{as_markdown(name)}\n\nx\n")
    assert [each.strip() for each in alone if each.strip()] == said
    assert is_harmless_markdown(f"| {as_markdown(name)} | x |\n")


@pytest.mark.parametrize("name", HOSTILE)
def test_markdown_shows_what_means_something_to_it(name: str) -> None:
    check_markdown(name)


@given(hostile_text)
@example("\xa0")
def test_markdown_shows_any_text_as_it_is(name: str) -> None:
    check_markdown(name)


@given(hostile_text)
def test_code_in_markdown_is_any_text_as_it_is(name: str) -> None:
    (line,) = [each for each in MARKDOWN.parse(f"of {as_markdown_code(name)}.\n") if each.children]
    kinds = [each.type for each in line.children or []]
    assert kinds == (["text", "code_inline", "text"] if printable(name).strip() else kinds)


@pytest.mark.parametrize(
    "name",
    ["Hip-Hop", "Old-Time / Historic", "R&B", "song_1 [live].mp3", "3.5 s, of 4 (x)", "日本語"],
)
def test_names_that_mean_nothing_to_markdown_stay_as_they_are(name: str) -> None:
    assert as_markdown(name) == name


@given(hostile_text.map(lambda text: text * 20))
def test_a_runs_name_is_a_short_line(name: str) -> None:
    assert len(printable_name(name)) <= LONGEST_NAME
    assert printable(printable_name(name)) == printable_name(name)


@pytest.mark.parametrize(
    "stored",
    [
        "| <script>alert(1)</script> |",
        "[x](http://evil)",
        "![x](http://evil/pixel.png)",
        "![x](data:image/svg+xml;base64,AAAA)",
        "[x]\n\n[x]: http://evil",
        "```mermaid\ngraph\n```",
        "~~~\nx\n~~~",
        "    code",
        "&lt;b&gt;",
        "a\x1b[31mb",
    ],
)
def test_stored_markdown_that_does_more_than_show_is_told(stored: str) -> None:
    assert not is_harmless_markdown(stored)
