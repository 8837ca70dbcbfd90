"""What each figure of an evaluation is called, and how it is written with its interval."""

from __future__ import annotations

from collections.abc import Mapping

from genre_model.judging.metrics import Metrics

FIGURES: Mapping[str, tuple[str, str, str]] = {
    "track_accuracy": ("Track accuracy", ".1%", "tracks whose genre was named"),
    "balanced_accuracy": ("Balanced accuracy", ".1%", "the same, every genre weighing as much"),
    "macro_f1": ("Macro-F1", ".3f", "mean over the genres, by tracks"),
    "top2_accuracy": ("Genre among the first two", ".1%", "of the two most probable"),
    "window_accuracy": ("Window accuracy", ".1%", "windows whose track's genre was named"),
    "log_loss": ("Log loss", ".3f", "nats a track; lower is better"),
    "log_loss_scaled": ("Log loss, calibrated", ".3f", "by the temperature of the model"),
    "calibration_error": (
        "Calibration error",
        ".3f",
        "how far off probabilities are; 0 is best",
    ),
    "calibration_error_scaled": (
        "Calibration error, calibrated",
        ".3f",
        "by a temperature fitted on validation",
    ),
    "dummy_accuracy": ("Dummy accuracy", ".1%", "always the commonest training genre"),
}
"""Figure -> its title, form and meaning, in the order in which they are shown."""


def figure_lines(metrics: Metrics) -> list[tuple[str, str, str, str]]:
    """Return (name, figure, interval, what it means) of all."""
    found = []
    for name, (title, form, meaning) in FIGURES.items():
        low, high = metrics.interval(name)
        value: float = getattr(metrics, name)
        found.append((title, f"{value:{form}}", f"{low:{form}} to {high:{form}}", meaning))
    return found
