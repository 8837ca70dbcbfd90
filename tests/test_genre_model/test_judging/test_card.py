"""The card says what a model is, how good and on what, and what its licences forbid."""

from __future__ import annotations

import dataclasses
import re

import numpy as np
import pytest
from test_report import GENRES, HOSTILE, predictions

from genre_model.judging.card import Card
from genre_model.judging.evaluation import evaluate
from genre_model.judging.leaks import Leaks
from genre_model.judging.licences import forbids_commercial_use, licence_remarks
from genre_model.printable import as_markdown, is_harmless_markdown

NET = {
    "name": "mtt-vgg",
    "licence": "CC BY-NC-SA 4.0",
    "source": "a wheel",
    "citation": "Pons and Serra 2019",
}
SECTIONS = (
    "## What it is",
    "## Data and licences",
    "## Training",
    "## Numbers",
    "## Where it fails",
    "## What it must not be used for",
)


@pytest.fixture(scope="module")
def card() -> Card:
    return Card(
        params={
            "id": "linear-0a1b2c3d",
            "network": "linear",
            "parameters": 4100,
            "features": {"name": "mtt-vgg"},
            "catalogue": "fma-1",
            "tracks": {"training": 120, "validation": 16, "test": 40},
            "epochs": 1,
            "best_epoch": 1,
            "device": "CPU",
            "trained": "2026-11-01",
            "recipe": {"training": {"seed": 5}},
            "track_rule": "vote",
            "temperature": 1.5,
            "threshold": 0.625,
            "licences": [NET],
        },
        metrics=evaluate(predictions(), genres=GENRES, training_labels=np.array([0])),
        split="test",
        data_set="fma",
        licences={"CC BY-NC 3.0": 7, "CC BY 3.0": 5},
        leaks=Leaks(counts={"identical": 1, "artists": 2, "components": 3}),
        window_seconds=0.96,
    )


def test_a_card_has_all_sections_in_order_and_whole_tables(card: Card) -> None:
    text = card.markdown()
    places = [text.index(each) for each in SECTIONS]
    assert places == sorted(places)
    assert text.startswith("---\nlibrary_name: keras\n")
    for table in re.findall(r"(?:^\|.*\n)+", text, flags=re.MULTILINE):
        assert len({line.count("|") for line in table.splitlines()}) == 1, table
    low, high = card.metrics.track_accuracy_interval
    figure = f"| Track accuracy | {card.metrics.track_accuracy:.1%} | {low:.1%} to {high:.1%} |"
    for said in (
        figure,
        "windows of 0.96 s of a recording",
        "rule vote",
        "62.5%",
        "the temperature 1.5",
        "| seed | 5 |",
        "1 with the",
    ):
        assert said in text, said


def test_a_card_of_validation_says_that_it_flatters(card: Card) -> None:
    validated = dataclasses.replace(card, split="validation").markdown()
    assert "so that they flatter" in validated
    assert "so that they flatter" not in card.markdown()


def test_what_forbids_commercial_use_is_said(card: Card) -> None:
    text = card.markdown()
    assert "| mtt\\-vgg | CC BY\\-NC\\-SA 4.0 |" in text.replace("mtt-", "mtt\\-").replace(
        "BY-NC-SA", "BY\\-NC\\-SA"
    )
    assert "Pons and Serra 2019" in text
    assert len([line for line in text.splitlines() if "forbid" in line]) == 3
    assert licence_remarks([{"name": "a", "licence": "ISC"}], {"CC BY 4.0": 3}) == ()


@pytest.mark.parametrize(
    ("licence", "forbids"),
    [
        ("Attribution-NonCommercial-ShareAlike 3.0 International", True),
        ("Attribution-Noncommercial 3.0 United States", True),
        ("CC BY-NC 4.0", True),
        ("non commercial use only", True),
        ("CC_BY_NC", True),
        ("cc-by-nc-sa-4.0", True),
        ("academic use only", True),
        ("for research purposes only", True),
        ("only for research", True),
        ("CC BY-SA 4.0", False),
        ("MIT", False),
        ("Apache-2.0; synced with INC.", False),
        ("MIT, of a research group; NCSA's own", False),
    ],
)
def test_licences_are_told_apart(licence: str, forbids: bool) -> None:
    assert forbids_commercial_use(licence) == forbids


def test_no_name_does_more_than_show_itself(card: Card) -> None:
    whole = " ".join(HOSTILE)
    params = {**card.params, "id": whole, "licences": [dict.fromkeys(NET, whole)]}
    metrics = evaluate(predictions(), genres=HOSTILE, training_labels=np.array([0]))
    text = dataclasses.replace(
        card, params=params, metrics=metrics, data_set=whole, licences={whole: 1}, remarks=[whole]
    ).markdown()
    assert text.count(as_markdown(whole)) >= 6
    assert all(line.isprintable() for line in text.splitlines())
    assert is_harmless_markdown(text)
