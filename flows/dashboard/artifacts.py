"""What people look at in the dashboard: one function an artifact, each under its fixed key."""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING
from urllib.parse import quote
from uuid import UUID

import httpx
import pandas as pd
from prefect.artifacts import (
    create_markdown_artifact,
    create_progress_artifact,
    create_table_artifact,
    update_progress_artifact,
)
from prefect.client.orchestration import get_client
from prefect.client.schemas.actions import ArtifactUpdate
from prefect.exceptions import PrefectException

from flows.errors import joined
from genre_model.learning.best_epoch import best_epoch
from genre_model.printable import as_markdown, as_markdown_code
from genre_model.specs import SPLITS

if TYPE_CHECKING:
    from flows.results import FeaturesResult, FetchResult
    from genre_model.judging.data_page import DataPage
    from tasks.catalogue import CatalogueSummary
    from tasks.comparing.leaderboard import Leaderboard
    from tasks.evaluated.metrics_file import Evaluation
    from tasks.models import ModelFacts
    from tasks.predicting.folder import PredictedFolder

_log = logging.getLogger(__name__)
QUARANTINE_ROWS_SHOWN = 500
PREDICTIONS_SHOWN = 500
_FIRST_METRICS = (
    *("track_accuracy", "dummy_accuracy", "balanced_accuracy", "macro_f1", "top2_accuracy"),
    *("window_accuracy", "log_loss", "calibration_error", "tracks", "windows"),
)
"""What a dashboard shows of a table before one turns its page: ten lines."""
_OF_ADDRESSES = ":/?#@!$&'*+,;=%~"
# Twice as often as people are promised to see it move, since an update takes its time too.
_PROGRESS_EVERY_S = 1.0


def catalogue(summary: CatalogueSummary) -> None:
    """Publish what the catalogue holds."""
    splits = ("training", "validation", "test")
    lines = [
        f"## Catalogue {as_markdown(summary.catalogue)}",
        f"{summary.tracks:,} tracks of {as_markdown_code(summary.data)}; "
        f"rows without a genre, left out: {summary.unlabelled:,}.",
        *(("", f"Splits {as_markdown(summary.drawn.in_words)}.") if summary.drawn else ()),
        "",
        "| genre | " + " | ".join(splits) + " |",
        "|---|" + "---:|" * len(splits),
    ]
    for genre, counts in summary.genres.items():
        cells = (f"{counts.get(split, 0):,}" for split in splits)
        lines.append(f"| {as_markdown(genre)} | {' | '.join(cells)} |")
    said = (*summary.remarks, *summary.left_out.sentences)
    lines += ["", *(f"- {as_markdown(sentence)}" for sentence in said), ""]
    lines += ["| left out: what lies there and is no track | files |", "|---|---:|"]
    left_out = summary.left_out.counts or {"nothing": 0}
    lines += [f"| {as_markdown(name)} | {count:,} |" for name, count in left_out.items()]
    lines += [""]
    lines += ["| licence of the audio, which is not passed on | tracks |", "|---|---:|"]
    lines += [f"| {as_markdown(name)} | {count:,} |" for name, count in summary.licences.items()]
    create_markdown_artifact("\n".join(lines), key="catalogue", description="Tracks by genre")


def data_page(page: DataPage) -> None:
    """Publish what the catalogue's audio is like, once it was heard, in place of `catalogue`."""
    from genre_model.judging.data_plots import data_png
    from genre_model.judging.report import data_uri

    lines = [
        f"## Catalogue {as_markdown(page.catalogue)}",
        as_markdown_code(page.data),
        "",
        f"![Tracks by genre and split, lengths]({data_uri(data_png(page))})",
        "",
        "| | |",
        "|---|---|",
        *(f"| {name} | {as_markdown(value)} |" for name, value in page.lines),
        "",
        "| genre | " + " | ".join(SPLITS) + " |",
        "|---|" + "---:|" * len(SPLITS),
    ]
    for genre, counts in page.genres.items():
        cells = (f"{counts[split]:,}" for split in SPLITS)
        lines.append(f"| {as_markdown(genre)} | {' | '.join(cells)} |")
    lines += ["", *(f"- {as_markdown(sentence)}" for sentence in page.remarks)]
    same = [", ".join(map(as_markdown, paths)) for paths in page.duplicates]
    lines += ["", *(f"- the same audio: {paths}" for paths in same)]
    create_markdown_artifact("\n".join(lines), key="catalogue", description="The data")


def _row(cells: Mapping[str, object]) -> dict[str, object]:
    """Show the texts of a table's row: one of the two dashboards reads them as Markdown."""
    return {
        name: as_markdown(cell) if isinstance(cell, str) else cell for name, cell in cells.items()
    }


def _first_part(row: Mapping[str, object]) -> str:
    """Give what a detail says, without what helps."""
    return str(row.get("detail", "")).partition("; ")[0]


