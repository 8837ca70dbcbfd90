"""Which names of an archive's members may become files. Pure."""

import unicodedata
from collections.abc import Iterable, Iterator

_LONGEST_PART, _LONGEST_NAME = 200, 1_000  # bytes: a temporary name adds to the first; S3's keys
_NO_SIGN = ("Cc", "Cf", "Cs")  # control signs, signs that turn or hide text, halves of pairs
_DEVICES = {"CON", "PRN", "AUX", "NUL"} | {
    f"{port}{n}" for port in ("COM", "LPT") for n in "123456789"
}


def name_fault(name: str, *, root: str) -> str | None:
    r"""Say what is wrong with a member's name, None if nothing is.

    A good name is `root`/part/…/part: it stays below `root` on every system, and is the same file
    there whatever the system makes of `\`, `:` or control characters.

    Parameters
    ----------
    name : str
        As the archive has it; a folder's ends with `/`.
    root : str
        The only folder at the top of the archive.

    Examples
    --------
    >>> name_fault("fma_small/000/000002.mp3", root="fma_small") is None
    True
    >>> name_fault("fma_small/../../etc/passwd", root="fma_small")
    'leads out of its folder'
    """
    parts = name.removesuffix("/").split("/")
    for holds, fault in (
        (name.startswith("/"), "is absolute"),
        ("\\" in name, "has a backslash"),
        (any(unicodedata.category(sign) in _NO_SIGN for sign in name), "has a control sign"),
        (".." in parts, "leads out of its folder"),
        (":" in name, "has a drive letter or a colon"),
        ("" in parts or "." in parts, "has an empty part"),
        (
            any(part.endswith((".", " ")) for part in parts),
            "has a part that ends with a dot or a space",
        ),
        (any(part.split(".")[0].upper() in _DEVICES for part in parts), "is a device on Windows"),
        (parts[0] != root, f"is not below {root}/"),
        (len(parts) < 2 and not name.endswith("/"), f"takes the place of the folder {root}/"),
        (any(_size(part) > _LONGEST_PART for part in parts), "has too long a part"),
        (_size(name) > _LONGEST_NAME, "is too long"),
    ):
        if holds:
            return fault
    return None


def is_hidden(name: str) -> bool:
    """Return whether a name, below the root, or a folder on its way begins with a dot.

    Listings of a location leave such names out: systems put them everywhere (`.DS_Store`).
    """
    return any(part.startswith(".") and part != ".." for part in name.split("/"))


def clashes(names: Iterable[str]) -> Iterator[str]:
    """Yield the names that some file system takes for another one, or for a folder of another one.

    Parameters
    ----------
    names : iterable of str
        Files, without folders.
    """
    seen: set[str] = set()
    folders: set[str] = set()
    for name in names:
        plain = unicodedata.normalize("NFC", name).casefold()
        above = [plain[:at] for at, sign in enumerate(plain) if sign == "/"]
        if plain in seen or plain in folders or not seen.isdisjoint(above):
            yield name
        seen.add(plain)
        folders.update(above)


def _size(text: str) -> int:
    return len(text.encode("utf-8", "surrogatepass"))
