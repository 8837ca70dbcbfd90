"""Text from names, tags and tables as a person may be shown it: one function a medium.

`printable` is for a terminal, a plot and whatever else writes plain text; a page's template escapes
what `printable` gives; `as_markdown` and `as_markdown_code` are for reports and dashboards, and
`printable_name` for what a run is called. `--json` keeps the true text.
"""

from __future__ import annotations

import re
import unicodedata

# Japanese names hold wide spaces; Persian and Indian names, and emoji, hold joiners.
_HARMLESS = {"\u200c", "\u200d"}
LONGEST_NAME = 200
"""Characters of a run's name: a title, not a text."""

_MARKDOWN = re.compile(
    r"""
    [`*~<|]                             # code, emphasis, HTML, a table's columns
    | (?<![^\W_])_ | _(?![^\W_])        # emphasis; within a word it is none
    | \](?=[(\[:]|$)                    # links, pictures, what they refer to
    | &(?=\#?\w+;)                      # a character by its name
    | \\(?=[!-/:-@\[-`{-~]|$)           # what escapes
    | :(?=//) | (?<=\bwww)\.(?=\w)      # an address that becomes a link by itself
    | ^[-+=>\#\[!:]                     # items, headings, quotes, boxes to tick
    """,
    re.VERBOSE,
)
_NUMBERED = re.compile(r"^(\d+)(?=[.)](?: |$))")

_OWN_PICTURE = re.compile(r"!\[[\w ,]*\]\(data:image/png;base64,[A-Za-z0-9+/]*=*\)")
_ESCAPED = re.compile(r"\\[!-/:-@\[-`{-~]")
_ACTIVE = re.compile(r"[<`~]|\](?=[(\[:\s]|$)|&(?=#?\w+;)|^ {4}", re.MULTILINE)


def printable(value: object) -> str:
    r"""Write a text so that whatever shows it does nothing but show it.

    Control characters, those that turn the direction of writing, and bytes that are not UTF-8
    are escaped as Python escapes them.

    Parameters
    ----------
    value : object
        A text, as a rule with a file's name in it.

    Returns
    -------
    str
        UTF-8, of one line.

    Examples
    --------
    >>> print(printable("new\nline \x1b[31m caf\udce9 日本語"))
    new\nline \x1b[31m caf\xe9 日本語
    """
    text = str(value)
    if text.isprintable():
        return text
    return "".join(map(_escaped, text))


def printable_lines(text: str) -> str:
    """Write a text of several lines so, each of them."""
    return "\n".join(map(printable, text.split("\n")))


def printable_name(value: object) -> str:
    """Write what a run is called: one line of `LONGEST_NAME` characters at most.

    Examples
    --------
    >>> printable_name("features of " + "a" * 300)[-4:]
    'aaa…'
    """
    text = printable(value)
    return text if len(text) <= LONGEST_NAME else f"{text[: LONGEST_NAME - 1]}…"


def as_markdown(value: object) -> str:
    r"""Write a text so that Markdown shows it as it is, within a line or a table's cell.

    Nothing in it becomes a link, a picture, code, HTML, a heading, an item or another cell
    (CommonMark and GitHub's tables, in which a backslash escapes any punctuation). What means
    nothing to Markdown stays as it is, so that a plain viewer shows most names unchanged.

    Parameters
    ----------
    value : object

    Returns
    -------
    str
        UTF-8, of one line, without spaces at its ends.

    Examples
    --------
    >>> print(as_markdown("[x](http://evil) a|b <b> song_1 [live].mp3"))
    \[x\](http\://evil) a\|b \<b> song_1 [live].mp3
    """
    return _NUMBERED.sub(r"\1\\", _MARKDOWN.sub(r"\\\g<0>", printable(value).strip(" ")))


def as_markdown_code(value: object) -> str:
    """Write a text as code in Markdown, outside of tables: whatever it holds, it is shown as it is.

    Examples
    --------
    >>> print(as_markdown_code("/music/`x`"))
    `` /music/`x` ``
    """
    text = printable(value)
    longest = max(map(len, re.findall("`+", text)), default=0)
    fence, space = "`" * (longest + 1), " " if longest else ""
    return f"{fence}{space}{text}{space}{fence}"


def is_harmless_markdown(text: str) -> bool:
    r"""Whether stored Markdown has but text, tables and the PNGs that it holds itself.

    Links, HTML, code and pictures from elsewhere are none of these; so is what controls a terminal.

    Examples
    --------
    >>> is_harmless_markdown(r"| b \| c | ![d](data:image/png;base64,AAAA) |")
    True
    >>> is_harmless_markdown("[x](http://evil)"), is_harmless_markdown("<script>")
    (False, False)
    """
    rest = _ESCAPED.sub("", _OWN_PICTURE.sub("", text))
    return printable_lines(rest) == rest and not _ACTIVE.search(rest)


def _escaped(character: str) -> str:
    if character.isprintable() or character in _HARMLESS:
        return character
    if unicodedata.category(character) == "Zs":
        return character
    code = ord(character)
    if 0xDC80 <= code <= 0xDCFF:  # how Python keeps a byte that is not UTF-8
        return f"\\x{code - 0xDC00:02x}"
    return character.encode("unicode_escape").decode()