def throughput(result: FeaturesResult, *, workers: int) -> None:
    """Publish how quick the feature stage was."""
    counts, building = result.counts, result.building_seconds
    done = counts.written + counts.quarantined_now
    rate = done / building if building else 0.0
    inside = result.worker_seconds / (workers * building) if building else 0.0
    rows = [
        {"figure": "tracks decoded in this run", "value": f"{done:,}"},
        {"figure": "tracks found done", "value": f"{counts.reused:,}"},
        {"figure": "seconds", "value": f"{result.seconds:.1f}"},
        {"figure": "of these, decoding and writing shards", "value": f"{building:.1f}"},
        {"figure": "tracks a second meanwhile", "value": f"{rate:.1f}"},
        {"figure": "Dask workers", "value": f"{workers}"},
        {"figure": "share of the workers' time spent on it", "value": f"{inside:.1%}"},
    ]
    create_table_artifact(rows, key="throughput", description="The feature stage's pace")


def quarantine(rows: Sequence[Mapping[str, object]], *, total: int) -> None:
    """Publish the tracks that were refused, at most `QUARANTINE_ROWS_SHOWN` of `total`.

    The narrower of the dashboard's two pages gives a table 600 pixels at a width of 1,300: what
    is not for reading, as the sha256, and what helps, which the log tells, stay in
    `quarantine.parquet`.
    """
    listed = [_row({**row, "detail": _first_part(row)}) for row in rows[:QUARANTINE_ROWS_SHOWN]]
    more = f"; the first {len(listed):,} are shown" if total > len(listed) else ""
    create_table_artifact(
        listed or [{"file": "none", "reason": "", "detail": ""}],
        key="quarantine",
        description=f"{total:,} tracks are quarantined{more}",
    )


class UpdatedMarkdown:
    """A Markdown artifact that is made once and then written anew in its place.

    Parameters
    ----------
    key : str
    """

    def __init__(self, key: str) -> None:
        self._key = key
        self._id: UUID | None = None

    def write(self, markdown: str, *, description: str) -> None:
        """Show this from now on."""
        if self._id is None:
            made = create_markdown_artifact(markdown, key=self._key, description=description)
            self._id = made  # type: ignore[assignment]
            return
        with get_client(sync_client=True) as client:
            client.update_artifact(self._id, ArtifactUpdate(data=markdown, description=description))


def training_curves(
    history: pd.DataFrame, facts: ModelFacts, *, into: UpdatedMarkdown | None = None
) -> None:
    """Publish the curves of a training run, in place of those that were drawn meanwhile."""
    markdown = (
        f"## {as_markdown(facts.model)}\n\n{facts.parameters:,} parameters; validation track "
        f"accuracy **{facts.validation_track_accuracy:.1%}** at epoch {facts.best_epoch} of "
        f"{facts.epochs}, on {as_markdown(facts.device)}. Waited for data: "
        f"{facts.waited_for_data}.\n\n"
        f"{_curves(history, facts.best_epoch)}\n\nModel: {_address(facts.path)}\n"
    )
    place = into or UpdatedMarkdown("training-curves")
    place.write(markdown, description=as_markdown(facts.model))


def curves_so_far(
    into: UpdatedMarkdown, history: Sequence[Mapping[str, float]], title: str
) -> None:
    """Draw the curves of a training that goes on.

    Parameters
    ----------
    into : UpdatedMarkdown
    history : Sequence
        One line an epoch.
    title : str
        What is trained.
    """
    best = best_epoch(tuple(history))
    accuracy = history[best - 1]["validation_track_accuracy"]
    markdown = (
        f"## {as_markdown(title)}\n\nIn training: validation track accuracy **{accuracy:.1%}** at "
        f"epoch {best} of {len(history)} so far.\n\n{_curves(pd.DataFrame(history), best)}\n"
    )
    into.write(markdown, description=as_markdown(f"{title}, epoch {len(history)}"))


def _curves(history: pd.DataFrame, best: int) -> str:
    from genre_model.judging.plots import curves_png
    from genre_model.judging.report import data_uri

    picture = data_uri(curves_png(history, best_epoch=best))
    return f"![Loss and accuracy by epoch]({picture})"


def evaluation(markdown: str, found: Evaluation, *, report: str, model_folder: str) -> None:
    """Publish an evaluation: the report with its pictures, and its headline numbers as a table.

    Parameters
    ----------
    markdown : str
        The report.
    found : Evaluation
    report, model_folder : str
        Addresses of the page and of the model.
    """
    where = f"## Where it lies\n\nReport: {_address(report)}\n\nModel: {_address(model_folder)}\n"
    title = as_markdown(f"{found.model} on the {found.split} split")
    create_markdown_artifact(
        f"{markdown.rstrip()}\n\n{where}", key="evaluation-report", description=title
    )
    figures = found.metrics.to_dict()
    names = [*_FIRST_METRICS, *(name for name in figures if name not in _FIRST_METRICS)]
    rows = [
        _row({"metric": name.replace("_", " "), "value": _figure(value), "interval": interval})
        for name, value in ((name, figures[name]) for name in names)
        if isinstance(value, int | float | str)
        for interval in [_interval(found.metrics.intervals.get(name))]
    ]
    create_table_artifact(rows, key="metrics", description=title)


