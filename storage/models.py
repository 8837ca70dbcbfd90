"""Published models: folders that are whole once `model.keras` is there, and the champion.

models/<id>/  params.json  history.csv  …  model.keras          written last, then immutable
evaluation/<split>/  predictions.parquet  *.png  report.html  metrics.json     written last
champion.json   {"model": id, "since": time, "history": [{"model", "since"}, …]}
"""

import json
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

from storage.errors import AlreadyThere, Damaged, NotFound
from storage.places.location import Location
from storage.places.temporary_folders import temporary_folder

MODEL_FILE = "model.keras"
METRICS_FILE = "metrics.json"

Json = dict[str, Any]
"""A JSON object as it was read."""


@dataclass(frozen=True)
class Models:
    """The models of one store.

    Parameters
    ----------
    folder : Location
        Where they lie.
    champion_file : Location
    store : str
        The store's address, for sentences.
    """

    folder: Location
    champion_file: Location
    store: str

    def location(self, model_id: str) -> Location:
        """Place one model."""
        return self.folder / model_id

    def evaluation(self, model_id: str, split: str) -> Location:
        """Place one evaluation of a model."""
        return self.location(model_id) / "evaluation" / split

    def checkpoints(self, model_id: str) -> Location:
        """Place the states of a training that is under way."""
        return self.location(model_id) / "checkpoints"

    def claim_name(self, model_id: str) -> str:
        """Name what whoever trains the model claims."""
        return f"models/{model_id}"

    def exists(self, model_id: str) -> bool:
        """Whether the model was published whole."""
        return (self.location(model_id) / MODEL_FILE).exists()

    def list(self) -> "Mapping[str, bool]":
        """List models by id, and whether each is whole."""
        return {name: self.exists(name) for name in self.folder.folders()}

    def publish(self, folder: Path, model_id: str) -> Location:
        """Copy a local folder's files, `model.keras` last.

        Nothing is copied if the model is there already: it is immutable.

        Raises
        ------
        NotFound
            If the folder has no `model.keras`.
        """
        target = self.location(model_id)
        if self.exists(model_id):
            return target
        _copy(folder, target, last=MODEL_FILE)
        return target

    def withdraw(self, model_id: str) -> None:
        """Take a model back, with its evaluations, before it is published anew."""
        place = self.location(model_id) / "evaluation"
        for split in place.folders():
            (place / split / METRICS_FILE).delete()
        (self.location(model_id) / MODEL_FILE).delete()

    def publish_evaluation(self, folder: Path, model_id: str, *, split: str) -> Location:
        """Copy the files of an evaluation, `metrics.json` last, in place of an older one.

        Raises
        ------
        NotFound
            If the model was not published, or the folder has no `metrics.json`.
        """
        if not self.exists(model_id):
            raise NotFound(f"There is no model {model_id!r} in {self.store}.")
        target = self.evaluation(model_id, split)
        (target / METRICS_FILE).delete()
        _copy(folder, target, last=METRICS_FILE)
        return target

    def metrics(self, model_id: str, *, split: str = "test") -> Json | None:
        """Read an evaluation's metrics, None if there is none."""
        place = self.evaluation(model_id, split) / METRICS_FILE
        try:
            return _json(place, place.read_bytes())
        except NotFound:
            return None

    def read_json(self, model_id: str, name: str) -> Json:
        """Read one of the model's own files, a JSON object.

        Raises
        ------
        NotFound, Damaged
        """
        place = self.location(model_id) / name
        return _json(place, place.read_bytes())

    def fetch(self, model_id: str, *, cache: Path | None = None) -> Path:
        """Give a local folder with the model's own files.

        It is the store's folder where the store is one, else a copy in `cache` (the user's own
        if not given), made once for each version of `model.keras`.

        Raises
        ------
        NotFound
            If there is no such model.
        """
        source = self.location(model_id)
        entry = (source / MODEL_FILE).entry()
        if entry is None:
            known = ", ".join(self.list()) or "none"
            raise NotFound(f"There is no model {model_id!r} in {self.store} (there: {known}).")
        if source.local_path is not None:
            return source.local_path
        version = sha256(f"{source.uri} {entry.etag}".encode()).hexdigest()[:8]
        target = (cache or _users_cache()) / f"{model_id}-{version}"
        if not (target / MODEL_FILE).exists():
            _download(source, target)
        return target

    def champion(self) -> str | None:
        """Read which model `predict` uses, None if there is none yet."""
        content, _ = self._read_champion()
        return str(content["model"]) if content else None

    def champion_record(self) -> Json:
        """Read the champion with its history; {} if there is none yet."""
        return self._read_champion()[0]

    def set_champion_if_none(self, model_id: str) -> bool:
        """Make the model champion if there is none; of several at once, one does."""
        content = _succession({}, model_id)
        try:
            self.champion_file.create(content)
        except AlreadyThere:
            return False
        return True

    def move_champion(self, model_id: str) -> None:
        """Make the model champion, keeping the former ones in the history.

        Raises
        ------
        NotFound
            If there is no such model.
        """
        if not self.exists(model_id):
            raise NotFound(f"There is no model {model_id!r} in {self.store}.")
        place = self.champion_file
        while not self.set_champion_if_none(model_id):
            content, etag = self._read_champion()
            if content.get("model") == model_id:
                return
            if content and place.replace_if(_succession(content, model_id), etag=etag):
                return

    def _read_champion(self) -> tuple[Json, str]:
        place = self.champion_file
        try:
            data, etag = place.read_with_etag()
        except NotFound:
            return {}, ""
        content = _json(place, data)
        if "model" not in content:
            raise Damaged(f"{place.uri} names no model.")
        return content, etag


def _succession(former: Json, model_id: str) -> bytes:
    since = datetime.now(UTC).isoformat(timespec="seconds")
    history = [*former.get("history", []), {"model": model_id, "since": since}]
    return json.dumps({"model": model_id, "since": since, "history": history}, indent=1).encode()


def _json(place: Location, data: bytes) -> Json:
    try:
        content = json.loads(data)
    except ValueError:
        raise Damaged(f"{place.uri} is not JSON.") from None
    if not isinstance(content, dict):
        raise Damaged(f"{place.uri} is not a JSON object.")
    return content


def _copy(folder: Path, target: Location, *, last: str) -> None:
    """Write every file of a local folder, the one that says it is whole at the end."""
    if not (folder / last).is_file():
        raise NotFound(f"{folder} has no {last}, which is what makes it whole.")
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    for path in sorted(files, key=lambda path: path == folder / last):
        (target / path.relative_to(folder).as_posix()).write_bytes(path.read_bytes())


def _users_cache() -> Path:
    # not a folder that others may write to: a model file is a program of a kind
    cache = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(f"{cache}/fma-genre/models").expanduser().absolute()


def _download(source: Location, target: Path) -> None:
    """Copy the model's own files to a folder that appears at once."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with temporary_folder("download", parent=target.parent) as staging:
        for entry in source.list():
            (source / entry.name).download(staging / entry.name)
        try:
            staging.rename(target)
        except OSError:  # another process was faster, or something else is in the way
            if not (target / MODEL_FILE).exists():
                shutil.rmtree(target, ignore_errors=True)
                staging.rename(target)
