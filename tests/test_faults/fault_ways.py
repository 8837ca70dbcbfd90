"""Some fifty ways in which one file of a store was damaged once, and the command that met it."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fault_damages import delete, flip, lengthen, pipe, rewrite, truncate

NESTED = b'{"a":' * 100_000 + b"1" + b"}" * 100_000
"""JSON that no parser should go down into."""

NO_JSON = b"This is no JSON.\n"

Content = bytes | Callable[[Path], bytes]


@dataclass(frozen=True, kw_only=True)
class Way:
    """One way.

    Attributes
    ----------
    file : str
        Below the store, as a pattern; of several files the last is meant, and MODEL and CATALOGUE
        are those of the model that was trained last.
    damage : str
        In a few words.
    do : callable
        Takes the path.
    stage : str
        The command that would use the file: a key of `STAGES` in the test.
    """

    file: str
    damage: str
    do: Callable[[Path], None]
    stage: str

    @property
    def name(self) -> str:
        """For the test's id."""
        return f"{self.file.rpartition('/')[2]} {self.damage}"

    @property
    def ends(self) -> dict[str, int]:
        """The exit statuses of `genre status`, without and with --verify."""
        return {"status": 0, "verify": 0 if self.file.startswith("claims/") else 1}

    def place(self, store: Path) -> Path:
        """Find the file in a store that is whole."""
        newest = newest_model(store)
        file = self.file.replace("MODEL", newest["id"]).replace("CATALOGUE", newest["catalogue"])
        found = sorted(store.glob(file))
        return found[-1] if found else store / file


def newest_model(store: Path) -> dict[str, Any]:
    """Read what the model that was trained last is."""
    told = [json.loads(path.read_bytes()) for path in store.glob("models/*/params.json")]
    return dict(max(told, key=lambda params: str(params["trained"])))


def flipped(path: Path) -> None:
    """Change one bit in the middle."""
    flip(path, 0.5, [])


def cut(path: Path) -> None:
    """Leave the first half."""
    truncate(path, 0.5, [])


def gone(path: Path) -> None:
    """Take it away."""
    delete(path, 0, [])


def piped(path: Path) -> None:
    """Put a named pipe in its place."""
    pipe(path, 0, [])


def sparse(path: Path) -> None:
    """Make it far longer than the memory, of zeros that are not on the disk."""
    lengthen(path, 0, [])


def holds(content: bytes) -> Callable[[Path], None]:
    """Give what writes another content."""
    return lambda path: rewrite(path, content)


def new(content: object) -> Callable[[Path], None]:
    """Give what writes a JSON file that was not there."""

    def write(path: Path) -> None:
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())

    return write


def edited(change: Callable[[dict[str, Any]], object]) -> Callable[[Path], None]:
    """Give what changes a JSON object."""

    def edit(path: Path) -> None:
        content = json.loads(path.read_bytes())
        change(content)
        rewrite(path, json.dumps(content).encode())

    return edit


def of_another(pattern: str) -> Callable[[Path], None]:
    """Give what puts another file of a pattern (below the store's parts) in its place."""

    def exchange(path: Path) -> None:
        root = next(each for each in path.parents if (each / "store.json").exists())
        other = next(each for each in sorted(root.glob(pattern)) if each != path)
        rewrite(path, other.read_bytes())

    return exchange


CLAIM = {
    "owner": "0" * 32,
    "host": "elsewhere",
    "boot": "0" * 8,
    "pid": 1,
    "started": 1.0,
    "what": "sweeps/none",
    "taken": 1e300,
    "renewed": 1e300,
}
"""A claim on what nobody wants."""


