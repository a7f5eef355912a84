"""One input from path to outputs; what was done before is not done again, what is broken is told and left."""

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
MARK = ".segmented"  # in the names of all outputs but the JSON, so that no input is ever overwritten


@dataclass
class InputReport:
    """What became of one input."""

    source: str
    status: str = DONE
    clouds: int = 1
    points: int = 0
    objects: int = 0
    seconds: float = 0.0
    message: str = ""
    remarks: list[str] = field(default_factory=list)  # what a user should know although it worked
    outputs: list[str] = field(default_factory=list)


def names_for(sources: list[Path]) -> dict[Path, str]:
    """A name for each input's outputs: its stem, with folder and kind in front where two would share it."""
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
    source: Path, name: str, settings: Settings, segmenter: Callable[[], CloudSegmenter], progress=lambda done, of: None
) -> InputReport:
    """Segment one input. `segmenter` is called only where there is work, for loading a model takes a while.

    Never raises for what an input can do wrong: the row says what it was.
    """
    row = InputReport(str(source))
    start = perf_counter()
    try:
        _process(source, name, settings, segmenter, progress, row)
    except InputError as error:
        row.status, row.message = FAILED, str(error)
    except MemoryError:
        row.status, row.message = FAILED, f"{source}: does not fit into memory; thin it or cut it"
    except (SetupError, KeyboardInterrupt, SystemExit, GeneratorExit):
        raise
    except BaseException as error:  # a decoder in Rust panics with one; it must not take the other inputs with it
        text = " ".join(str(error).split())[:200]
        row.status, row.message = (
            FAILED,
            f"{source}: {type(error).__name__} ({text}) at {_place(error)}; please report it",
        )
    row.seconds = perf_counter() - start
    return row


def _process(source: Path, name: str, settings: Settings, segmenter, progress, row: InputReport) -> None:
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
    found = segmented.instances
    row.points, row.objects = len(cloud), len(found)
    timings = {stage: round(value, 2) for stage, value in segmented.result.timings.items()}
    content = {**head, "objects": row.objects, "points": row.points, "frame": cloud.frame, "milliseconds": timings}
    content["remarks"] = row.remarks
    content["classes"] = [{"name": entry.name, "thing": entry.thing} for entry in segment.labels.classes]
    write_json(listing, {**content, "instances": [instance_json(one) for one in found]})


class SetupError(Exception):
    """The model or a setting is wrong, and so no input can be done."""


def _place(error: BaseException) -> str:
    frames = traceback.extract_tb(error.__traceback__)
    return f"{Path(frames[-1].filename).name}:{frames[-1].lineno}"


def _state(source: Path) -> list:
    """Size and time of change of an input's files: another recording under the same name is another input."""
    files = sorted(p for p in source.iterdir() if p.is_file()) if source.is_dir() else [source]
    try:
        return [[path.name, path.stat().st_size, path.stat().st_mtime_ns] for path in files]
    except OSError as error:
        raise InputError(f"{source}: {error.strerror}") from None


def _weights(model: str) -> list:
    """Size and time of change of the model's file, empty where it is missing: training it anew makes another model."""
    path = Path(model) if Path(model).exists() else share("models") / f"{model}.safetensors"
    return [path.stat().st_size, path.stat().st_mtime_ns] if path.is_file() else []


def _before(listing: Path) -> dict:
    try:
        content = json.loads(listing.read_text())
        return content if isinstance(content, dict) else {}
    except (OSError, ValueError):
        return {}
