"""The recipes of `examples/`: each is taken as it stands, with the command that its head shows."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from pathlib import Path

import pytest
from command import Ended

from genre_model.frontends import preset
from genre_model.networks import check_network
from genre_model.settings import make_recipe, read_settings

HOUSE = Path(__file__).parents[2]
EXAMPLES = sorted((HOUSE / "examples").glob("*.toml"))


def shown_options(text: str) -> list[str]:
    """Return the options of the `genre run` in a file's head."""
    lines = [line.lstrip("# ").rstrip("\\ ") for line in text.splitlines() if line[:1] == "#"]
    first = next(n for n, line in enumerate(lines) if line.startswith("genre run "))
    return shlex.split(" ".join(lines[first : lines.index("", first)]))[2:]


def test_the_notebook_s_protocol_is_among_them() -> None:
    assert "notebook.toml" in [each.name for each in EXAMPLES]


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda each: each.name)
def test_an_example_is_taken_with_the_options_that_it_shows(
    called: Callable[..., Ended], path: Path
) -> None:
    text = path.read_text()
    options = shown_options(text)
    at = options.index("--config") + 1
    assert options[at] == f"examples/{path.name}"
    options[at] = str(path)
    printed = called("train", "--print-config", *options)
    assert (printed.code, printed.err) == (0, "")
    recipe = make_recipe(read_settings(text, where=path.name))
    assert make_recipe(read_settings(printed.out, where="stdout")) == recipe


def test_the_notebook_s_protocol_is_its_network_on_its_preset_with_sgd() -> None:
    text = (HOUSE / "examples" / "notebook.toml").read_text()
    options = shown_options(text)
    recipe = make_recipe(read_settings(text, where="notebook.toml"))
    assert recipe.model is not None
    frontend = preset(options[options.index("--preset") + 1])
    check_network(recipe.model.network, frontend=frontend)
    assert (recipe.model.network, frontend.name) == ("notebook", "notebook")
    assert options[options.index("--split-policy") + 1] == "random"
    training = recipe.training
    assert (training.optimiser, training.momentum, training.schedule) == ("sgd", 0.0, "constant")
