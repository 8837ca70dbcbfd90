"""Options stand once: command, flows and deployments take the same, with the same defaults."""

from __future__ import annotations

import inspect
import subprocess
import sys
from collections.abc import Iterator
from importlib import import_module
from typing import Annotated, Any, get_args, get_type_hints

import click
import pytest
from click.testing import CliRunner
from limits import COMMAND_S
from pydantic import TypeAdapter, ValidationError

from flows import data_options, options, prediction_options, sweep_options
from flows.option import Option

FLOWS = (
    "fetch_dataset",
    "build_features",
    "train_model",
    "evaluate_model",
    "predict_tracks",
    "full_run",
    "sweep",
)
OPTIONS = {
    name: each
    for module in (data_options, options, prediction_options, sweep_options)
    for name, each in vars(module).items()
    if isinstance(each, Option)
}


def parameters(flow: str) -> Iterator[tuple[inspect.Parameter, Option]]:
    """Yield the flow's parameters, each with the option that it is made from."""
    function = getattr(import_module(f"flows.{flow}"), flow).fn
    hints = get_type_hints(function, include_extras=True)
    for name, parameter in inspect.signature(function).parameters.items():
        (option,) = [each for each in get_args(hints[name]) if isinstance(each, Option)]
        yield parameter, option


def test_choices_are_those_of_the_domain() -> None:
    from flows.up import registration
    from genre_model import frontends, networks
    from genre_model.data import catalogue, fma_archives
    from genre_model.frontends.backbones.known import KNOWN, TOGETHER

    def choices(option: Option) -> list[str]:
        assert option.choices is not None
        return list(option.choices())

    nets = {net for each in KNOWN.values() for net in each.nets}
    assert set(choices(options.PRESET)) == {*frontends.PRESETS, *nets, *TOGETHER}
    assert set(choices(options.NETWORK)) == set(networks.NETWORKS)
    assert choices(options.SUBSET) == list(catalogue.SUBSETS)
    assert set(choices(options.DATASET)) == set(fma_archives.SHA1)
    assert choices(options.SPLIT) == list(catalogue.SPLITS)
    assert set(choices(options.POOL)) == set(registration.POOLS)


def test_the_help_of_data_is_made_of_the_table_of_layouts() -> None:
    from genre_model.data.layouts import LAYOUTS

    for layout in LAYOUTS.values():
        assert f"{layout.FORM} ({layout.EXAMPLE})" in options.DATA.help


@pytest.mark.parametrize("flow", FLOWS)
def test_every_parameter_of_a_flow_is_an_option_with_its_default(flow: str) -> None:
    for parameter, option in parameters(flow):
        assert option.name == parameter.name
        needs = option.is_required or option in (options.DATASET, options.FOLDER)
        default = inspect.Parameter.empty if needs else option.default
        given = False if parameter.default is False else parameter.default
        assert given == (False if option.kind is bool else default), parameter.name


@pytest.mark.parametrize("option", OPTIONS.values(), ids=OPTIONS.keys())
def test_command_and_flow_refuse_the_same(option: Option) -> None:
    if option.kind is bool:
        return
    command = click.Command("one", params=[], callback=lambda **_given: None)
    command = option.click()(command)
    adapter = TypeAdapter(Annotated[option.kind, option])
    wrong: list[Any] = ["no/body"] if option.choices else []
    wrong += [] if option.low is None else [option.low - 1]
    wrong += [] if option.high is None else [option.high + 1]
    for value in wrong:
        flag = option.flag or "--" + option.name.replace("_", "-")
        assert CliRunner().invoke(command, [flag, str(value)]).exit_code == 2, value
        with pytest.raises(ValidationError):
            adapter.validate_python(value)


def test_saying_the_default_and_saying_nothing_differ() -> None:
    @click.command()
    @options.RUN_PRESET.click()
    def said(preset: str | None) -> None:
        click.echo(f"preset {preset}")

    assert CliRunner().invoke(said, []).output == "preset None\n"
    assert CliRunner().invoke(said, ["--preset", "default"]).output == "preset default\n"
    assert "default: (default, or any when" in " ".join(
        CliRunner().invoke(said, ["--help"]).output.split()
    )
    assert options.PRESET.or_default(None) == "default"
    assert options.SEED.or_default(0) == 0


ONE_LINE = """
import dataclasses
from genre_model import frontends, networks
frontends.PRESETS["loud"] = dataclasses.replace(frontends.PRESETS["default"], name="loud")
networks.NETWORKS["deep"] = networks.NETWORKS["default"]
"""
ACCEPTED = """
from importlib import import_module
import click, yaml
from prefect.utilities.callables import parameter_schema
from flows.command.cli import genre

for command in ("run", "features", "train", "evaluate"):
    for option in genre.commands[command].params:
        if option.name in ("preset", "network"):
            assert {"preset": "loud", "network": "deep"}[option.name] in option.type.choices

for deployment in yaml.safe_load(open("prefect.yaml"))["deployments"]:
    module, _, name = deployment["entrypoint"].partition(":")
    flow = getattr(import_module(module), name)
    fields = parameter_schema(flow).model_dump()["properties"]
    given = {"preset": "loud", "network": "deep"}
    given = {name: value for name, value in given.items() if name in fields}
    needed = {"dataset": "fma_small", "to": "/data", "folder": "/data"}
    given.update({name: value for name, value in needed.items() if name in fields})
    for name in ("preset", "network"):
        if name in fields:
            enum = [fields[name], *fields[name].get("anyOf", ())]
            assert any(given[name] in each.get("enum", ()) for each in enum), fields[name]
    flow.validate_parameters(given)
print("accepted")
"""


@pytest.mark.whole
def test_a_preset_and_a_network_of_one_line_are_taken_everywhere(
    pytestconfig: pytest.Config,
) -> None:
    done = subprocess.run(
        [sys.executable, "-c", ONE_LINE + ACCEPTED],
        cwd=pytestconfig.rootpath,
        capture_output=True,
        text=True,
        timeout=COMMAND_S,
        check=False,
    )
    assert done.stdout == "accepted\n", done.stderr
    without = subprocess.run(
        [sys.executable, "-c", ACCEPTED],
        cwd=pytestconfig.rootpath,
        capture_output=True,
        text=True,
        timeout=COMMAND_S,
        check=False,
    )
    assert "AssertionError" in without.stderr
