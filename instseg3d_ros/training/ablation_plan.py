"""The variants of the network in the paper's Table 3, and the commands that train and score each."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

MOST_LAYERS = 3  # graph layers of the shared first stage, the largest number of any row


@dataclass(frozen=True)
class Variant:
    """A row of Table 3; `name` is the name in the paper."""

    name: str
    backbone: str
    structure_aware: bool
    graph_layers: int

    @property
    def folder(self) -> str:
        return f"{self.backbone}_{'structure' if self.structure_aware else 'vanilla'}_{self.graph_layers}"


VARIANTS = (
    Variant("UNet+vanillaLoss", "unet", False, 0),
    Variant("UNet+strucLoss", "unet", True, 0),
    Variant("UNet+strucLoss+gcn×1", "unet", True, 1),
    Variant("UNet+strucLoss+gcn×2", "unet", True, 2),
    Variant("UNet+strucLoss+gcn×3", "unet", True, 3),
    Variant("ResNet+strucLoss+gcn×2", "resnet", True, 2),
)


@dataclass(frozen=True)
class Plan:
    """Settings of all rows. `options` are passed to `train`; `width` is the U-Net's, the ResNet has twice as much."""

    data: Path
    out: Path
    recipe: str = "table3"
    seeds: tuple[int, ...] = (0, 1)
    semantic_steps: int = 2000
    steps: int = 4000
    width: int = 16
    split: str = "val"
    options: tuple[str, ...] = ()

    def train(self, row: Variant, seed: int, first: bool) -> list[str]:
        """The command that trains the first stage (only semantics) or a row."""
        small = row.backbone == "unet"
        steps = self.semantic_steps if first else self.steps
        settings = {
            "out": self.first_stage(row, seed) if first else self.run(row, seed),
            "seed": seed,
            "steps": steps,
            "semantic_steps": steps if first else 0,
            "network.backbone": row.backbone,
            "network.width": self.width if small else 2 * self.width,
            "network.repetitions": 1 if small else 2,
            "network.graph_layers": MOST_LAYERS if first else row.graph_layers,
            "loss.structure_aware": str(row.structure_aware).lower(),
            "validate_every": steps,
        }
        if not first:
            settings["init"] = self.first_stage(row, seed) / "model.safetensors"
        words = [f"--{key}={value}" for key, value in settings.items()]
        return _command("train", self.recipe, "--data", str(self.data), *self.options, *words)

    def evaluate(self, row: Variant, seed: int) -> list[str]:
        folder = self.run(row, seed)
        files = ["--model", str(folder / "model.safetensors"), "--json", str(folder / "scores.json")]
        return _command("evaluate", str(self.data), "--split", self.split, *files)

    def first_stage(self, row: Variant, seed: int) -> Path:
        return self.out / f"{row.backbone}_semantics_seed{seed}"

    def run(self, row: Variant, seed: int) -> Path:
        return self.out / f"{row.folder}_seed{seed}"


def _command(*words: str) -> list[str]:
    return [sys.executable, "-m", "instseg3d_ros", *words]