def _attributes(content: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = content["attributes"]
    return found


def _more_rows(document: dict[str, Any]) -> None:
    document["shape"][0] += 64


def _other_shape(document: dict[str, Any]) -> None:
    document["shape"][1] = 3


_ARRAY, _MODEL = "features/*/*", "models/MODEL"
_TEST = f"{_MODEL}/evaluation/test"
_CHAMPION = "champion.json"

WAYS = [
    Way(file=file, damage=damage, do=do, stage=stage)
    for file, damage, do, stage in [
        (f"{_MODEL}/model.keras", "truncated", cut, "train"),
        (f"{_MODEL}/model.keras", "a bit flipped", flipped, "evaluate again"),
        (f"{_MODEL}/model.keras", "gone", gone, "evaluate"),
        (f"{_MODEL}/model.keras", "a named pipe", piped, "train"),
        (f"{_MODEL}/model.onnx", "a bit flipped", flipped, "predict"),
        (f"{_MODEL}/model.onnx", "gone", gone, "predict"),
        (f"{_MODEL}/filters.npy", "truncated", cut, "predict"),
        (f"{_MODEL}/card.md", "a bit flipped", flipped, "train"),
        (f"{_MODEL}/params.json", "gone", gone, "evaluate"),
        (f"{_MODEL}/params.json", "no JSON", holds(NO_JSON), "train"),
        (f"{_MODEL}/params.json", "nested deeply", holds(NESTED), "train"),
        (f"{_MODEL}/history.csv", "gone", gone, "evaluate again"),
        (f"{_MODEL}/seal.json", "gone", gone, "train"),
        (f"{_MODEL}/seal.json", "a bit flipped", flipped, "train"),
        (
            f"{_TEST}/metrics.json",
            "of another model",
            of_another("models/*/evaluation/test/metrics.json"),
            "evaluate",
        ),
        (f"{_TEST}/metrics.json", "no JSON", holds(NO_JSON), "evaluate"),
        (f"{_TEST}/metrics.json", "nested deeply", holds(NESTED), "evaluate"),
        (
            f"{_TEST}/metrics.json",
            "without a key",
            edited(lambda metrics: metrics.pop("track_accuracy")),
            "evaluate",
        ),
        (f"{_TEST}/predictions.parquet", "a bit flipped", flipped, "evaluate"),
        (f"{_TEST}/report.html", "a bit flipped", flipped, "evaluate"),
        (f"{_TEST}/curves.png", "gone", gone, "evaluate"),
        (f"{_TEST}/seal.json", "gone", gone, "evaluate"),
        (f"{_ARRAY}/quarantine.parquet", "truncated", cut, "features"),
        (f"{_ARRAY}/quarantine.parquet", "gone", gone, "features"),
        (f"{_ARRAY}/rows.parquet", "gone", gone, "features"),
        (f"{_ARRAY}/rows.parquet", "a bit flipped", flipped, "train"),
        (f"{_ARRAY}/log_mel/zarr.json", "another shape", edited(_other_shape), "features"),
        (f"{_ARRAY}/log_mel/zarr.json", "more rows", edited(_more_rows), "features"),
        (
            f"{_ARRAY}/zarr.json",
            "its row shape edited",
            edited(lambda group: _attributes(group).update(row_shape=[10, 64, 8])),
            "train",
        ),
        (
            f"{_ARRAY}/zarr.json",
            "its spec edited",
            edited(lambda group: _attributes(group)["spec"].update(n_mels=32)),
            "train",
        ),
        (
            f"{_ARRAY}/zarr.json",
            "an attribute of the wrong type",
            edited(lambda group: _attributes(group).update(row_shape="many")),
            "features",
        ),
        (f"{_ARRAY}/plans/*.parquet", "a bit flipped", flipped, "features"),
        (f"{_ARRAY}/plans/*.parquet", "truncated", cut, "features"),
        (f"{_ARRAY}/plans/*.parquet", "gone", gone, "features"),
        ("catalogues/CATALOGUE.parquet", "a bit flipped", flipped, "train"),
        ("catalogues/CATALOGUE.parquet", "truncated", cut, "train"),
        ("catalogues/CATALOGUE.parquet", "gone", gone, "evaluate again"),
        (_CHAMPION, "no JSON", holds(NO_JSON), "predict"),
        (_CHAMPION, "gone", gone, "predict"),
        (_CHAMPION, "names ../../elsewhere", new({"model": "../../elsewhere"}), "predict"),
        (_CHAMPION, "names an absolute path", new({"model": "/elsewhere"}), "predict"),
        (_CHAMPION, "names an unknown model", new({"model": "notebook-00000000"}), "predict"),
        ("store.json", "nested deeply", holds(NESTED), "features"),
        ("store.json", "no JSON", holds(NO_JSON), "features"),
        ("store.json", "gone", gone, "features"),
        (f"{_ARRAY}/manifests/*.json", "nested deeply", holds(NESTED), "features"),
        (f"{_ARRAY}/manifests/*.json", "no JSON", holds(NO_JSON), "features"),
        (
            f"{_ARRAY}/manifests/*.json",
            "of another shard",
            of_another(f"{_ARRAY}/manifests/*.json"),
            "features",
        ),
        (f"{_ARRAY}/log_mel/c/*/0/0/0", "a bit flipped", flipped, "train again"),
        (f"{_ARRAY}/log_mel/c/*/0/0/0", "truncated", cut, "features"),
        (f"{_ARRAY}/log_mel/c/*/0/0/0", "gone", gone, "features"),
        (f"{_ARRAY}/log_mel/c/*/0/0/0", "a named pipe", piped, "train again"),
        (f"{_ARRAY}/log_mel/c/*/0/0/0", "sparse, 100 GB", sparse, "train again"),
        ("claims/sweeps-none.json", "a time of 1e300", new(CLAIM), "features"),
        ("claims/sweeps-none.json", "nested deeply", new(NESTED), "features"),
    ]
]
