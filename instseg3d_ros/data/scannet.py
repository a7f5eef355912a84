"""Reads ScanNet v2 as downloaded: meshes, over-segmentations, and objects as annotated groups of segments.

    RAW/scans/<id>/<id>_vh_clean_2.ply                      vertices and colours, z up, metres
    RAW/scans/<id>/<id>_vh_clean_2.0.010000.segs.json       segment of each vertex
    RAW/scans/<id>/<id>.aggregation.json                    objects: a label and its segments
    RAW/scans_test/<id>/<id>_vh_clean_2.ply                 the test part has no labels
    RAW/scannetv2-labels.combined.tsv                       raw category -> NYU40 id

A vertex has the label and the object of the last group that lists its segment. Instances of the eighteen thing classes
have the number objectId + 1; all other vertices have instance 0. Vertices of other than the twenty classes are
unlabelled.
"""

from __future__ import annotations

import csv
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from instseg3d_ros.data.clouds.ply import read_ply
from instseg3d_ros.data.clouds.ply_header import TYPES
from instseg3d_ros.data.scannet_split import part_of
from instseg3d_ros.data.scene import Scene
from instseg3d_ros.errors import InputError
from instseg3d_ros.labels import IGNORE, SCANNET20

PARTS = ("train", "val", "test")
TSV = "scannetv2-labels.combined.tsv"
MESH, SEGMENTS, GROUPS = "_vh_clean_2.ply", "_vh_clean_2.0.010000.segs.json", ".aggregation.json"
_INDEX_OF = {entry.id: index for index, entry in enumerate(SCANNET20.classes)}


@dataclass(frozen=True)
class ScanJob:
    """Convert the scan in `folder`; `nyu40` maps lower-case category names to NYU40 ids, None where unlabelled."""

    name: str
    folder: Path
    target: Path
    nyu40: dict[str, int] | None

    def run(self) -> list[str]:
        """Read, convert and write a scan; see `preparing.Job`."""
        if not self.folder.is_dir():
            raise InputError(f"{self.folder}: missing, but the split names this scan; download it")
        mesh = self.folder / f"{self.name}{MESH}"
        cloud = read_ply(mesh).checked(mesh)
        _check_whole(mesh)
        semantic = np.full(len(cloud), IGNORE, np.int16)
        instance = np.zeros(len(cloud), np.int32)
        remarks: list[str] = []
        if self.nyu40 is not None:
            path = self.folder / f"{self.name}{SEGMENTS}"
            segments = read_segments(path)
            if len(segments) != len(cloud):
                raise InputError(f"{path}: {len(segments)} vertices, the mesh has {len(cloud)}; download it again")
            groups = read_groups(self.folder / f"{self.name}{GROUPS}")
            semantic, instance, unknown = label_vertices(segments, groups, self.nyu40)
            remarks = [f"category '{name}' is not in {TSV}: left unlabelled" for name in unknown]
        Scene(cloud.points, cloud.colors, semantic, instance, self.name).write(self.target)
        return remarks


def jobs(raw: Path, out: Path, splits: Path | None = None) -> list[ScanJob]:
    """A job for each scan. Split files are read from `splits` or else `raw`; without them the official split is used.

    Raises InputError if `raw` does not contain ScanNet. A scan that a split file names and `raw` lacks becomes a job
    that fails with the name of the scan.
    """
    raw = Path(raw)
    if not raw.is_dir():
        raise InputError(f"{raw}: no such folder; expected ScanNet as downloaded, with scans/")
    folders = {path.name: path for part in ("scans_test", "scans", ".") for path in _scans(raw / part)}
    named = read_splits(splits if splits is not None else raw, required=splits is not None)
    if not named:
        named = {part: sorted(name for name in folders if part_of(name) == part) for part in PARTS}
    if not folders:
        raise InputError(f"{raw}: holds no scans; expected scans/<id>/<id>{MESH}")
    nyu40 = read_categories(_find(raw, TSV))
    result = []
    for part, names in named.items():
        for name in names:
            folder = folders.get(name, raw / ("scans_test" if part == "test" else "scans") / name)
            result.append(ScanJob(name, folder, Path(out) / part / f"{name}.npz", None if part == "test" else nyu40))
    if not result:
        raise InputError(f"{raw}: none of its {len(folders)} scans is in the official split; give --splits DIR")
    return result


def _scans(folder: Path) -> list[Path]:
    if not folder.is_dir():
        return []
    return [path for path in folder.iterdir() if path.is_dir() and path.name.startswith("scene")]


