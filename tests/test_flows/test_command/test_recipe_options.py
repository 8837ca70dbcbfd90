"""Recipes on the command line: what is heard, what wins, and what is refused in a sentence."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from command import Ended, Genre

from flows.command.cli import genre as genre_command
from flows.command.recipes import asked_evaluation, asked_recipe
from flows.errors import UsageError
from genre_model.recipe import EvaluateSpec, Recipe
from genre_model.settings import make_recipe, read_settings
from storage.store import Store


def printed(ended: Ended) -> Recipe:
    assert ended.code == 0, ended.err
    assert ended.err == ""
    return make_recipe(read_settings(ended.out, where="stdout"))


FILES = {
    "good.toml": "[training]\nepochs = 7\nlearning_rate = 0.01\nseed = 5\n",
    "table.toml": "[trainig]\nepochs = 7\n",
    "later.toml": "[schedule]\nmixup = 0.2\n",
    "key.toml": "[training]\nlerning_rate = 0.1\n",
    "high.toml": "[training]\nlearning_rate = 5\n",
    "broken.toml": "[training\n",
    "network.toml": '[model]\nnetwork = "mlp"\n',
}


@pytest.fixture
def files(tmp_path: Path) -> Path:
    for name, text in FILES.items():
        (tmp_path / name).write_text(text)
    (tmp_path / "latin.toml").write_bytes(b"# caf\xe9\n")
    return tmp_path


REFUSED = [
    (["--set", "trainig.epochs=3"], "--set says trainig.epochs, which no recipe has; the nearest "),
    (["--set", "training.epoch=3"], "the nearest is training.epochs"),
    (
        ["--set", "epochs=3"],
        "--set says epochs, which no recipe has; the nearest is training.epoch",
    ),
    (["--set", "training.epochs"], "--set training.epochs gives no value; write it as training.ep"),
    (["--set", "training.epochs=many"], "training.epochs is 'many'; it must be a whole number"),
    (["--set", "training.learning_rate=5"], "training.learning_rate is 5; it must be a number fr"),
    (["--set", "training.learning_rate=nan"], "training.learning_rate is nan; it must be a numb"),
    (["--set", "training.optimiser=adams"], "training.optimiser is 'adams'; it must be one of ad"),
    (["--set", "training.momentum=0.5"], "which training.optimiser 'adam' has no use for; leave "),
    (["--set", "training.warmup_epochs=3", "--epochs", "3"], "warm up for fewer epochs than there"),
    (["--set", "model.network=loud"], "there is no network 'loud'; the networks are default"),
    (["--set", "model.network=mlp"], "the network 'mlp' takes rows of embedding"),
    (["--set", "training.epochs=3", "--set", "training.epochs=4"], "says training.epochs twice, 3"),
    (["--set", "training.epochs=4", "--epochs", "3"], "--epochs is 3 and --set training.epochs 4"),
    (["--set", "training.seed=4", "--seed", "3"], "--seed is 3 and --set training.seed 4; leave"),
    (["--set", "model.network=mlp", "--network", "notebook"], "--network is notebook and --set mo"),
    (["--preset", "mfcc", "--epochs", "3"], "has no epochs; leave --epochs out"),
    (["--preset", "mfcc", "--set", "training.optimiser=adam"], "no use for training.optimiser; le"),
    (["--preset", "mfcc", "--config", "good.toml"], "'linear' is fitted at once and has no use fo"),
    (["--config", "table.toml"], "table.toml has the table [trainig], which no recipe has; the ne"),
    (["--config", "later.toml"], "later.toml has the table [schedule], which no recipe has"),
    (["--config", "key.toml"], "says training.lerning_rate, which no recipe has; the nearest is t"),
    (["--config", "high.toml"], "training.learning_rate is 5; it must be a number from 1e-07 to 1"),
    (["--config", "broken.toml"], "broken.toml is no TOML: "),
    (["--config", "latin.toml"], "--config latin.toml is no text in UTF-8"),
    (["--config", "nowhere.toml"], "--config nowhere.toml cannot be read (No such file or direct"),
    (["--config", "."], "--config . cannot be read (Is a directory)"),
    (["--config", "network.toml"], "the network 'mlp' takes rows of embedding"),
]


@pytest.mark.parametrize("command", ["train", "run"])
@pytest.mark.parametrize(("arguments", "says"), REFUSED, ids=lambda each: str(each)[:60])
def test_what_no_recipe_has_is_one_sentence_and_nothing_is_written(
    called: Callable[..., Ended], files: Path, command: str, arguments: list[str], says: str
) -> None:
    Store.create(files / "store")
    before = sorted(files.rglob("*"))
    ended = called(command, "--store", "store", *arguments)
    assert (ended.code, ended.out) == (2, "")
    (sentence,) = ended.err.splitlines()
    assert sentence.startswith("genre: ")
    assert says in sentence
    assert sorted(files.rglob("*")) == before


def test_a_recipe_is_no_use_where_nothing_is_trained(called: Callable[..., Ended]) -> None:
    late = called("run", "--start-at", "evaluation", "--set", "training.epochs=3")
    assert late.code == 2
    assert "--set training.epochs has no use with --start-at evaluation, where nothing" in late.err
    judged = called("evaluate", "--set", "training.epochs=3")
    assert judged.code == 2
    assert "--set training.epochs has no use in `genre evaluate`, where nothing is tr" in judged.err
    both = called("train", "--print-config", "--json")
    assert both.code == 2
    assert "leave --print-config or --json out" in both.err


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (
            ["--scheduler", "tcp://h:1"],
            "--scheduler tells where disturbed clips are heard; add",
        ),
        (["--workers", "2"], "--workers tells where disturbed clips are heard; add --robustness"),
        (
            ["--robustness", "--scheduler", "tcp://h:1", "--workers", "2"],
            "leave --scheduler or",
        ),
    ],
)
def test_workers_of_an_evaluation_are_for_robustness(
    called: Callable[..., Ended], options: list[str], says: str
) -> None:
    ended = called("evaluate", *options)
    assert ended.code == 2
    assert says in ended.err


def test_the_printed_recipe_is_taken_back(called: Callable[..., Ended], files: Path) -> None:
    assert printed(called("train", "--print-config")) == make_recipe({"model.network": "default"})
    sets = ("--set", "training.optimiser=sgd", "--set", "training.momentum=0.5", "--epochs", "3")
    first = called("train", "--print-config", "--network", "notebook", *sets)
    (files / "recipe.toml").write_text(first.out)
    assert called("train", "--print-config", "--config", "recipe.toml").out == first.out
    told = printed(first)
    assert (told.training.optimiser, told.training.momentum, told.training.epochs) == (
        "sgd",
        0.5,
        3,
    )
    assert sorted(path.name for path in files.iterdir()) == sorted(
        [*FILES, "latin.toml", "recipe.toml"]
    )


def test_of_a_network_that_is_fitted_only_what_it_uses_is_printed(
    called: Callable[..., Ended],
) -> None:
    ended = called("train", "--print-config", "--preset", "mfcc", "--seed", "4")
    assert ended.out == (
        '[model]\nnetwork = "linear"\n\n[training]\nseed = 4\n\n[evaluation]\nsplit = "test"\n'
    )
    asked = called("train", "--print-config", "--preset", "mfcc", "--set", "evaluation.split=test")
    assert asked.code == 0, asked.err


JUDGED = "[training]\nepochs = 7\n\n[evaluation]\nsplit = 'validation'\n"


@pytest.mark.parametrize(
    ("given", "said", "split", "heard"),
    [
        ([], [], None, "validation"),
        ([], [], "training", "training"),
        ([], ["split"], "test", "test"),
        (["evaluation.split=test"], [], None, "test"),
        (["evaluation.split=test"], [], "training", "test"),
        (["evaluation.split=test"], ["split"], "test", "test"),
    ],
)
def test_what_is_evaluated_is_heard_from_the_line_then_the_environment_then_the_file(
    tmp_path: Path, given: list[str], said: list[str], split: str | None, heard: str
) -> None:
    file = tmp_path / "judged.toml"
    file.write_text(JUDGED)
    found = asked_evaluation(config=str(file), given=given, where="here", split=split, said=said)
    assert found == Recipe(evaluation=EvaluateSpec(split=heard))  # and nothing of the training


def test_a_split_that_is_said_twice_and_differently_is_refused() -> None:
    given = {"given": ["evaluation.split=test"], "where": "here", "config": None}
    with pytest.raises(UsageError, match=r"--split is training and --set evaluation\.split test;"):
        asked_evaluation(split="training", said=["split"], **given)


@pytest.mark.usefixtures("called")
@pytest.mark.parametrize("command", ["evaluate", "run"])
def test_a_command_hands_on_what_is_evaluated(
    command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "judged.toml").write_text(JUDGED)
    Store.create(tmp_path / "store")
    module, name = {"evaluate": ("flows.evaluate_model", "evaluate_model")}.get(
        command, ("flows.full_run", "full_run")
    )
    sent: list[dict[str, Any]] = []

    class StoppedError(Exception):
        """Stands for the flow."""

    def flow(**options: Any) -> None:
        sent.append(options)
        raise StoppedError

    monkeypatch.setattr(f"{module}.{name}", flow)
    monkeypatch.setattr("flows.command.checks.check_run", lambda **_: None)
    monkeypatch.setattr("tasks.models.choose_model", lambda *_, **__: "notebook-0")
    monkeypatch.setattr("flows.dashboard.temporary_server.start", lambda **_: None)
    late = ["--start-at", "evaluation"] if command == "run" else []
    options = ["--store", str(tmp_path / "store"), "--config", str(tmp_path / "judged.toml")]
    with pytest.raises(StoppedError):
        genre_command.main([command, *late, *options], standalone_mode=False)
    (given,) = sent
    split = given["split"] if command == "evaluate" else given["recipe"].evaluation.split
    assert split == "validation"


NOTHING: dict[str, Any] = {"network": None, "seed": None, "epochs": None}


@pytest.mark.parametrize(
    ("given", "said", "options", "epochs", "seed"),
    [
        ([], [], {}, 7, 5),
        ([], ["epochs"], {"epochs": 3}, 3, 5),
        ([], [], {"epochs": 3}, 3, 5),
        (["training.epochs=4"], [], {"epochs": 3}, 4, 5),
        (["training.epochs=3"], ["epochs"], {"epochs": 3, "seed": 0}, 3, 0),
    ],
)
def test_the_line_wins_over_the_environment_and_that_over_the_file(
    files: Path,
    given: list[str],
    said: list[str],
    options: Mapping[str, Any],
    epochs: int,
    seed: int,
) -> None:
    asked = asked_recipe(
        config=str(files / "good.toml"), given=given, said=said, **{**NOTHING, **options}
    )
    assert (asked.recipe.training.epochs, asked.recipe.training.seed) == (epochs, seed)
    assert asked.recipe.training.learning_rate == 0.01
    assert asked.named() == {"network": None, "seed": seed, "epochs": epochs}


def test_the_environment_names_a_file_too(genre: Genre) -> None:
    (genre.folder / "mine.toml").write_text("[training]\nepochs = 7\n")
    ended = genre("train", "--print-config", GENRE_CONFIG="mine.toml", GENRE_SEED="9")
    recipe = printed(ended)
    assert (recipe.training.epochs, recipe.training.seed) == (7, 9)
