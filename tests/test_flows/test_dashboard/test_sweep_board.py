"""The artifact of a sweep: what counts stands where a narrow page does not cut it off."""

from __future__ import annotations

from flows.dashboard.sweep_board import sweep_as_markdown
from tasks.sweeping import Sweep, SweptTraining

RATE = "training.learning_rate"


def sweep(*statuses: str) -> Sweep:
    return Sweep(
        id="sweep-0a1b2c3d",
        trainings=tuple(
            SweptTraining(
                model=f"mlp-{number}",
                settings={RATE: 0.001 * (1 + number)},
                seed=0,
                status=status,  # type: ignore[arg-type]
                validation_track_accuracy=0.4 + 0.1 * number if status == "done" else None,
                detail="its loss is no number" if status == "failed" else "",
            )
            for number, status in enumerate(statuses)
        ),
    )


def test_lines_begin_with_the_validation_tracks_and_end_with_the_settings() -> None:
    lines = sweep_as_markdown(sweep("done", "done", "open")).splitlines()
    assert f"| 50.0% | 1 of 1 | mlp-1 | {RATE}=0.002 |" in lines
    assert f"| 1 | 40.0% | mlp-0 | 0 |  | {RATE}=0.001 |" in lines
    assert f"| 3 |  | mlp-2 | 0 | open | {RATE}=0.003 |" in lines
    rows = [line for line in lines if line.startswith("| ")]
    assert [row.split(" | ")[-1] for row in rows[:2]] == ["settings |", f"{RATE}=0.002 |"]


def test_the_best_is_the_best_so_far_until_all_have_ended() -> None:
    assert "Best so far: **mlp-1** with 50.0%" in sweep_as_markdown(sweep("done", "done", "open"))
    ended = sweep_as_markdown(sweep("done", "done", "failed"))
    assert "Best: **mlp-1** with 50.0%" in ended
    assert "its loss is no number" in ended
    assert "Best" not in sweep_as_markdown(sweep("open", "open"))
