"""Results as a person reads them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from shlex import quote
from typing import TYPE_CHECKING, TextIO

from flows.errors import joined
from genre_model.printable import printable

if TYPE_CHECKING:
    from flows.prediction_results import ExportResult, ServeResult
    from flows.results import (
        BackbonesResult,
        DownResult,
        EvaluateResult,
        FeaturesResult,
        FetchResult,
        RunResult,
        StatusResult,
        TrainResult,
        UpResult,
    )
    from genre_model.data.catalogue import CleanedGenre
    from genre_model.data.known_defects import DefectReport
    from genre_model.judging.failing.robustness import DisturbedAccuracy
    from storage.summary import BackboneSummary, FeaturesSummary, ModelSummary
    from tasks.evaluated.metrics_file import Evaluation

TRACKS_NAMED = 10


def features(result: FeaturesResult, to: TextIO) -> None:
    """Write what the feature stage did."""
    counts = result.counts
    _lines(
        to,
        ("features", counts.key),
        ("tracks", f"{counts.tracks:,} ({counts.unlabelled:,} without a genre left out)"),
        ("left out", counts.left_out.in_words or "nothing"),
        *((("genres", cleaned),) if (cleaned := _cleaned(counts.cleaned)) else ()),
        *((("splits", counts.drawn.in_words),) if counts.drawn else ()),
        ("written", f"{counts.written:,}"),
        ("reused", f"{counts.reused:,}"),
        ("quarantined", f"{counts.quarantined:,}{_reasons(counts.reasons)}"),
        ("windows", f"{counts.windows:,} in {counts.shards:,} shards"),
        ("seconds", f"{result.seconds:.1f}"),
    )
    for sentence in counts.remarks:
        _line(to, f"note: {sentence}")
    for sentence in counts.repaired:
        _line(to, f"repaired: {sentence}")


def _cleaned(genres: Sequence[CleanedGenre]) -> str:
    """Say what was written otherwise than it is called now."""
    if not genres:
        return ""
    told = (f"{each.written} is {each.genre} ({each.tracks:,})" for each in genres[:TRACKS_NAMED])
    more = f"; {len(genres) - TRACKS_NAMED:,} more" if len(genres) > TRACKS_NAMED else ""
    return f"cleaned: {', '.join(told)}{more}"


def fetched(result: FetchResult, to: TextIO) -> None:
    """Write what was fetched, and what was compared."""
    _lines(
        to,
        ("fetched", f"{result.dataset} to {result.to}"),
        (
            "files",
            f"{result.files:,} ({result.written:,} written, {result.reused:,} there already)",
        ),
        ("bytes", f"{result.bytes:,}"),
        *(
            (
                each.name,
                f"{each.files:,} files, compared: {', '.join(each.verified)}; archive "
                f"{each.archive or 'not kept, so that its sha1 was not compared'}",
            )
            for each in result.archives
        ),
        *((each.name, remark) for each in result.archives for remark in each.remarks),
        ("seconds", f"{result.seconds:.1f}"),
    )


def model(result: TrainResult, to: TextIO) -> None:
    """Write what training gave."""
    facts = result.facts
    _lines(
        to,
        ("model", f"{facts.model}{' (was there already)' if result.reused else ''}"),
        ("path", facts.path),
        ("network", f"{facts.network}, {facts.parameters:,} parameters"),
        ("trained on", facts.device),
        ("epochs", f"{facts.epochs}"),
        ("speed", facts.speed),
        ("waited for data", facts.waited_for_data),
        (
            "validation",
            f"{facts.validation_track_accuracy:.1%} of tracks, "
            f"{facts.validation_window_accuracy:.1%} of windows",
        ),
        ("seconds", f"{result.seconds:.1f}"),
    )


def evaluation(result: EvaluateResult, to: TextIO) -> None:
    """Write the headline numbers, a line a genre, and how it stands beside other models."""
    found, metrics = result.evaluation, result.evaluation.metrics

    def said(name: str, form: str) -> str:
        low, high = metrics.interval(name)
        value: float = getattr(metrics, name)
        return f"{value:{form}} ({low:{form}}–{high:{form}})"

    _lines(
        to,
        ("model", found.model),
        ("split", _of_split(found)),
        ("track accuracy", f"{said('track_accuracy', '.1%')} {metrics.resampling.in_words}"),
        ("balanced accuracy", said("balanced_accuracy", ".1%")),
        ("macro-F1", said("macro_f1", ".3f")),
        ("one of the first two", said("top2_accuracy", ".1%")),
        ("window accuracy", said("window_accuracy", ".1%")),
        ("log loss", f"{said('log_loss', '.3f')}; {metrics.log_loss_scaled:.3f} calibrated"),
        (
            "calibration error",
            f"{said('calibration_error', '.3f')}; {metrics.calibration_error_scaled:.3f} "
            "calibrated",
        ),
        ("dummy accuracy", f"{said('dummy_accuracy', '.1%')} (always {metrics.dummy_genre})"),
        ("leaks", found.leaks.in_words(found.split)),
        *((each.role, f"{each.model}: {joined(each.sentences)}") for each in found.comparisons),
        *(("robustness", _of_disturbed(each)) for each in found.robustness),
        *([("champion", result.remark)] if result.remark else []),
        ("report", result.report),
    )
    to.write("\n")
    names = [printable(genre) for genre in metrics.per_genre]
    width = max(20, *map(len, names))
    _line(to, f"{'genre':<{width}} precision  recall      F1  tracks")
    for name, row in zip(names, metrics.per_genre.values(), strict=True):
        figures = f"{row.precision:>9.1%} {row.recall:>7.1%} {row.f1:>7.3f} {row.tracks:>7,}"
        _line(to, f"{name:<{width}} {figures}")


def _of_disturbed(each: DisturbedAccuracy) -> str:
    low, high = each.interval
    said = f"{each.title}: {each.track_accuracy:.1%} ({low:.1%}–{high:.1%}) of {each.tracks:,}"
    return f"{said}, {100 * each.difference:+.1f} points"


def _of_split(found: Evaluation) -> str:
    metrics = found.metrics
    times = "once" if found.readings == 1 else f"{found.readings:,} times"
    return (
        f"{found.split}: {metrics.tracks:,} tracks, {metrics.windows:,} windows; read {times} for "
        "this model"
    )


def full_run(result: RunResult, to: TextIO) -> None:
    """Write all stages, and where everything lies."""
    if result.features is not None:
        features(result.features, to)
        to.write("\n")
    model(result.model, to)
    to.write("\n")
    evaluation(result.evaluation, to)
    to.write("\n")
    _lines(
        to,
        ("report", result.report),
        ("model", result.model.facts.path),
        ("store", result.store),
        ("seconds", f"{result.seconds:.1f}"),
    )


def serving(result: ServeResult, to: TextIO) -> None:
    """Write where the page is, with the token where one was made."""
    token = f"#token={result.token}" if result.token else ""
    _lines(
        to,
        ("page", f"{result.page}{token}"),
        ("API", f"{result.page}predict, described at {result.page}docs"),
        ("model", result.model),
        *([("token", result.token)] if result.token else []),
    )
    _line(to, "Ctrl-C ends it.")


def exported(result: ExportResult, to: TextIO) -> None:
    """Write what lies in the folder now."""
    _lines(to, ("model", result.model), ("folder", result.to))
    for name, size in result.files.items():
        _line(to, f"  {name}, {size:,} bytes")
    _line(to, f"try: python {quote(result.to + '/predict.py')} song.mp3")


def backbones(result: BackbonesResult, to: TextIO) -> None:
    """Write a line a backbone."""
    for each in result.removed:
        _line(to, f"removed     {_of_backbone(each)}")
    for each in result.backbones:
        _line(to, f"backbone    {_of_backbone(each)}")
    if not result.backbones:
        _line(to, f"no backbone in {result.store}")


def _of_backbone(each: BackboneSummary) -> str:
    return (
        f"{each.name}: {each.values:,} values a patch of {each.frontend}, "
        f"{each.bytes / 1e6:.1f} MB, {each.licence}"
    )


def status(result: StatusResult, to: TextIO) -> None:
    """Write what a store holds."""
    summary, problems = result.status.summary, result.status.problems
    _line(to, f"store       {summary.store}")
    for catalogue in summary.catalogues:
        _line(to, f"catalogue   {catalogue.id}: {catalogue.tracks:,} tracks")
    for array in summary.features:
        _array(array, result.status.known_defects.get(array.key), to)
    for each in summary.models:
        mark = " (champion)" if each.is_champion else ""
        _line(to, f"model       {each.id}{mark}: {_of_model(each)}")
    for backbone in summary.backbones:
        _line(to, f"backbone    {_of_backbone(backbone)}")
    for table in summary.predictions:
        _line(to, f"predicted   {table.table}: {table.files:,} files, by {table.model}")
    for sweep in summary.sweeps:
        failed = f", {sweep.failed:,} failed" if sweep.failed else ""
        _line(to, f"sweep       {sweep.id}: {sweep.done:,} of {sweep.trainings:,} done{failed}")
    for lost in summary.unreadable:
        _line(to, f"unreadable  {lost.key}: {lost.detail}")
    for sentence in summary.claims:
        _line(to, f"claim       {sentence}")
    for key, said in result.status.being_written.items():
        _line(to, f"writing     {key}: {said}")
    if problems is not None:
        for _, problem in problems:
            _line(to, f"problem     {problem.sentence}")
            _line(to, f"            costs: {problem.costs}; mend: {problem.mend}")
        _line(to, f"verified    {len(problems)} problem{'' if len(problems) == 1 else 's'}")


def up(result: UpResult, to: TextIO) -> None:
    """Write where the dashboard is, and what runs."""
    if result.already_running:
        _line(to, "`genre up` is running already:")
    _lines(
        to,
        ("dashboard", result.dashboard),
        ("server", f"{result.server}, PREFECT_API_URL={result.api}"),
        ("password", _password(result)),
        ("deployments", ", ".join(result.deployments)),
        ("automations", ", ".join(result.automations)),
        ("they tell", result.alerts or "the dashboard's event feed"),
        ("data", result.data),
        ("store", result.store),
        ("nightly run", f"{result.cron} {result.timezone}" if result.cron else "none"),
        ("processes", ", ".join(f"{role} {pid}" for role, pid in result.processes.items())),
        ("logs", result.state),
    )
    for sentence in result.remarks:
        _line(to, f"note: {sentence}")


def down(result: DownResult, to: TextIO) -> None:
    """Write what was stopped."""
    stopped = ", ".join(result.stopped)
    _line(to, f"stopped: {stopped}" if stopped else "nothing that `genre up` started is running")


def _password(result: UpResult) -> str:
    if result.password is None:
        return "as you have set it" if result.server == "started" else "as that server asks for it"
    return (
        f"in {result.password}, for the dashboard, and for prefect as "
        f'PREFECT_API_AUTH_STRING="$(cat {quote(result.password)})"'
    )


def _array(each: FeaturesSummary, defects: DefectReport | None, to: TextIO) -> None:
    _line(to, f"features    {each.key}: {_of_features(each)}")
    for line in each.quarantine[:TRACKS_NAMED]:
        _line(to, f"            {line.path}: {line.reason}. {line.detail}")
    if len(each.quarantine) > TRACKS_NAMED:
        _line(to, f"            … {len(each.quarantine):,} refused tracks in all")
    if defects is not None:
        _known_defects(defects, to)


def _known_defects(report: DefectReport, to: TextIO) -> None:
    """Write how what was found agrees with what is known of the data set."""
    identical = report.identical
    _line(
        to,
        f"            {report.of}: {len(report.expected)} tracks with a defect are known, "
        f"{len(report.found)} were found; {identical.expected} pairs of identical audio are "
        f"known, {identical.found} were found ({identical.files} of identical files)",
    )
    if identical.pairs:
        named = [f"{one} and {other}" for one, other in identical.pairs]
        more = f" … {len(named):,} pairs in all" if len(named) > TRACKS_NAMED else ""
        _line(to, f"            identical: {', '.join(named[:TRACKS_NAMED])}{more}")
    for sentence in report.differences[:TRACKS_NAMED]:
        _line(to, f"            differs: {sentence}")
    if not report.differences:
        _line(to, "            nothing differs")
    elif len(report.differences) > TRACKS_NAMED:
        _line(to, f"            … {len(report.differences):,} differences in all")


def _of_features(each: FeaturesSummary) -> str:
    open_shards = f", {each.open_shards:,} of them not done" if each.open_shards else ""
    counts = ", ".join(f"{count:,} {status}" for status, count in each.tracks.items())
    size = each.bytes / 2**20
    return f"{each.shards:,} shards{open_shards}, {size:,.1f} MiB; {counts or 'no tracks yet'}"


def _of_model(each: ModelSummary) -> str:
    if not each.is_whole:
        return "training, or cut off in it"
    said = each.validation_track_accuracy
    validation = "" if said is None else f"{said:.1%} of validation, "
    if each.metrics is None:
        return f"{validation}not evaluated"
    test = f"{each.metrics['track_accuracy']:.1%} of {each.metrics['tracks']:,} test tracks"
    return f"{validation}{test}"


def _reasons(reasons: Mapping[str, int]) -> str:
    listed = ", ".join(f"{count:,} {status}" for status, count in sorted(reasons.items()))
    return f" ({listed})" if listed else ""


def _line(to: TextIO, text: str) -> None:
    """Write one line, whatever names are in it."""
    to.write(f"{printable(text)}\n")


def _lines(to: TextIO, *pairs: tuple[str, object]) -> None:
    width = max(len(name) for name, _ in pairs)
    for name, value in pairs:
        _line(to, f"{name:<{width}}  {value}")
