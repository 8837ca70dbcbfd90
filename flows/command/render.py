"""Results as a person reads them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TextIO

from flows.dashboard.wording import share_of_time

Result = Mapping[str, Any]

TRACKS_NAMED = 10


def features(result: Result, to: TextIO) -> None:
    """Write what the feature stage did."""
    _lines(
        to,
        ("features", result["key"]),
        ("tracks", f"{result['tracks']:,} ({result['unlabelled']:,} without a genre left out)"),
        ("written", f"{result['written']:,}"),
        ("reused", f"{result['reused']:,}"),
        ("quarantined", f"{result['quarantined']:,}{_reasons(result['reasons'])}"),
        ("windows", f"{result['windows']:,} in {result['shards']:,} shards"),
        ("seconds", f"{result['seconds']:.1f}"),
    )
    for sentence in result["remarks"]:
        to.write(f"note: {sentence}\n")
    for sentence in result["repaired"]:
        to.write(f"repaired: {sentence}\n")


def fetched(result: Result, to: TextIO) -> None:
    """Write what was fetched, and what was compared."""
    _lines(
        to,
        ("fetched", f"{result['dataset']} to {result['to']}"),
        (
            "files",
            f"{result['files']:,} ({result['written']:,} written, "
            f"{result['reused']:,} there already)",
        ),
        ("bytes", f"{result['bytes']:,}"),
        *(
            (
                each["name"],
                f"{each['files']:,} files, compared: {', '.join(each['verified'])}; archive "
                f"{each['archive'] or 'not kept, so that its sha1 was not compared'}",
            )
            for each in result["archives"]
        ),
        *((each["name"], remark) for each in result["archives"] for remark in each["remarks"]),
        ("seconds", f"{result['seconds']:.1f}"),
    )


def model(result: Result, to: TextIO) -> None:
    """Write what training gave."""
    _lines(
        to,
        ("model", f"{result['model']}{' (was there already)' if result['reused'] else ''}"),
        ("path", result["path"]),
        ("network", f"{result['network']}, {result['parameters']:,} parameters"),
        ("trained on", result["device"]),
        ("epochs", f"{result['epochs']}"),
        ("waited for data", share_of_time(result["stall_share"])),
        (
            "validation",
            f"{result['validation_track_accuracy']:.1%} of tracks, "
            f"{result['validation_window_accuracy']:.1%} of windows",
        ),
        ("seconds", f"{result['seconds']:.1f}"),
    )


def evaluation(result: Result, to: TextIO) -> None:
    """Write the headline numbers and a line a genre."""
    low, high = result["track_accuracy_interval"]
    _lines(
        to,
        ("model", result["model"]),
        ("split", f"{result['split']}: {result['tracks']:,} tracks, {result['windows']:,} windows"),
        ("track accuracy", f"{result['track_accuracy']:.1%} (95 % interval {low:.0%}–{high:.0%})"),
        ("window accuracy", f"{result['window_accuracy']:.1%}"),
        ("macro-F1", f"{result['macro_f1']:.3f}"),
        ("dummy accuracy", f"{result['dummy_accuracy']:.1%} (always {result['dummy_genre']})"),
        ("report", result["report"]),
    )
    to.write(f"\n{'genre':<20} precision  recall      F1  tracks\n")
    for genre, row in result["per_genre"].items():
        to.write(
            f"{genre:<20} {row['precision']:>9.1%} {row['recall']:>7.1%} {row['f1']:>7.3f} "
            f"{row['tracks']:>7,}\n"
        )


def full_run(result: Result, to: TextIO) -> None:
    """Write all stages, and where everything lies."""
    if result["features"] is not None:
        features(result["features"], to)
        to.write("\n")
    model(result["model"], to)
    to.write("\n")
    evaluation(result["evaluation"], to)
    to.write("\n")
    _lines(
        to,
        ("report", result["report"]),
        ("model", result["model"]["path"]),
        ("store", result["store"]),
        ("seconds", f"{result['seconds']:.1f}"),
    )


def predictions(result: Result, to: TextIO) -> None:
    """Write a line a file."""
    width = max(len(line["path"]) for line in result["predictions"])
    for line in result["predictions"]:
        if line["genre"] is None:
            to.write(f"{line['path']:<{width}}  {line['status']}: {line['detail']}\n")
            continue
        runners_up = list(line["probabilities"].items())[1:3]
        others = ", ".join(f"{genre} {share:.0%}" for genre, share in runners_up)
        to.write(f"{line['path']:<{width}}  {line['genre']} {line['probability']:.0%} ({others})\n")
    to.write(f"model: {result['model']}\n")


def status(result: Result, to: TextIO) -> None:
    """Write what a store holds."""
    to.write(f"store       {result['store']}\n")
    for each in result["catalogues"]:
        to.write(f"catalogue   {each['id']}: {each['tracks']:,} tracks\n")
    for each in result["features"]:
        to.write(f"features    {each['key']}: {_of_features(each)}\n")
        for line in each["quarantine"][:TRACKS_NAMED]:
            track = f"{line['track_id']} ({line['path']})"
            to.write(f"            {track}: {line['reason']}. {line['detail']}\n")
        if len(each["quarantine"]) > TRACKS_NAMED:
            to.write(f"            … {len(each['quarantine']):,} refused tracks in all\n")
        if each["known_defects"] is not None:
            _known_defects(each["known_defects"], to)
    for each in result["models"]:
        mark = " (champion)" if each["is_champion"] else ""
        to.write(f"model       {each['id']}{mark}: {_of_model(each)}\n")
    for each in result["predictions"]:
        to.write(f"predicted   {each['table']}: {each['files']:,} files, by {each['model']}\n")
    for sentence in result["claims"]:
        to.write(f"claim       {sentence}\n")
    if "problems" in result:
        for problem in result["problems"]:
            to.write(f"problem     {problem['path']}: {problem['what']}. {problem['detail']}\n")
        to.write(f"verified    {len(result['problems'])} problems\n")


def _known_defects(report: Result, to: TextIO) -> None:
    """Write how what was found agrees with what is known of the data set."""
    pairs = report["identical"]
    to.write(
        f"            {report['of']}: {len(report['expected'])} tracks with a defect are known, "
        f"{len(report['found'])} were found; {pairs['expected']} pairs of identical audio are "
        f"known, {pairs['found']} were found ({pairs['files']} of identical files)\n"
    )
    if pairs["pairs"]:
        named = [f"{one} and {other}" for one, other in pairs["pairs"]]
        more = f" … {len(named):,} pairs in all" if len(named) > TRACKS_NAMED else ""
        to.write(f"            identical: {', '.join(named[:TRACKS_NAMED])}{more}\n")
    for sentence in report["differences"][:TRACKS_NAMED]:
        to.write(f"            differs: {sentence}\n")
    if not report["differences"]:
        to.write("            nothing differs\n")
    elif len(report["differences"]) > TRACKS_NAMED:
        to.write(f"            … {len(report['differences']):,} differences in all\n")


def up(result: Result, to: TextIO) -> None:
    """Write where the dashboard is, and what runs."""
    if result["already_running"]:
        to.write("`genre up` is running already:\n")
    _lines(
        to,
        ("dashboard", result["dashboard"]),
        ("server", f"{result['server']}, PREFECT_API_URL={result['api']}"),
        ("deployments", ", ".join(result["deployments"])),
        ("automations", ", ".join(result["automations"])),
        ("they tell", result["alerts"] or "the dashboard's event feed"),
        ("data", result["data"]),
        ("store", result["store"]),
        ("processes", ", ".join(f"{role} {pid}" for role, pid in result["processes"].items())),
        ("logs", result["state"]),
    )


def down(result: Result, to: TextIO) -> None:
    """Write what was stopped."""
    stopped = ", ".join(result["stopped"])
    to.write(f"stopped: {stopped}\n" if stopped else "nothing that `genre up` started is running\n")


def _of_features(each: Result) -> str:
    open_shards = f", {each['open_shards']:,} of them not done" if each["open_shards"] else ""
    counts = ", ".join(f"{count:,} {status}" for status, count in each["tracks"].items())
    size = each["bytes"] / 2**20
    return f"{each['shards']:,} shards{open_shards}, {size:,.1f} MiB; {counts}"


def _of_model(each: Result) -> str:
    if not each["is_whole"]:
        return "training, or cut off in it"
    metrics = each["metrics"]
    if metrics is None:
        return "not evaluated"
    return f"{metrics['track_accuracy']:.1%} of {metrics['tracks']:,} test tracks"


def _reasons(reasons: Mapping[str, int]) -> str:
    listed = ", ".join(f"{count:,} {status}" for status, count in sorted(reasons.items()))
    return f" ({listed})" if listed else ""


def _lines(to: TextIO, *pairs: tuple[str, object]) -> None:
    width = max(len(name) for name, _ in pairs)
    for name, value in pairs:
        to.write(f"{name:<{width}}  {value}\n")
