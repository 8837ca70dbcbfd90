"""What `genre models export` does: no flow, no server, no TensorFlow."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from flows.command import console, render
from flows.errors import UsageError
from flows.prediction_results import ExportResult


def export(*, as_json: bool, model: str, to: str, single_file: bool, store: str) -> None:
    """Run `genre models export`."""
    from tasks.predicting.chosen import ChosenModel
    from tasks.predicting.exporting import export_model

    with console.result_stream() as out:
        folder = Path(to).expanduser()
        _check_new(folder)
        chosen = ChosenModel.of(store, model)
        files = export_model(
            chosen,
            folder,
            judged=chosen.judged(store),
            told=chosen.card(store),
            single_file=single_file,
        )
        result = ExportResult(model=chosen.id, to=str(folder), files=files)
        show = partial(render.exported, result)
        console.emit(result.to_dict(), as_json=as_json, show=show, to=out)


def _check_new(folder: Path) -> None:
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UsageError(f"--to is {folder}, where something lies already; name a new folder")
