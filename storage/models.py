"""Published models: folders that are whole once `model.keras` is there, and the champion.

models/<id>/  params.json  history.csv  …  seal.json  model.keras       written last, then immutable
evaluation/<split>/  predictions.parquet  *.png  report.html  seal.json  metrics.json
"""

import contextlib
import os
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from storage.champion import ChampionFile, Reign
from storage.errors import Damaged, NotFound
from storage.places.address import parse_location
from storage.places.location import Location
from storage.places.temporary_folders import temporary_folder
from storage.proof.documents import (
    MOST_BYTES,
    check_plain,
    is_plain,
    parse_document,
    read_bounded,
    read_document,
)
from storage.proof.folders import SEAL_FILE, FolderSeal, SealedFile, faults, read_seal
from storage.proof.problems import Problem
from storage.proof.seals import Unsealed

MODEL_FILE = "model.keras"
METRICS_FILE = "metrics.json"
CHECKPOINTS, AGAIN = "checkpoints", "again"
"""Folders of the states of a training that is under way, and below it of one that is to take the
place of a model that is there."""

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
        """Place one model.

        Raises
        ------
        Damaged
            If its id leads elsewhere.
        """
        check_plain(model_id, what="a model's id")
        return self.folder / model_id

    def evaluation(self, model_id: str, split: str) -> Location:
        """Place one evaluation of a model."""
        check_plain(split, what="a split's name")
        return self.location(model_id) / "evaluation" / split

    def checkpoints(self, model_id: str, *, again: bool = False) -> Location:
        """Place the states of a training that is under way.

        Parameters
        ----------
        model_id : str
        again : bool
            Whether it trains anew, and not what was never whole: it has a place of its own, which
            is empty once the model is published.
        """
        place = self.location(model_id) / CHECKPOINTS
        return place / AGAIN if again else place

    def claim_name(self, model_id: str) -> str:
        """Name what whoever trains the model claims."""
        return f"models/{model_id}"

    def exists(self, model_id: str) -> bool:
        """Whether the model was published whole."""
        return (self.location(model_id) / MODEL_FILE).exists()

    def list(self) -> "Mapping[str, bool]":
        """List models by id, and whether each is whole."""
        return {name: self.exists(name) for name in self.folder.folders() if is_plain(name)}

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
        _publish(folder, target, of=_name(model_id), last=MODEL_FILE)
        return target

    def withdraw(self, model_id: str) -> Sequence[str]:
        """Take a model back, with its evaluations, before it is published anew.

        The states of a training that trained it anew go first: who asks once more begins anew, too.

        Returns
        -------
        sequence of str
            The splits that it had been evaluated on.
        """
        model = self.location(model_id)
        states = self.checkpoints(model_id, again=True)
        for entry in states.list(recursive=True):
            (states / entry.name).delete()
        splits = [each for each in (model / "evaluation").folders() if is_plain(each)]
        evaluations = {split: self.evaluation(model_id, split) for split in splits}
        evaluated = [split for split in splits if (evaluations[split] / METRICS_FILE).exists()]
        whole = [*(each / METRICS_FILE for each in evaluations.values()), model / MODEL_FILE]
        seals = [each / SEAL_FILE for each in (*evaluations.values(), model)]
        # first what says that it is there, then what says that it ought to be
        for file in (*whole, *seals):
            file.make_way()
            file.delete()
        return evaluated

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
        (target / METRICS_FILE).make_way()
        (target / METRICS_FILE).delete()
        _publish(folder, target, of=_name(model_id, split), last=METRICS_FILE)
        return target

    def metrics(self, model_id: str, *, split: str = "test") -> Json | None:
        """Read an evaluation's metrics, None if there is none.

        Raises
        ------
        Damaged
            If they are not those that were published there.
        """
        folder = self.evaluation(model_id, split)
        place = folder / METRICS_FILE
        try:
            data = read_bounded(place, most=MOST_BYTES)
        except NotFound:
            return None
        try:
            sealed = read_seal(folder, of=_name(model_id, split)).files.get(METRICS_FILE)
        except Unsealed:
            sealed = SealedFile.of(data)
        found = parse_document(data, Json, where=place.uri)
        if SealedFile.of(data) != sealed or found.get("model", model_id) != model_id:
            raise Damaged(
                f"{place.uri} is not the one that was published there; "
                f"`{_evaluate(model_id, split)}` makes it anew."
            )
        return found

    def evaluation_text(self, model_id: str, name: str, *, split: str = "test") -> str | None:
        """Read a text of an evaluation; None if it is not there, or not as it was published."""
        folder = self.evaluation(model_id, split)
        try:
            data = read_bounded(folder / name, most=MOST_BYTES)
            sealed = read_seal(folder, of=_name(model_id, split)).files.get(name)
        except (NotFound, Unsealed):
            return None
        return data.decode(errors="replace") if SealedFile.of(data) == sealed else None

    def problems(self, model_id: str) -> Sequence[Problem]:
        """Compare a model's own files with its seal; none where it was never whole."""
        place = self.location(model_id)
        try:
            return [
                Problem(what="model damaged", path=file.uri, detail=fault)
                for file, fault in faults(place, of=_name(model_id))
            ]
        except Unsealed as error:
            if not self.exists(model_id):
                return []
            path = (place / SEAL_FILE).uri
            return [Problem(what="model not sealed", path=path, detail=str(error))]

    def evaluation_problems(self, model_id: str, split: str) -> Sequence[Problem]:
        """Compare an evaluation with its seal; none where it was never whole."""
        place, how = self.evaluation(model_id, split), _evaluate(model_id, split)
        try:
            found = [(file.uri, fault) for file, fault in faults(place, of=_name(model_id, split))]
        except Unsealed as error:
            is_whole = (place / METRICS_FILE).exists()
            found = [((place / SEAL_FILE).uri, str(error))] if is_whole else []
        return [
            Problem(what="evaluation damaged", path=path, detail=detail, how=how)
            for path, detail in found
        ]

    def seal(self, model_id: str) -> None:
        """Seal a model that has no seal, as it lies there now."""
        place = self.location(model_id)
        names = [entry.name for entry in place.list(recursive=True)]
        own = [name for name in names if not name.startswith(("evaluation/", f"{CHECKPOINTS}/"))]
        files = {name: SealedFile.of((place / name).read_bytes()) for name in own}
        (place / SEAL_FILE).write_bytes(FolderSeal(_name(model_id), files).to_json())

    def read_json(self, model_id: str, name: str) -> Json:
        """Read one of the model's own files, a JSON object.

        Raises
        ------
        NotFound, Damaged
        """
        return read_document(self.location(model_id) / name, Json)

    def trained_with(self, model_id: str) -> str | None:
        """Read the id of the catalogue that a model was trained with; None if it does not tell."""
        try:
            found = self.read_json(model_id, "params.json").get("catalogue")
        except (NotFound, Damaged):
            return None
        return found if isinstance(found, str) and is_plain(found) else None

    def fetch(self, model_id: str, *, cache: Path | None = None) -> Path:
        """Give a local folder with the model's own files.

        It is the store's folder where the store is one, else a copy in `cache` (the user's own
        if not given), made once for each version of `model.keras`.

        Raises
        ------
        NotFound
            If there is no such model.
        Damaged
            If a file is not the one that was published.
        """
        source = self.location(model_id)
        entry = (source / MODEL_FILE).entry()
        if entry is None:
            known = ", ".join(self.list()) or "none"
            raise NotFound(f"There is no model {model_id!r} in {self.store} (there: {known}).")
        if source.local_path is not None:
            _check(source, of=_name(model_id))
            return source.local_path
        version = sha256(f"{source.uri} {entry.etag}".encode()).hexdigest()[:8]
        target = (cache or _users_cache()) / f"{model_id}-{version}"
        if not (target / MODEL_FILE).exists():
            _download(source, target)
        _check(parse_location(target), of=_name(model_id))
        return target

    @property
    def _champion(self) -> ChampionFile:
        return ChampionFile(
            self.champion_file, is_there=self._has_files, when_evaluated=self._evaluated
        )

    def champion(self) -> str | None:
        """Read which model `predict` uses, None if there is none yet.

        Raises
        ------
        Damaged
            If champion.json is not what was written there.
        """
        found = self._champion.read()
        return found.model if found else None

    def champion_record(self) -> Json:
        """Read the champion with its history; {} if there is none yet."""
        found = self._champion.read()
        return found.to_dict() if found else {}

    def reigns(self) -> Sequence[Reign]:
        """List all champions there were, with the times since when; the present one last."""
        found = self._champion.read()
        return found.history if found else ()

    def champion_problems(self) -> Sequence[Problem]:
        """Say what is wrong with champion.json; that it is gone, where a model was evaluated."""
        return self._champion.problems()

    def mend_champion(self) -> str:
        """Make champion.json anew if it is damaged or gone; see `ChampionFile.mend`."""
        return self._champion.mend()

    def set_champion_if_none(self, model_id: str) -> bool:
        """Make the model champion if there is none; of several at once, one does."""
        return self._champion.set_if_none(model_id)

    def move_champion(self, model_id: str) -> None:
        """Make the model champion, keeping the former ones in the history.

        Raises
        ------
        NotFound
            If there is no such model.
        Damaged
            If champion.json is not what was written there.
        """
        if not self.exists(model_id):
            raise NotFound(f"There is no model {model_id!r} in {self.store}.")
        self._champion.move_to(model_id)

    def _has_files(self, model_id: str) -> bool:
        return bool(self.location(model_id).list())

    def _evaluated(self, model_id: str | None = None) -> Sequence[tuple[str, str]]:
        """List when whole models (or the one) were evaluated, with their ids."""
        found = []
        models = self.list() if model_id is None else {model_id: self.exists(model_id)}
        for name, is_whole in models.items():
            for split in (self.location(name) / "evaluation").folders() if is_whole else ():
                with contextlib.suppress(Damaged):
                    metrics = self.metrics(name, split=split) or {}
                    if isinstance(at := metrics.get("evaluated"), str):
                        found.append((at, name))
        return found


