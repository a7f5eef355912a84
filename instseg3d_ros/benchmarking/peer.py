"""Runs spconv in a separate process with one OpenMP thread: only then its results on a CPU are correct.

This file, run as a module, is that process. It reads lines of JSON and answers each with a line of JSON.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import numpy as np
import torch

from instseg3d_ros.errors import InputError
from instseg3d_ros.network.backbone import Backbone


class Spconv:
    """The process of spconv. `prepare` gives it a network and voxels; `run` measures a forward pass."""

    def __init__(self) -> None:
        environment = {**os.environ, "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
        environment["PYTHONPATH"] = os.pathsep.join([str(Path(__file__).parents[2]), os.environ.get("PYTHONPATH", "")])
        command = [sys.executable, "-m", __spec__.name]
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
        )
        self._folder = tempfile.TemporaryDirectory()
        self._ask({})  # the answer comes when the process has imported spconv

    def __enter__(self) -> Spconv:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.communicate(timeout=30)
        self._folder.cleanup()

    def prepare(self, kind: str, network: Backbone, coords: torch.Tensor, features: torch.Tensor | None) -> np.ndarray:
        """The output (V, m) of spconv, to be compared with ours. kind: name of the backbone."""
        path = Path(self._folder.name) / "task.pt"
        torch.save({"state": network.state_dict(), "coords": coords, "features": features}, path)
        self._ask({"prepare": str(path), "kind": kind, "width": network.stem.c_out})
        return np.load(path.with_suffix(".npy"))

    def run(self) -> float:
        """Milliseconds of a forward pass."""
        return self._ask({"run": 1})["milliseconds"]

    def maps(self) -> float:
        """Milliseconds of the search for the pairs of all seven levels."""
        return self._ask({"maps": 1})["milliseconds"]

    def _ask(self, question: dict) -> dict:
        assert self._process.stdin is not None and self._process.stdout is not None, "both are pipes"
        self._process.stdin.write(json.dumps(question) + "\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        if not answer:
            raise InputError(
                "the process of spconv ended; check with `python -c 'import spconv'` that spconv is installed"
            )
        return json.loads(answer)


def serve() -> None:
    import time

    import spconv.pytorch as spconv

    from instseg3d_ros.benchmarking import spconv_network
    from instseg3d_ros.network.backbone import BACKBONES

    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what libraries print must not be read as an answer
    torch.set_num_threads(1)
    run = maps = None
    for line in sys.stdin:
        question, answer = json.loads(line), {}
        if "prepare" in question:
            task = torch.load(question["prepare"], weights_only=True)
            coords, features = task["coords"], task["features"]
            network = BACKBONES[question["kind"]](features.shape[1], question["width"])
            network.load_state_dict(task["state"])
            run = spconv_network.forward(network.eval(), coords, features)
            np.save(Path(question["prepare"]).with_suffix(".npy"), run().numpy())
            maps = _maps(spconv, coords)
        elif question:
            start = time.perf_counter()
            wanted = run if "run" in question else maps
            assert wanted is not None, "prepare comes first"
            wanted()
            answer["milliseconds"] = 1000 * (time.perf_counter() - start)
        answers.write(json.dumps(answer) + "\n")
        answers.flush()


def _maps(spconv: ModuleType, coords: torch.Tensor) -> Callable[[], None]:
    """A function that finds all pairs of a backbone, with layers of one channel."""
    from instseg3d_ros.benchmarking.spconv_network import fitted

    coords, shape = fitted(coords)
    levels = [
        (spconv.SubMConv3d(1, 1, 3, indice_key=f"l{i}"), spconv.SparseConv3d(1, 1, 2, stride=2, indice_key=f"d{i}"))
        for i in range(7)
    ]

    @torch.inference_mode()
    def run() -> None:
        x = spconv.SparseConvTensor(torch.zeros(len(coords), 1), coords, shape, 1)
        for depth, (same, down) in enumerate(levels):
            x = same(x)
            if depth < 6:
                x = down(x)

    return run


if __name__ == "__main__":
    serve()
