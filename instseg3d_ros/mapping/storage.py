"""Maps as files: an npz of arrays and a JSON text, written under a temporary name and renamed."""

from __future__ import annotations

import json
import os
import zipfile
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from instseg3d_ros.errors import InputError
from instseg3d_ros.labels import LabelSet
from instseg3d_ros.mapping.cells import Cells
from instseg3d_ros.mapping.fragments import Fragment, Fragments, Known
from instseg3d_ros.replacing import replacing

if TYPE_CHECKING:
    from instseg3d_ros.mapping.object_map import ObjectMap

FORMAT = "instseg3d_map_3"


def save(world: ObjectMap, path: Path) -> None:
    """Write the whole state. If the process dies meanwhile, the old file is unchanged."""
    cells, fragments = world.cells, world.fragments
    table = [[number, one.cells, one.views, one.object, one.emptied] for number, one in fragments.table.items()]
    pairs = sorted(fragments.evidence.items())
    known = sorted(fragments.objects.items())
    about = {
        "format": FORMAT, "labels": world.labels.to_json(), "options": asdict(world.options), "views": world.views,
        "doubted": world.doubted, "forgotten": world.forgotten, "refused": dict(world.refused),
        "next": [fragments.next_fragment, fragments.next_object],
    }  # fmt: skip
    arrays = {f"cell_{name}": column[cells.rows] for name, column in _stored(cells).items()}
    try:
        with replacing(path) as beside, open(beside, "wb") as file:
            np.savez_compressed(
                file, about=np.array(json.dumps(about)), keys=cells.keys, correction=world.correction,
                drift=np.append(world.drift.mean, world.drift.power),
                fragments=np.array(table, np.int64).reshape(-1, 5),
                pairs=np.array([pair for pair, _ in pairs], np.int64).reshape(-1, 2),
                evidence=np.array([value for _, value in pairs], np.float64),
                objects=np.array([number for number, _ in known], np.int64),
                known=np.array([list(vars(o).values()) for _, o in known], np.float64).reshape(-1, 5),
                allow_pickle=False, **arrays,
            )  # fmt: skip
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise InputError(f"{path}: {error.strerror}; name a file in a folder with write permission") from None


def load(make: type[ObjectMap], path: Path, segmenter: Any = None) -> ObjectMap:
    """Load a map as an object of the class `make`. Raises InputError for a file that is not a map."""
    try:
        with np.load(path, allow_pickle=False) as content:
            arrays = dict(content)
        about = json.loads(str(arrays["about"]))
        if about["format"] != FORMAT:
            raise ValueError(f"format {about['format']}")
        labels = LabelSet.from_json(about["labels"])
        if segmenter is not None and tuple(segmenter.labels.names) != labels.names:
            raise InputError(
                f"{path}: the classes of the map are not those of the model; use the model that made the map"
            )
        world = make(segmenter, labels, **about["options"])
        world.views, world.doubted, world.forgotten = about["views"], about["doubted"], about["forgotten"]
        world.refused.update(about["refused"])
        world.drift.correction = arrays["correction"]
        world.drift.mean, world.drift.power = arrays["drift"][:6].copy(), float(arrays["drift"][6])
        world.cells = _cells(arrays, len(labels))
        world.fragments = _fragments(arrays, *about["next"])
        return world
    except OSError as error:
        raise InputError(
            f"{path}: {error.strerror or error}; name a map that ObjectMap.save or ~/map/save wrote"
        ) from None
    except (ValueError, KeyError, TypeError, zipfile.BadZipFile) as error:
        raise InputError(f"{path}: not a map ({error}); name a file that ObjectMap.save or ~/map/save wrote") from None


def _cells(arrays: dict[str, np.ndarray], classes: int) -> Cells:
    cells = Cells(classes)
    keys = arrays["keys"]
    if (np.diff(keys) <= 0).any():
        raise ValueError("its cells are not in ascending order")
    rows = cells.insert(keys)
    for name, column in _stored(cells).items():
        column[rows] = arrays[f"cell_{name}"]
    np.maximum.at(cells.last_seen, cells["slot"][rows], cells["seen"][rows])
    return cells


def _stored(cells: Cells) -> dict[str, np.ndarray]:
    """The columns that a file holds. The index is rebuilt from the keys."""
    return {name: column for name, column in cells.columns.items() if name not in ("key", "slot")}


def _fragments(arrays: dict[str, np.ndarray], next_fragment: int, next_object: int) -> Fragments:
    fragments = Fragments(next_fragment=next_fragment, next_object=next_object)
    for number, cells, views, owner, emptied in arrays["fragments"].tolist():
        fragments.table[number] = Fragment(cells, views, owner, emptied)
        fragments.beside[number] = set()
    for (one, other), value in zip(arrays["pairs"].tolist(), arrays["evidence"].tolist()):
        fragments.let(one, other, value)
    for number, (first, last, views, agreement, judged) in zip(arrays["objects"].tolist(), arrays["known"].tolist()):
        fragments.objects[number] = Known(first, last, int(views), agreement, int(judged))
    return fragments
