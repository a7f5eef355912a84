"""Published scores of the paper, for comparison: percent in Tables 1 and 2, fractions in Table 3."""

from __future__ import annotations

from instseg3d_ros.labels import NYUV2_19, SCANNET20, LabelSet

_SCANNET_UNET = (
    18.9, 71.5, 47.9, 61.5, 35.5, 20.1, 9.3, 23.3, 10.7, 0.8, 6.7, 21.8, 12.3, 43.8, 91.6, 15.0, 66.7, 17.3,
)  # fmt: skip
_SCANNET_RESNET = (
    25.9, 73.7, 58.7, 53.6, 59.0, 41.6, 30.4, 15.9, 12.8, 13.8, 21.7, 47.5, 31.5, 71.4, 87.3, 41.1, 100.0, 40.8,
)  # fmt: skip
_NYUV2_RESNET = (
    82.1, 67.3, 48.1, 3.5, 65.4, 56.8, 14.5, 37.6, 23.1, 7.3, 60.0, 4.4, 52.9, 34.3, 68.2, 55.0, 28.3, 20.7, 87.2,
)  # fmt: skip

# row of Table 3 -> AP, AP50, AP25 and IoU on ScanNet's validation split
TABLE3 = {
    "UNet+vanillaLoss": (0.150, 0.338, 0.599, 0.569),
    "UNet+strucLoss": (0.158, 0.350, 0.613, 0.570),
    "UNet+strucLoss+gcn×1": (0.163, 0.356, 0.621, 0.574),
    "UNet+strucLoss+gcn×2": (0.171, 0.360, 0.630, 0.572),
    "UNet+strucLoss+gcn×3": (0.165, 0.351, 0.623, 0.576),
    "ResNet+strucLoss+gcn×2": (0.270, 0.464, 0.672, 0.689),
}


def published(labels: LabelSet, method: str) -> tuple[str, dict[str, float]] | None:
    """Heading and scores (class -> 0..1, "" -> mean) of the paper's table for a label set; None if it has no table."""
    values: tuple[float, ...]
    if labels.name == NYUV2_19.name:
        heading, values, mean = "paper AP25, ResNet", _NYUV2_RESNET, 43.0
    elif labels.name == SCANNET20.name and method.startswith("resnet"):
        heading, values, mean = "paper AP50 (test), ResNet", _SCANNET_RESNET, 45.9
    elif labels.name == SCANNET20.name:
        heading, values, mean = "paper AP50 (test), UNet", _SCANNET_UNET, 31.9
    else:
        return None
    things = [entry.name for entry in labels.classes if entry.thing]
    if len(things) != len(values):
        return None
    return heading, {"": mean / 100} | {name: value / 100 for name, value in zip(things, values)}
