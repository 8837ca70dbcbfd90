"""A model as a folder for anywhere, written whole or not at all."""

from __future__ import annotations

from pathlib import Path

from genre_model.exported.folder import exported
from storage.errors import Refused
from storage.places.temporary_folders import temporary_folder
from tasks.predicting.chosen import ChosenModel, Judged


def export_model(
    chosen: ChosenModel,
    to: Path,
    *,
    judged: Judged | None,
    told: str,
    single_file: bool = False,
) -> dict[str, int]:
    """Write a model as a folder that runs without this project.

    Parameters
    ----------
    chosen : ChosenModel
    to : Path
        A folder that is new, or empty.
    judged : Judged, optional
        What the card says of its worth.
    told : str
        The model's own card, which the card goes on with.
    single_file : bool
        Whether to write the whole model as one file, too.

    Returns
    -------
    dict[str, int]
        Name of each file -> its bytes.

    Raises
    ------
    ModelError
        If a file of the model is not as it was written, or it cannot be exported.
    Refused
        If the folder cannot be written.
    """
    metrics = None if judged is None else judged.to_dict()
    files = exported(
        chosen.bundle, model=chosen.id, metrics=metrics, told=told, single_file=single_file
    )
    try:
        to.parent.mkdir(parents=True, exist_ok=True)
        with temporary_folder("export", parent=to.parent) as folder:
            for name, content in files.items():
                (folder / name).write_bytes(content)
            folder.chmod(0o755)
            folder.rename(to)
    except OSError as error:
        raise Refused(f"{to} cannot be written ({error}); name another folder.") from error
    return {name: len(content) for name, content in files.items()}