def _find(raw: Path, name: str) -> Path:
    """Find a file in RAW or up to two folders below it; folders of scans are not searched."""
    for pattern in (name, f"*/{name}", f"*/*/{name}"):
        matches = sorted(path for path in raw.glob(pattern) if path.is_file())
        if matches:
            return matches[0]
    raise InputError(f"{raw}: lacks {name}; it comes with ScanNet's download script")


def read_splits(folder: Path, required: bool = False) -> dict[str, list[str]]:
    """Scan names by split from scannetv2_<split>.txt; empty if no file exists and `required` is false."""
    result = {}
    for part in PARTS:
        try:
            path = _find(Path(folder), f"scannetv2_{part}.txt")
        except InputError:
            continue
        try:
            names = [line.strip() for line in path.read_text().splitlines() if line.strip()]
        except (OSError, UnicodeDecodeError) as error:
            raise InputError(f"{path}: {error}; expected one scan name per line") from None
        result[part] = list(dict.fromkeys(names))
    if required and not result:
        raise InputError(f"{folder}: holds no scannetv2_train.txt, scannetv2_val.txt or scannetv2_test.txt")
    return result


def read_categories(path: Path) -> dict[str, int]:
    """Read the table of categories: lower-case raw category -> NYU40 id."""
    try:
        with open(path, encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
        return {_key(row["raw_category"]): int(row["nyu40id"]) for row in rows if (row["nyu40id"] or "").strip()}
    except OSError as error:
        raise InputError(f"{path}: {error.strerror}; expected ScanNet's table of categories") from None
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise InputError(f"{path}: {error!r}; expected tab-separated columns raw_category and nyu40id") from None


def _key(name: str) -> str:
    return " ".join(str(name).lower().split())


def _read_json(path: Path) -> Any:
    try:
        return json.loads(path.read_bytes())
    except FileNotFoundError:
        raise InputError(f"{path}: missing; download the scan again") from None
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: broken ({error}); download the scan again") from None


def read_segments(path: Path) -> np.ndarray:
    """Segment number of each vertex, (N,) int64."""
    content = _read_json(path)
    try:
        return np.array(content["segIndices"], np.int64).reshape(-1)
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise InputError(f"{path}: {error!r}; expected a list of whole numbers 'segIndices'") from None


def read_groups(path: Path) -> list[tuple[str, int, np.ndarray]]:
    """(category, object id, segments (K,) int64) in file order."""
    content = _read_json(path)
    try:
        result = []
        for group in content["segGroups"]:
            number = group["objectId"] if "objectId" in group else group["id"]
            result.append((str(group["label"]), int(number), np.array(group["segments"], np.int64).reshape(-1)))
        return result
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise InputError(f"{path}: {error!r}; expected 'segGroups' of label, objectId and segments") from None


def label_vertices(
    segments: np.ndarray, groups: list[tuple[str, int, np.ndarray]], nyu40: dict[str, int]
) -> tuple[np.ndarray, np.ndarray, list[str]]:
    """Class index (N,) int16 and instance (N,) int32 of each vertex, and the categories missing in `nyu40`."""
    numbers, of_vertex = np.unique(segments, return_inverse=True)
    semantic = np.full(len(numbers), IGNORE, np.int16)
    instance = np.zeros(len(numbers), np.int32)
    unknown = []
    for category, object_id, listed in groups:
        if _key(category) not in nyu40:
            unknown.append(category)
        index = _INDEX_OF.get(nyu40.get(_key(category), 0), IGNORE)
        in_group = np.isin(numbers, listed)
        semantic[in_group] = index
        instance[in_group] = object_id + 1 if index != IGNORE and SCANNET20[index].thing else 0
    of_vertex = of_vertex.reshape(-1)
    return semantic[of_vertex], instance[of_vertex], unknown


def _check_whole(mesh: Path) -> None:
    """Raise InputError if a binary mesh of triangles ends before its last face, after an incomplete download."""
    with open(mesh, "rb") as file:
        header, _, _ = file.read(65536).partition(b"end_header")
    words = [line.decode("ascii", "replace").split() for line in header.splitlines()]
    counts = {word[1]: int(word[2]) for word in words if word[:1] == ["element"]}
    fields = [TYPES[word[1]] for word in words if word[:1] == ["property"] and word[1] in TYPES]
    needed = counts["vertex"] * sum(np.dtype(kind).itemsize for kind in fields)
    needed += 13 * counts.get("face", 0)  # a byte with the number of vertices, 3, and three integers
    size = mesh.stat().st_size - len(header)
    if ["format", "ascii", "1.0"] not in words and size < needed:
        raise InputError(f"{mesh}: {size} bytes after the header, {needed} expected; it is cut off, download it again")
