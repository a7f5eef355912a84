"""Runs all checks one after the other. A check that stops with an error fails, and the other checks still run."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from instseg3d_ros.gpu_check import answers, clouds, layers, learning, present, speed, starved
from instseg3d_ros.gpu_check.card import Card
from instseg3d_ros.gpu_check.finding import Finding, failed
from instseg3d_ros.segmentation.memory import free_memory
from instseg3d_ros.training.recipe import Recipe


def check(card: Card, names: Iterable[str], read_recipe: Callable[[list[str]], Recipe]) -> Iterator[Finding]:
    """Findings of the named checks, as they come; read_recipe: words of the command `train` → recipe."""
    frames = [*clouds.demo_clouds(card.sizes.compared_points), *clouds.rooms(card)]
    checks: dict[str, list[tuple[str, Callable[[], Iterator[Finding]]]]] = {
        "present": [(present.CHECK, lambda: present.findings(card))],
        "right": [
            (layers.CHECK, lambda: layers.findings(card, frames[0])),
            (answers.CHECK, lambda: answers.findings(card, frames)),
        ],
        "fast": [(speed.CHECK, lambda: speed.findings(card, frames[2:]))],
        "trains": [(learning.CHECK, lambda: learning.findings(card, read_recipe))],
        "memory": [(starved.CHECK, lambda: starved.findings(card, frames[-1]))],
    }
    for name in names:
        for title, findings in checks[name]:
            try:
                yield from findings()
            except Exception as error:
                yield failed(title, error)
                error.__traceback__ = None  # the traceback's frames hold tensors
            free_memory()
