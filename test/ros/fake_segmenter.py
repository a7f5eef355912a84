"""A segmenter without a network, for tests of the node: occupied cells that touch are one object.

Its behaviour is written into the model's name: `fake`, `fake:delay=0.15`, `fake:load=5`, `fake:memory=2` (the first two
clouds do not fit), `fake:bug=1` (the first cloud meets a bug), `fake:gate=FILE` (works on while FILE exists),
`fake:queue=100` (the middleware keeps 100 clouds, and the node segments all of them, one after the other).
"""

import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np

from instseg3d_ros.errors import InputError
from instseg3d_ros.labels import SCANNET20
from instseg3d_ros.ros.worker import NewestFirst
from instseg3d_ros.segmentation.options import Options
from instseg3d_ros.segmentation.result import Box, Instance, Result

CELL = 0.2
TABLE, FLOOR = SCANNET20.index("table"), SCANNET20.index("floor")


class FakeSegmenter:
    labels = SCANNET20
    voxel_size = CELL
    device = "cpu"

    def __init__(self, model):
        name, _, options = model.partition(":")
        if name != "fake":
            raise InputError(f"no model '{model}'; known by name: fake")
        behaviour = dict(word.split("=") for word in options.split(",") if word)
        self.delay, self.memory, self.bug, load = (
            float(behaviour.get(key, 0)) for key in ("delay", "memory", "bug", "load")
        )
        self.gate = Path(behaviour["gate"]) if "gate" in behaviour else None
        self.options = Options(min_points=1, level="off")
        time.sleep(load)

    def configure(self, **options):
        self.options = replace(self.options, **options)

    def warm_up(self):
        pass

    def __call__(self, points, colors):
        from scipy.ndimage import label

        assert points.dtype == np.float32 and points.shape[1:] == (3,)
        assert colors is None or (colors.dtype == np.uint8 and colors.shape == points.shape)
        time.sleep(self.delay)
        while self.gate is not None and self.gate.exists():
            time.sleep(0.01)
        if self.memory > 0:
            self.memory -= 1
            raise MemoryError
        if self.bug > 0:
            self.bug -= 1
            raise KeyError("the text of a bug")
        with np.errstate(invalid="ignore", over="ignore"):
            usable = (np.abs(points) <= min(self.options.max_range, 10)).all(axis=1)
        cells = np.floor(points[usable] / CELL).astype(int)
        cells -= cells.min(axis=0, initial=10**6)
        grid = np.zeros(cells.max(axis=0, initial=0) + 1, bool)
        grid[tuple(cells.T)] = True
        parts, _ = label(grid)
        semantic = np.full(len(points), -1, np.int16)
        instance = np.zeros(len(points), np.int32)
        semantic[usable] = TABLE
        instance[usable] = parts[tuple(cells.T)]
        instances = []
        for number in range(1, parts.max(initial=0) + 1):
            mine = points[instance == number]
            if len(mine) < self.options.min_points:
                semantic[instance == number] = FLOOR
                instance[instance == number] = 0
                continue
            low, high = mine.min(axis=0), mine.max(axis=0)
            box = Box((low + high) / 2, high - low, np.eye(3))
            instances.append(Instance(number, "table", 0.9, len(mine), box))
        confidence = np.where(usable, np.float32(0.9), np.float32(0)).astype(np.float32)
        return Result(semantic, instance, confidence, instances, {"cluster": 1.0, "total": 1.0})


class AllInOrder(NewestFirst):
    """A worker that drops nothing: `offer` waits until the last item is being worked on."""

    def offer(self, item):
        while self._item is not None and not self.stopped:
            time.sleep(0.001)
        return super().offer(item)


if __name__ == "__main__":  # the node as it is, with this segmenter in place of a network
    from instseg3d_ros.commands.table import run
    from instseg3d_ros.ros import answering, input, log, model

    log.PERIOD = 0.0  # tests look at every line
    queues = [int(word.rpartition("queue=")[2]) for word in sys.argv if "queue=" in word]
    if queues:
        input.QUEUE, answering.NewestFirst = queues[0], AllInOrder
    model.load_segmenter = lambda parameters: FakeSegmenter(parameters.model)
    sys.exit(run("segment_node", sys.argv[1:]))
