"""Names of files as a person may be shown them, on a terminal, in a table or in a report."""

from __future__ import annotations

import unicodedata

# Japanese names hold wide spaces; Persian and Indian names, and emoji, hold joiners.
_HARMLESS = {"\u200c", "\u200d"}


def shown(value: object) -> str:
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
    >>> print(shown("new\nline \x1b[31m caf\udce9 日本語"))
    new\nline \x1b[31m caf\xe9 日本語
    """
    text = str(value)
    if text.isprintable():
        return text
    return "".join(map(_shown, text))


def shown_lines(text: str) -> str:
    """Write a text of several lines so, each of them."""
    return "\n".join(map(shown, text.split("\n")))


def _shown(character: str) -> str:
    if character.isprintable() or character in _HARMLESS:
        return character
    if unicodedata.category(character) == "Zs":
        return character
    code = ord(character)
    if 0xDC80 <= code <= 0xDCFF:  # how Python keeps a byte that is not UTF-8
        return f"\\x{code - 0xDC00:02x}"
    return character.encode("unicode_escape").decode()