def models(board: Leaderboard) -> None:
    """Publish all models, best on validation first."""
    rows = [
        _row(
            {
                "model": f"{each.model}{' (champion)' if each.champion else ''}",
                "network": each.network,
                "preset": each.preset,
                "catalogue": each.catalogue,
                "validation": f"{each.validation_track_accuracy:.1%}",
                "test": "" if (test := each.test_track_accuracy) is None else f"{test:.1%}",
                "95 % interval": _in_percent(each.test_interval),
                "test read": f"{each.test_readings}x",
                "parameters": each.parameters,
                "trained": each.trained[:16],
            }
        )
        for each in board.models
    ]
    said = ["Models, best on validation first", *(each.in_words for each in board.recipes)]
    create_table_artifact(rows, key="models", description="; ".join(map(as_markdown, said)))


def _interval(ends: tuple[float, float] | None) -> str:
    return f"{ends[0]:.4f} to {ends[1]:.4f}" if ends else ""


def _in_percent(ends: tuple[float, float] | None) -> str:
    return f"{ends[0]:.0%}–{ends[1]:.0%}" if ends else ""


def _figure(value: float | str) -> float | str:
    return round(value, 4) if isinstance(value, float) else value


def _address(uri: str) -> str:
    """Write where something lies; a link where a browser may follow it from the dashboard.

    Browsers follow no file:// address from a page that came over http, and none to s3://.
    """
    if not uri.startswith(("http://", "https://")):
        return as_markdown_code(uri)
    return f"[{as_markdown(uri)}]({quote(uri, safe=_OF_ADDRESSES)})"


def predictions(found: PredictedFolder) -> None:
    """Publish a folder's predictions, at most `PREDICTIONS_SHOWN` of them."""
    rows = [
        _row(
            {
                "file": line.path,
                "genre": line.genre or "",
                "probability": "" if line.probability is None else f"{line.probability:.0%}",
                "status": line.status,
                "detail": line.detail,
            }
        )
        for line in found.lines[:PREDICTIONS_SHOWN]
    ]
    more = f"; the first {len(rows):,} are shown" if len(found.lines) > len(rows) else ""
    counts = ", ".join(f"{count:,} {status}" for status, count in found.new_statuses.items())
    longest = f"; the longest new one: {found.longest}" if found.longest else ""
    create_table_artifact(
        rows,
        key="predictions",
        description=as_markdown(
            f"{found.files:,} files of {found.folder}, of them {found.predicted:,} new "
            f"({counts or 'none'}), by {found.model}{longest}; left out: "
            f"{found.left_out.in_words or 'nothing'}; all in {found.table}{more}"
        ),
    )


def fetched(result: FetchResult) -> None:
    """Publish what a fetch brought."""
    rows = [
        _row(
            {
                **vars(each),
                "verified": ", ".join(each.verified),
                "remarks": joined(each.remarks),
                "archive": each.archive or "not kept",
            }
        )
        for each in result.archives
    ]
    create_table_artifact(rows, key="fetched", description=as_markdown(f"Fetched to {result.to}"))


class ProgressArtifact:
    """A progress artifact: a bar that moves at least every two seconds of work.

    Use as a context manager inside a flow run; `show` may be called from any thread.
    """

    def __init__(self, *, total: int, what: str, key: str) -> None:
        self._total, self._what = max(total, 1), what
        self._id: UUID = create_progress_artifact(  # type: ignore[assignment]
            0.0, key=key, description=f"0 of {total:,} {what}"
        )
        self._done = 0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._follow, daemon=True)

    def __enter__(self) -> ProgressArtifact:
        self._thread.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._stop.set()
        self._thread.join()

    def show(self, done: int) -> None:
        """Take note that `done` tracks of the total are done."""
        self._done = done

    def _follow(self) -> None:
        published = 0
        while not self._stop.wait(_PROGRESS_EVERY_S) or published != self._done:
            if published != self._done:
                published = self._done
                try:
                    update_progress_artifact(
                        self._id,
                        progress=round(100.0 * published / self._total, 1),
                        description=f"{published:,} of {self._total:,} {self._what}",
                    )
                except (httpx.HTTPError, PrefectException, RuntimeError) as error:
                    # The run itself will meet it, and say so in its own words. A temporary server
                    # that does not answer is a plain RuntimeError of Prefect's.
                    _log.warning("the progress is not told any more: %s", error)
                    return
