"""Write small scans in ScanNet v2's file format, including unusual cases."""

import json

import numpy as np

TSV_HEADER = ("id", "raw_category", "category", "count", "nyu40id", "nyuClass", "nyu40class")
CATEGORIES = {  # raw category -> NYU40 id
    "wall": 1, "floor": 2, "office chair": 5, "chair": 5, "coffee table": 7, "table": 7, "ceiling": 22, "lamp": 35,
    "kitchen cabinets": 3, 'tv "stand"': 39,
}  # fmt: skip


def write_table(raw):
    """scannetv2-labels.combined.tsv; one category has no NYU40 id, as some real ones do."""
    rows = [TSV_HEADER] + [(i, name, name, 1, nyu, name, name) for i, (name, nyu) in enumerate(CATEGORIES.items())]
    rows.append((99, "unsorted", "unsorted", 1, "", "", ""))
    raw.mkdir(parents=True, exist_ok=True)
    (raw / "scannetv2-labels.combined.tsv").write_text("".join("\t".join(map(str, row)) + "\n" for row in rows))


def write_mesh(path, points, colors):
    """Binary PLY of vertices with alpha, and triangles, as the release has them."""
    vertex = np.zeros(len(points), [(n, "<f4") for n in "xyz"] + [(n, "u1") for n in ("red", "green", "blue", "alpha")])
    for axis, name in enumerate("xyz"):
        vertex[name] = points[:, axis]
    for channel, name in enumerate(("red", "green", "blue")):
        vertex[name] = colors[:, channel]
    face = np.zeros(len(points) - 2, [("count", "u1"), ("at", "<i4", 3)])
    face["count"], face["at"] = 3, np.arange(len(face))[:, None] + np.arange(3)
    header = ["ply", "format binary_little_endian 1.0", "comment made for a test", f"element vertex {len(points)}"]
    header += [f"property float {name}" for name in "xyz"]
    header += [f"property uchar {name}" for name in ("red", "green", "blue", "alpha")]
    header += [f"element face {len(face)}", "property list uchar int vertex_indices", "end_header", ""]
    path.write_bytes("\n".join(header).encode() + vertex.tobytes() + face.tobytes())


def write_scan(folder, points, colors, segments=None, groups=()):
    """One scan; `groups` are (label, objectId, segments). Without segments: as in scans_test."""
    folder.mkdir(parents=True)
    name = folder.name
    write_mesh(folder / f"{name}_vh_clean_2.ply", points, colors)
    if segments is None:
        return
    content = {"params": {"kThresh": "0.0001", "segMinVerts": "20"}, "sceneId": name, "segIndices": segments.tolist()}
    (folder / f"{name}_vh_clean_2.0.010000.segs.json").write_text(json.dumps(content))
    listed = [
        {"id": object_id, "objectId": object_id, "segments": list(map(int, parts)), "label": label}
        for label, object_id, parts in groups
    ]
    content = {"sceneId": f"scannet.{name}", "appId": "Aggregator.v2", "segGroups": listed, "segmentsFile": ""}
    (folder / f"{name}.aggregation.json").write_text(json.dumps(content))


def room(seed):
    """points, colors, segments, groups of a floor, a wall, chairs and a table; ceiling and strays stay unlabelled."""
    rng = np.random.default_rng(seed)
    pieces = [
        ("floor", rng.uniform((0, 0, 0), (4, 4, 0.01), (3000, 3))),
        ("wall", rng.uniform((0, 0, 0), (4, 0.01, 2), (1500, 3))),
        ("ceiling", rng.uniform((0, 0, 2), (4, 4, 2.01), (300, 3))),
        ("unsorted", rng.uniform((0, 3.8, 1), (0.2, 4, 1.2), (60, 3))),
    ]
    for number in range(3 + seed % 3):
        corner = np.array([0.5 + 1.2 * (number % 3), 0.6 + 1.6 * (number // 3), 0.3])
        label = ("office chair", "Chair", "coffee table")[number % 3]
        pieces.append((label, rng.uniform(corner, corner + np.array((0.5, 0.5, 0.6)), (400, 3))))
    points = np.concatenate([part for _, part in pieces] + [rng.uniform(0, 2, (20, 3))])
    segments, groups, base = [], [], 7
    for object_id, (label, part) in enumerate(pieces):
        segments.append(base + 10 * rng.integers(0, 4, len(part)))  # four segments each, numbers with gaps
        if label != "unsorted":
            groups.append((label, object_id, base + 10 * np.arange(4)))
        base += 1000
    segments.append(np.full(20, -1))  # vertices in no segment
    colors = rng.integers(0, 256, points.shape)
    return points, colors, np.concatenate(segments), groups


def write_scannet(raw, train=2, val=2, test=1):
    """A release of a few scans with its table and split files."""
    write_table(raw)
    for part, count, first in (("train", train, 0), ("val", val, 11), ("test", test, 707)):
        names = [f"scene{first:04d}_{scan:02d}" for scan in range(count)]
        (raw / f"scannetv2_{part}.txt").write_text("".join(f"{name}\n" for name in names))
        for number, name in enumerate(names):
            points, colors, segments, groups = room(first + number)
            if part == "test":
                write_scan(raw / "scans_test" / name, points, colors)
            else:
                write_scan(raw / "scans" / name, points, colors, segments, groups)
    return raw
