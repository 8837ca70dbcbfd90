"""A sweep in the dashboard: the artifact `sweep`, which fills in as results come."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import httpx
from prefect.exceptions import PrefectException

from flows.dashboard.artifacts import UpdatedMarkdown
from genre_model.printable import as_markdown
from genre_model.sweeping import in_words

if TYPE_CHECKING:
    from tasks.sweeping import Sweep, SweptRecipe, SweptTraining

_log = logging.getLogger(__name__)


class SweepBoard:
    """Tells how far a sweep is; use inside a flow run.

    A server that does not answer ends the telling, not the sweep.
    """

    def __init__(self) -> None:
        self._page = UpdatedMarkdown("sweep")
        self._is_heard = True

    def show(self, sweep: Sweep) -> None:
        """Show the sweep as it is now."""
        if not self._is_heard:
            return
        try:
            self._page.write(sweep_as_markdown(sweep), description=as_markdown(sweep.progress))
        except (httpx.HTTPError, PrefectException, RuntimeError) as error:
            # The run itself will meet it, and say so in its own words.
            self._is_heard = False
            _log.warning("the dashboard is not told of the sweep any more: %s", error)


def sweep_as_markdown(sweep: Sweep) -> str:
    """Write a line a combination of settings, the best first, then one a training.

    Settings come last: they may be long, and a narrow page cuts off what does not fit.
    """
    best = sweep.best
    is_over = not sweep.count("open")
    lines = [f"## {as_markdown(sweep.id)}", "", f"{sweep.progress}."]
    if best is not None:
        lines += [
            "",
            f"Best{'' if is_over else ' so far'}: **{as_markdown(best.model)}** with "
            f"{best.validation} of validation tracks "
            f"({as_markdown(in_words(best.settings))}, seed {best.seed}). It is chosen on "
            "validation alone; the test split chooses nothing.",
        ]
    lines += ["", "| validation tracks | done | best model | settings |", "|---:|---:|---|---|"]
    lines += map(_of_recipe, sweep.recipes)
    lines += ["", "Mean ± standard deviation over seeds.", ""]
    lines += [
        "| training | validation tracks | model | seed | | settings |",
        "|---:|---:|---|---:|---|---|",
    ]
    lines += [_of_training(place, each) for place, each in enumerate(sweep.trainings, start=1)]
    return "\n".join(lines) + "\n"


def _of_recipe(each: SweptRecipe) -> str:
    cells = (
        each.validation,
        f"{len(each.models)} of {each.trainings}",
        as_markdown(each.models[0]) if each.models else "",
        as_markdown(in_words(each.settings)),
    )
    return f"| {' | '.join(cells)} |"


def _of_training(place: int, each: SweptTraining) -> str:
    cells = (
        f"{place}",
        each.validation,
        as_markdown(each.model),
        f"{each.seed}",
        as_markdown(each.detail or ("" if each.status == "done" else each.status)),
        as_markdown(in_words(each.settings)),
    )
    return f"| {' | '.join(cells)} |"
