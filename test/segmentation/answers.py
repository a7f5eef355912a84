"""Fingerprint of the segmenter's answers: run it before and after a change that must not change them.

    python -m instseg3d_ros generate /tmp/rooms --frames 20 --kind rooms
    export PYTHONPATH=.
    python test/segmentation/answers.py data/demo_bag /tmp/rooms > before
    ... change the code ...
    python test/segmentation/answers.py data/demo_bag /tmp/rooms | diff before -

Each input is a cloud file, a bag, or a folder of these (a data set's folder, too). For each input one line gives the
number of clouds, of points and of instances, and SHA-256 hashes: of the classes, instance ids, confidences and boxes
apart (12 digits each), so that a difference says where it lies. The last line is the hash of all of it.
"""

from __future__ import annotations

import argparse
import hashlib
import sys
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import numpy as np
import torch

from instseg3d_ros import Segmenter
from instseg3d_ros.data.clouds import Cloud, find_inputs, is_bag, read_cloud
from instseg3d_ros.data.clouds.bags import Bag
from instseg3d_ros.messages.axes import body_rotation
from instseg3d_ros.segmentation.result import Result

COLUMNS = ("semantic", "instance", "confidence", "boxes")


def clouds(path: Path, most: int) -> Iterator[Cloud]:
    """The clouds of an input, of each bag the first `most`."""
    for file in find_inputs([path]):
        if is_bag(file):
            with Bag(file) as bag:
                yield from (one.checked(file) for one in islice(bag.clouds(), most))
        else:
            yield read_cloud(file)


def parts(result: Result) -> dict[str, bytes]:
    """The bytes of an answer, by column."""
    rows = [
        (one.label.encode(), one.id, one.score, one.num_points, *one.box.center, *one.box.size, *one.box.rotation.flat)
        for one in result.instances
    ]
    boxes = b"".join(label + np.array(numbers, np.float64).tobytes() for label, *numbers in rows)
    return {**{name: getattr(result, name).tobytes() for name in COLUMNS[:3]}, "boxes": boxes}


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("inputs", nargs="+", type=Path, help="cloud files, bags, folders of these")
    parser.add_argument("--model", default="unet")
    parser.add_argument("--most", type=int, default=5, help="clouds of a bag (default 5)")
    parser.add_argument("--threads", type=int, default=2, help="of the network (default 2)")
    parser.add_argument("--set", nargs="*", default=[], metavar="NAME=NUMBER", help="options of the segmenter")
    parser.add_argument("--no-object-head", action="store_true", help="score by formula")
    options = parser.parse_args(arguments)
    torch.set_num_threads(options.threads)
    given = {name: type_of(text) for name, text in (word.split("=") for word in options.set)}
    segmenter = Segmenter.load(options.model, device="cpu", precision="fp32", **given)
    if options.no_object_head:
        segmenter.network.object_head = None
    everything = hashlib.sha256()
    for path in options.inputs:
        hashes, count, points, instances = {name: hashlib.sha256() for name in COLUMNS}, 0, 0, 0
        for cloud in clouds(path, options.most):
            body = (cloud.points @ body_rotation(cloud).T).astype(np.float32)
            result = segmenter(body, cloud.colors)
            for name, content in parts(result).items():
                hashes[name].update(content)
                everything.update(content)
            count, points, instances = count + 1, points + len(body), instances + len(result.instances)
        told = "  ".join(f"{name} {value.hexdigest()[:12]}" for name, value in hashes.items())
        print(f"{path}  {count} clouds, {points} points, {instances} instances  {told}", flush=True)
    print(f"all  {everything.hexdigest()}")
    return 0


def type_of(text: str) -> int | float | str:
    """A word of the command line as the number that it spells, else as it is."""
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
