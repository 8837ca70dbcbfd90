"""Every benchmark runs, with numbers too small to mean anything, and prints what it promises."""

from __future__ import annotations

import itertools
import json
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from limits import COMMAND_S
from made_nets import mean_net

from benchmarks.clips import make_data, write_tracks_csv
from benchmarks.orchestration import Nap, turns_ms
from benchmarks.processes import Sampler
from benchmarks.turns import Turns
from genre_model.data.fma.genres_csv import derive_genres, read_genres
from genre_model.data.fma.subset_tracks import select
from genre_model.data.fma.tracks_csv import read_tracks
from genre_model.recipe import AugmentSpec
from storage.places.address import parse_location
from tasks.backbones.given import add_given

pytestmark = pytest.mark.benchmarks
ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def few(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a data folder of two clips, rendered where no real ones are."""
    folder = tmp_path_factory.mktemp("few")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GENRE_REAL_MUSIC", str(folder / "nowhere"))
        assert make_data(folder, count=2) == "2 clips of the built-in data set"
    return folder


def run(name: str, *arguments: str | int | Path) -> str:
    """Run a benchmark as a person does, and return what it printed."""
    done = subprocess.run(
        [sys.executable, "-m", f"benchmarks.{name}", *map(str, arguments)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=COMMAND_S,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def result(name: str, *arguments: str | int | Path) -> dict[str, Any]:
    found = json.loads(run(name, *arguments, "--json"))
    assert isinstance(found, dict)
    return found


def test_clips_are_repeated_under_other_ids(few: Path, tmp_path: Path) -> None:
    source = make_data(tmp_path, count=5, source=few)
    assert source == f"2 clips of {few.name}"
    tracks = read_tracks(tmp_path / "fma_metadata/tracks.csv")
    paths = select(tracks, subset="small", data_set="fma").tracks["path"]
    content = [(tmp_path / path).read_bytes() for path in paths]
    assert len(content) == 5
    assert content[0] == content[2] == content[4] != content[1] == content[3]
    assert min(map(len, content)) > 100_000


def test_a_folder_without_a_good_clip_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="holds no clip of 30 s"):
        make_data(tmp_path / "data", count=2, source=tmp_path)


def test_prose_is_quoted_in_tracks_csv(tmp_path: Path) -> None:
    write_tracks_csv(tmp_path, [7, 9], subset="large", prose='two\nlines, "quoted"')
    tracks = read_tracks(tmp_path / "fma_metadata/tracks.csv")
    assert tracks["track_id"].tolist() == [7, 9]
    assert tracks["subset"].tolist() == ["large", "large"]


def test_tracks_without_a_top_genre_get_the_one_they_would_have_had(tmp_path: Path) -> None:
    write_tracks_csv(tmp_path, range(1, 41), without_top=2)
    folder = tmp_path / "fma_metadata"
    tops = read_genres((folder / "genres.csv").read_bytes())
    derived = select(derive_genres(read_tracks(folder / "tracks.csv"), tops), subset="small")
    assert (derived.derived, derived.unlabelled) == (20, 0)
    write_tracks_csv(tmp_path, range(1, 41))
    given = select(read_tracks(folder / "tracks.csv"), subset="small")
    assert derived.tracks["genre"].tolist() == given.tracks["genre"].tolist()


def test_a_turn_is_from_one_beginning_to_the_next_at_the_same_worker() -> None:
    naps = [_nap(began, process) for began, process in ((0, 1), (1, 2), (3, 1), (5, 2), (9, 1))]
    assert turns_ms(naps[::-1]) == [3_000, 4_000, 6_000]


def test_threads_take_turns_and_one_that_fails_leaves_the_round() -> None:
    turns, pieces = Turns(3), list[str]()

    def work(name: str, on_piece: Callable[[str], None], *, count: int) -> str:
        for number in range(count):
            on_piece(f"{name}{number}")
        if name == "b":
            raise LookupError(name)
        return name

    with ThreadPoolExecutor(3) as threads:
        done = [
            threads.submit(turns.taken, partial(work, name, count=count), pieces.append)
            for name, count in (("a", 4), ("b", 1), ("c", 4))
        ]
    assert [done[0].result(), done[2].result()] == ["a", "c"]
    with pytest.raises(LookupError):
        done[1].result()
    rest = [each[0] for each in pieces if each != "b0"]
    assert all(one != other for one, other in itertools.pairwise(rest))
    assert sorted(pieces) == ["a0", "a1", "a2", "a3", "b0", "c0", "c1", "c2", "c3"]


def test_the_sampler_follows_this_process_and_its_children() -> None:
    with Sampler(lambda _command: "child", every_s=0.02) as sampler:
        began = time.monotonic()
        busy = "import time\nwhile time.process_time() < 0.5: pass\ninput()"
        child = subprocess.Popen([sys.executable, "-c", busy], stdin=subprocess.PIPE)
        time.sleep(0.2)
        before = sampler.now()["driver"]
        kept = b"1" * 50_000_000
        after = sampler.now()["driver"]
        time.sleep(1.0)
        child.communicate(b"\n")
    assert 0.4 < sampler.cpu("child", sampler.last) < 1.5
    assert sampler.cpu("driver", sampler.last) - sampler.cpu("driver", began) < 0.5
    assert after - before > 0.9 * len(kept)
    assert sampler.peak("child") > 1_000_000
    assert sampler.peak("driver", "child") > sampler.peak("driver")


def test_features(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GENRE_REAL_MUSIC", str(tmp_path / "nowhere"))
    found = result("features", "--clips", 1)
    ratios = {row["way"]: row["ratio"] for row in found["features"]}
    assert ratios["decode only: soundfile.read"] == 1.0
    assert all(ratio > 0 for ratio in ratios.values())


@pytest.mark.parametrize("preset", ["default", "made"])
def test_memory(few: Path, tmp_path: Path, preset: str) -> None:
    given: list[str | Path] = ["--data", few, "--preset", preset]
    if preset == "made":
        given += ["--store", store_with_a_backbone(tmp_path)]
    found = result("memory", "--shards", 2, "--clips", 66, *given)
    assert [row["after"] for row in found["memory"]] == ["shard 1", "shard 2", "peak"]
    assert all(row["worker"] > 50 < row["decoder"] for row in found["memory"])
    assert found["peak_mb"] < found["limit_mb"]


def test_scale_and_nothing_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    rows = {row["step"]: row for row in result("scale", "--tracks", 130)["scale"]}
    work = {step: (row["shards"], row["rows"]) for step, row in rows.items()}
    assert work == {
        "fresh": (3, 130),
        "planned": (3, 130),
        "done": (0, 0),
        "grown": (1, 50),
    }
    assert all(row["peak_mb"] > 50 for row in rows.values())
    assert list(tmp_path.iterdir()) == []


def test_flow(few: Path) -> None:
    table = run("flow", "--clips", 3, "--workers", 1, "--data", few)
    lines = {line[:15].strip(): line[22:].split() for line in table.splitlines()}
    bare, flow = lines["bare, 1 process"], lines["flow, 1 worker"]
    assert float(bare[0]) > 0 < float(flow[0])
    assert bare[3:] == ["1.00", "1.00"]
    assert float(flow[3]) > 0
    assert 0 <= float(flow[2].rstrip("%")) < 100


def test_unpack() -> None:
    found = result("unpack", "--clips", 8, "--clip-bytes", 20_000, "--rounds", 1)
    rows = {row["way"]: row for row in found["unpack"]}
    assert {"libbz2 alone", "one process", f"{found['cores']} Dask workers"} <= set(rows)
    assert next(iter(rows.values()))["ratio"] == 1.0
    assert all(row["mb_s"] > 0 for row in rows.values())


def test_orchestration() -> None:
    found = result("orchestration", "--parts", "stubs", "--shards", 20, "--workers", 1)
    found = found["orchestration"]
    assert (found["shards"], found["workers"]) == (20, 1)
    assert found["ratio"] >= 1
    assert found["turn_ms"]["all"] > 50
    assert all(found["cpu_ms_a_shard"][role]["all"] > 0 for role in ("driver", "server"))
    assert found["driver_rss_mb"]["last"] > 100


def test_orchestration_of_clips_and_of_a_rerun(few: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GENRE_REAL_MUSIC", str(few))
    parts = ["--parts", "clips", "rerun", "--clips", 3, "--tracks", 130, "--workers", 1]
    found = result("orchestration", *parts)
    assert 0 <= found["feature_run"]["outside"] < 1
    assert found["feature_run"]["clips"] == 3
    assert found["rerun"]["tracks"] == 130
    assert 0 < found["rerun"]["flow_seconds"] < found["rerun"]["seconds"]


def test_predict() -> None:
    found = result("predict", "--clips", 2, "--rounds", 1, "--songs", 3, "--workers", 2)
    python, song, nothing = (row["cpu_s"] for row in found["starts"])
    assert 0 < python < song
    assert nothing > 0
    assert found["songs"]["clips"] == 2
    assert 0 < found["songs"]["ratio"] < 1
    bare, one, bare_of_two, two = found["folder"]
    assert {row["songs"] for row in found["folder"]} == {3}
    assert (one["what"], two["what"]) == (
        "genre predict FOLDER",
        "genre predict FOLDER --workers 2",
    )
    assert bare["ratio"] == bare_of_two["ratio"] == 1
    assert 0 < one["ratio"] < 1
    # the children are counted, too
    assert 0 < bare["cpu_s"] < one["cpu_s"]
    assert 0 < bare_of_two["cpu_s"] < two["cpu_s"]


def test_equality(tmp_path: Path) -> None:
    net = tmp_path / "net.onnx"
    net.write_bytes(mean_net())
    add_given(
        *(parse_location(str(tmp_path / "store")), "made"),
        **{"file": net, "frontend": "musicnn", "output": "embedding", "licence": "none"},
    )
    given = ("--networks", "mlp", "--store", tmp_path / "store", "--backbones", "made")
    found = result("equality", "--clips", 2, *given)
    rows = [(row["network"], row["preset"]) for row in found["networks"]]
    assert rows == [("mlp", "mfcc"), ("linear", "made"), ("mlp", "made")]
    for row in found["networks"]:
        assert 0 < max(row["onnx"], row["script"], row["single"]) < 1e-4 < row["spread"]


def store_with_a_backbone(folder: Path) -> Path:
    (folder / "net.onnx").write_bytes(mean_net())
    add_given(
        *(parse_location(str(folder / "store")), "made"),
        **{"file": folder / "net.onnx", "frontend": "musicnn", "output": "embedding"},
        licence="none",
    )
    return folder / "store"


def test_backbones(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GENRE_REAL_MUSIC", str(tmp_path / "nowhere"))
    make_data(tmp_path / "data", count=12)
    store = store_with_a_backbone(tmp_path)
    given = ["--data", tmp_path / "data", "--store", store, "--presets", "mfcc,made"]
    found = result("backbones", *given, "--folds", 2, "--repeats", 1, "--clips", 1)
    assert found["tracks"] == 12
    assert set(found["presets"]) == {"mfcc", "made"}
    first = found["presets"]["mfcc"]
    assert first["to_first"] == [0, 0, 0]
    assert all(low <= mean <= high for mean, low, high in [first["accuracy"]])
    assert (found["limit"], found["cost_of"]) == (1.10, "built-in data set")
    (made,) = found["cost"].values()
    parts = [made[name] for name in ("read and resample", "patches", "onnxruntime bare")]
    assert all(each > 0 for each in parts)
    assert made["sum of the parts"] == pytest.approx(sum(parts), abs=2e-4)
    assert made["ratio"] == pytest.approx(made["the row"] / made["sum of the parts"], rel=0.02)


def test_storage() -> None:
    found = result("storage", "--shards", 2, "--clips", 3, "--tracks", 130, "--rounds", 1)
    ways = {row["by"]: row for row in found["bytes"]}
    assert set(ways) == {"boto3", "storage, S3", "obstore", "storage, folder", "plain file"}
    assert ways["boto3"]["write_ratio"] == ways["boto3"]["read_ratio"] == 1
    arrays = {row["by"]: row for row in found["arrays"]}
    assert set(arrays) == {"storage", "zarr, s3fs", "zarr, obstore"}
    assert all(row["read_ms"] > 0 for row in arrays.values())
    assert found["features"]["ratio"] > 0
    requests = found["requests"]
    assert (requests["tracks"], requests["shards"]) == (3, 1)
    assert 1 <= requests["a_track"] < 1.7  # two listings, for three tracks
    assert 3 <= requests["a_shard"] <= found["limits"]["requests_a_shard"]
    assert requests["once_a_run"] < 40
    assert found["done"]["requests"] < 60


def test_training() -> None:
    found = result("training", "--shards", 2, "--rounds", 1, "--late-ms", 400)
    rows = {row["from"]: row for row in found["training"]}
    late = "S3, 400 ms late"
    assert list(rows) == ["memory", "folder", "S3", late, f"{late}, one by one"]
    assert rows["memory"]["ratio"] == 1
    assert all(row["windows_a_second"] > 0 for row in rows.values())
    assert all(0 <= row["stall_share"] < 1 for row in rows.values())
    fed = {row["fed"]: row for row in found["feeding"]}
    assert list(fed) == ["the device", "resident", "streaming"]
    assert fed["the device"]["ratio"] == 1
    assert all(row["windows_a_second"] > 0 and row["ratio"] > 0 for row in fed.values())
    # one shard to train on and one to judge by: each is waited for
    assert 0.8 < rows[late]["waited_s"] < 5


def test_networks() -> None:
    found = result("networks", "--rounds", 1, "--network", "default", "--network", "dong")
    lines = {line["network"]: line for line in found["networks"]}
    assert lines["default"]["parameters"] == 81_112
    assert lines["default"]["multiply_adds"] == 13_387_264
    assert lines["dong"]["window"] == "64x256"
    assert all(line["trained"] > 0 and line["named"] > 0 for line in lines.values())


def test_linear() -> None:
    found = result("linear", "--tracks", 200, "--values", 20)
    assert (found["tracks"], found["windows"], found["values"]) == (200, 10, 20)
    assert found["search"]["windows"] == 10 * 160
    assert found["cpu_seconds"] > 0


def _nap(began: float, process: int) -> Nap:
    return Nap(
        shard=0,
        statuses={},
        windows=0,
        remarks=(),
        seconds=0.05,
        began=began,
        ended=began + 0.05,
        process=process,
    )


def test_recipes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GENRE_REAL_MUSIC", str(tmp_path / "nowhere"))
    make_data(tmp_path / "data", count=24)
    given = ["--data", tmp_path / "data", "--store", tmp_path / "store", "--epochs", 3]
    few_parts = ["--part", "gain", "--part", "warm-up", "--seeds", 1]
    found = result("recipes", *given, *few_parts, "--folds", 3)
    lines = found["recipes"]
    assert list(lines) == ["the whole recipe", "without gain", "without warm-up", "the defaults"]
    assert (found["tracks"], found["parts"]) == (24, "3 folds by artist")
    assert lines["the whole recipe"]["to_whole"] == [0, 0, 0]
    for line in lines.values():
        (share, low, high), (gain, least, most) = line["accuracy"], line["to_whole"]
        assert 0 <= low <= share <= high <= 1
        assert least <= gain <= most
        assert share - lines["the whole recipe"]["accuracy"][0] == pytest.approx(gain, abs=2e-3)


def test_each_fold_learns_chooses_and_judges_by_other_artists() -> None:
    from benchmarks import recipes  # which imports Keras

    rows = pd.DataFrame({"label": np.arange(60) % 3, "artist": np.arange(60) // 4})
    seen = []
    for learned, choosing, judged in recipes.parted(rows, seed=1, folds=3):
        of = [set(rows["artist"].iloc[each]) for each in (learned, choosing, judged)]
        assert not of[0] & of[1] | of[0] & of[2] | of[1] & of[2]
        assert len(learned) + len(choosing) + len(judged) == 60
        seen.append(judged)
    assert sorted(np.concatenate(seen)) == list(range(60))
    split = pd.DataFrame({"split": ["test", "training", "validation", "training"]})
    ((learned, choosing, judged),) = recipes.official(split)
    assert (learned.tolist(), choosing.tolist(), judged.tolist()) == ([1, 3], [2], [2])


def test_each_line_of_the_recipes_lacks_what_it_is_named_for() -> None:
    from benchmarks import recipes

    made = recipes.recipes(list(recipes.PARTS), network="default", epochs=5)
    assert made["the defaults"].augmentation == AugmentSpec()
    whole = made["the whole recipe"].to_dict()
    for name, settings in recipes.PARTS.items():
        line = made[f"without {name}"].to_dict()
        lacking = {
            f"{table}.{key}"
            for table in ("augmentation", "training")
            for key, value in line[table].items()  # type: ignore[attr-defined]
            if value != whole[table][key]  # type: ignore[index]
        }
        assert lacking == set(settings)
