"""The JSON text of the latched topic `~/labels`: the meaning of the labels in a segmented cloud."""

from __future__ import annotations

import json

from instseg3d_ros.labels import LabelSet
from instseg3d_ros.messages.pointcloud2 import NO_LABEL


def label_json(model: str, labels: LabelSet) -> str:
    """The model's name, and index, name, colour and kind (thing or stuff) of each class."""
    classes = [
        {"index": index, "name": entry.name, "color": list(entry.color), "thing": entry.thing}
        for index, entry in enumerate(labels.classes)
    ]
    return json.dumps({"model": model, "label_set": labels.name, "none": NO_LABEL, "classes": classes})
