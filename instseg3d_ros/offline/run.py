"""Processes a single input, from its path to its outputs. Finished inputs are skipped; broken inputs are reported."""

from __future__ import annotations

import json
import traceback
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter

from instseg3d_ros.data.clouds import is_bag, read_cloud
from instseg3d_ros.data.clouds.intrinsics import Intrinsics
from instseg3d_ros.errors import InputError
from instseg3d_ros.offline.outputs import instance_json, labelled_kind, write_json, write_labelled, write_views
from instseg3d_ros.offline.segmenting import CloudSegmenter
from instseg3d_ros.offline.settings import Settings
from instseg3d_ros.paths import share

DONE, KEPT, PARTLY, FAILED = "done", "done before", "partly", "failed"
MARK = ".segmented"  # part of the names of all outputs except the JSON, so that no output overwrites an input


@dataclass
class InputReport:
    """The report on an input: counts, remarks and problems."""

    source: str
    status: str = DONE
    clouds: int = 1
    points: int = 0
    objects: int = 0
    seconds: float = 0.0
    message: str = ""
    remarks: list[str] = field(default_factory=list)  # notes for the user about a successful input
    outputs: list[str] = field(default_factory=list)


def names_for(sources: list[Path]) -> dict[Path, str]:
    """A name for the outputs of each input: its stem; folder and kind are added if two inputs share a stem."""
    forms = (
        lambda p: _stem(p),
        lambda p: f"{p.resolve().parent.name}_{_stem(p)}",
        lambda p: f"{p.resolve().parent.name}_{_stem(p)}_{p.suffix[1:] or 'bag'}",
        lambda p: "_".join(p.resolve().parts[1:]),
    )
    names: dict[Path, str] = {}
    left = sources
    for form in forms:
        count = Counter([*names.values(), *(form(source) for source in left)])
        names.update({source: form(source) for source in left if count[form(source)] == 1})
        left = [source for source in left if source not in names]
    return names


def _stem(path: Path) -> str:
    return path.resolve().name if path.is_dir() else path.stem


def process(
    source: Path,
    name: str,
    settings: Settings,
    segmenter: Callable[[], CloudSegmenter],
    progress: Callable[[int, int], None] = lambda done, of: None,
) -> InputReport:
    """Segment an input. `segmenter` is called only if the input is not finished, because loading a model takes time.

    Raises no exception for a broken input: the report contains the problem.
    """
    row = InputReport(str(source))
    start = perf_counter()
    try:
        _process(source, name, settings, segmenter, progress, row)
    except InputError as error:
        row.status, row.message = FAILED, str(error)
    except MemoryError:
        row.status, row.message = (
            FAILED,
            f"{source}: does not fit into memory; reduce the number of points or divide the file",
        )
    except (SetupError, KeyboardInterrupt, SystemExit, GeneratorExit):
        raise
    except BaseException as error:  # panics of decoders in Rust are BaseExceptions; they must not stop other inputs
        text = " ".join(str(error).split())[:200]
        row.status, row.message = (
            FAILED,
            f"{source}: {type(error).__name__} ({text}) at {_place(error)}; please report it",
        )
    row.seconds = perf_counter() - start
    return row


def _process(
    source: Path, name: str, settings: Settings, segmenter: Callable[[], CloudSegmenter],
    progress: Callable[[int, int], None], row: InputReport,
) -> None:  # fmt: skip
    bag = is_bag(source)
    stem = settings.out / f"{name}{MARK}"
    listing = settings.out / f"{name}.instances.json"
    outputs = [stem if bag else stem.with_name(stem.name + labelled_kind(source)), listing]
    outputs += [stem.with_name(f"{stem.name}{kind}") for kind in ((".png", ".html") if settings.html else (".png",))]
    row.outputs = [str(path) for path in outputs]
    head = {
        "input": str(source), "state": _state(source), "weights": _weights(settings.model),
        "settings": settings.fingerprint(),
    }  # fmt: skip
    before = _before(listing)
    if all(path.exists() for path in outputs) and {key: before.get(key) for key in head} == head:
        row.status, row.objects = KEPT, before.get("objects", 0)
        row.points, row.clouds = before.get("points", 0), before.get("clouds", 1)
        row.remarks = before.get("remarks", [])
        return
    if bag:
        from instseg3d_ros.offline.bag import segment_bag

        counts = segment_bag(source, stem, segmenter(), head, progress)
        row.clouds, row.points, row.objects = counts["clouds"], counts["points"], counts["objects"]
        row.remarks = counts["remarks"]
        if "problem" in counts:
            row.status, row.message = PARTLY, counts["problem"]
        return
    options = {}
    if source.suffix.lower() == ".png":
        options = {
            "scale": settings.depth_scale,
            "camera": Intrinsics.parse(settings.intrinsics) if settings.intrinsics else None,
        }
    cloud = read_cloud(source, **options)
    segment = segmenter()
    segmented = segment(cloud, progress)
    row.remarks = [*segmented.remarks, *write_labelled(outputs[0], segmented)]
    write_views(stem, segmented, segment.labels, settings, source.name)
    instances = segmented.instances
    row.points, row.objects = len(cloud), len(instances)
    timings = {stage: round(value, 2) for stage, value in segmented.result.timings.items()}
    content = {**head, "objects": row.objects, "points": row.points, "frame": cloud.frame, "milliseconds": timings}
    content["remarks"] = row.remarks
    content["classes"] = [{"name": entry.name, "thing": entry.thing} for entry in segment.labels.classes]
    write_json(listing, {**content, "instances": [instance_json(instance) for instance in instances]})


class SetupError(Exception):
    """The model or a setting is invalid, so that no input can be processed."""


def _place(error: BaseException) -> str:
    frames = traceback.extract_tb(error.__traceback__)
    return f"{Path(frames[-1].filename).name}:{frames[-1].lineno}"


def _state(source: Path) -> list:
    """Sizes and modification times of an input's files, to detect another recording with the same name."""
    files = sorted(p for p in source.iterdir() if p.is_file()) if source.is_dir() else [source]
    try:
        return [[path.name, path.stat().st_size, path.stat().st_mtime_ns] for path in files]
    except OSError as error:
        raise InputError(f"{source}: {error.strerror}") from None


def _weights(model: str) -> list:
    """Size and modification time of the model's file, to detect a retrained model; empty if the file is missing."""
    path = Path(model) if Path(model).exists() else share("models") / f"{model}.safetensors"
    return [path.stat().st_size, path.stat().st_mtime_ns] if path.is_file() else []


def _before(listing: Path) -> dict:
    try:
        content = json.loads(listing.read_text())
        return content if isinstance(content, dict) else {}
    except (OSError, ValueError):
        return {}