def _name(model_id: str, split: str | None = None) -> str:
    """Name a published folder for its seal."""
    return f"models/{model_id}" + (f"/evaluation/{split}" if split else "")


def _evaluate(model_id: str, split: str) -> str:
    return f"genre evaluate --model {model_id} --split {split}"


def check_model_folder(path: Path) -> None:
    """Refuse a model's folder (or file in it) whose files do not fit its seal, wherever it lies.

    Raises
    ------
    Damaged
    """
    folder = parse_location(path.parent if path.is_file() else path)
    with contextlib.suppress(NotFound):
        _check(folder, of=read_document(folder / SEAL_FILE, _Of).of)


@dataclass(frozen=True)
class _Of:
    of: str


def _check(folder: Location, *, of: str) -> None:
    """Refuse a model whose own files, those of its logs apart, do not fit its seal."""
    with contextlib.suppress(Unsealed):
        for file, fault in faults(folder, of=of, is_deep=False):
            raise Damaged(
                f"{file.uri} is damaged: {fault.rstrip('.')}; `genre train` with its options makes "
                "the model again."
            )


def _publish(folder: Path, target: Location, *, of: str, last: str) -> None:
    """Write every file of a local folder, then its seal, then the file that says it is whole."""
    if not (folder / last).is_file():
        raise NotFound(f"{folder} has no {last}, which is what makes it whole.")
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    files = {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}
    seal = FolderSeal(of, {name: SealedFile.of(data) for name, data in files.items()})
    whole = files.pop(last)
    for name, data in (*files.items(), (SEAL_FILE, seal.to_json()), (last, whole)):
        (target / name).make_way()
        (target / name).write_bytes(data)


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
