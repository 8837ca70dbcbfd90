"""What the runs of a store have come to, without what they say of time: to compare two stores."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path
from typing import Any

import h5py
import pandas as pd
from fault_stores import FeaturesFolder

TIMES = {
    "params.json": {"trained", "training_seconds", "stall_share", "windows_per_second", "files"},
    "history.csv": {"seconds", "stall_share", "windows_per_second"},
    "metrics.json": {"evaluated", "comparisons", "readings"},
}
"""What a file says of when, how fast and how often it was made, and of what it was compared with.

The sha256 of a network's file is of the time, too: Keras writes it into the archive.
"""


class Result(dict[str, Any]):
    """What a store holds, by name; megabytes of bytes, which no failure should print."""

    def __repr__(self) -> str:
        return f"<{len(self)} things of a store>"


def result(store: Path) -> Result:
    """Read all that a store holds; two equal ones are the same result of the same runs."""
    told = Result()
    for path in sorted(store.glob("catalogues/*.parquet")):
        told[path.name] = _frame(pd.read_parquet(path))
    for path in sorted(store.glob("features/*/*")):
        told.update({f"{path.name}/{name}": each for name, each in _features(path).items()})
    for path in sorted(store.glob("models/*")):
        told.update({f"{path.name}/{name}": each for name, each in _model(path).items()})
    for path in sorted(store.glob("predictions/*/*.parquet")):
        told[f"{path.parent.name}/{path.name}"] = _frame(pd.read_parquet(path))
    for path in sorted(store.glob("sweeps/*/results.parquet")):
        told[path.parent.name] = _frame(pd.read_parquet(path))
    told["champion"] = json.loads((store / "champion.json").read_bytes())["model"]
    return told


def differences(found: dict[str, Any], expected: dict[str, Any]) -> list[str]:
    """Name what two results do not have in common, of a JSON object which of its keys."""
    names = [name for name in sorted({*found, *expected}) if found.get(name) != expected.get(name)]
    return [name + _keys(found.get(name), expected.get(name)) for name in names]


def _keys(one: object, other: object) -> str:
    if not isinstance(one, dict) or not isinstance(other, dict):
        return ""
    keys = sorted(key for key in {*one, *other} if one.get(key) != other.get(key))
    return f" ({', '.join(map(str, keys))})"


def _features(folder: Path) -> dict[str, Any]:
    features = FeaturesFolder(folder)
    return {
        **features.array(),
        "manifests": features.told(),
        "rows": _frame(features.table("rows")),
        "quarantine": _frame(features.table("quarantine")),
        **{path.name: _frame(pd.read_parquet(path)) for path in features.plans},
    }


def _model(folder: Path) -> dict[str, Any]:
    told: dict[str, Any] = {
        "params.json": _json(folder / "params.json"),
        "history.csv": _frame(
            pd.read_csv(folder / "history.csv").drop(columns=list(TIMES["history.csv"]))
        ),
        "weights": weights(folder / "model.keras"),
    }
    for split in sorted(folder.glob("evaluation/*")):
        # a folder that lay in a file's place is kept under a name that begins with a dot
        names = (path.name for path in split.iterdir())
        told[f"{split.name}/files"] = sorted(name for name in names if not name.startswith("."))
        told[f"{split.name}/metrics"] = _json(split / "metrics.json")
        told[f"{split.name}/predictions"] = _frame(pd.read_parquet(split / "predictions.parquet"))
    return told


def weights(network: Path) -> dict[str, bytes]:
    """Read the weights of a network's file: name -> bytes."""
    found: dict[str, bytes] = {}

    def keep(name: str, each: object) -> None:
        if isinstance(each, h5py.Dataset):
            found[name] = each[()].tobytes()

    with zipfile.ZipFile(network) as archive:
        content = archive.read("model.weights.h5")
    with h5py.File(io.BytesIO(content)) as file:
        file.visititems(keep)
    return found


def _frame(frame: pd.DataFrame) -> str:
    """Write a table so that it can be compared, its attributes but for the time too."""
    attributes = {name: each for name, each in frame.attrs.items() if name != "written"}
    return json.dumps(attributes, sort_keys=True) + "\n" + frame.to_csv(index=False)


def _json(path: Path) -> dict[str, Any]:
    content = json.loads(path.read_bytes())
    return {name: each for name, each in content.items() if name not in TIMES[path.name]}
