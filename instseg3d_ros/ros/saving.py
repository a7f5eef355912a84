"""Saves the last answer in the files that `segment` writes for a cloud, named after the cloud's stamp."""

from __future__ import annotations

from pathlib import Path

from instseg3d_ros.errors import InputError
from instseg3d_ros.labels import LabelSet
from instseg3d_ros.ros.pipeline import Answer


def save_answer(answer: Answer, labels: LabelSet, model: str, folder: Path) -> list[Path]:
    """Write the labelled cloud (PLY), its objects (JSON) and a picture (PNG); returns their paths.

    Raises InputError, with a message of one line, if the folder is not writable.
    """
    from instseg3d_ros.offline.outputs import instance_json, write_json, write_labelled, write_views
    from instseg3d_ros.offline.segmenting import Segmented
    from instseg3d_ros.offline.settings import Settings

    cloud = answer.received.cloud
    seconds, nanoseconds = divmod(cloud.stamp, 10**9)
    name = f"{seconds}_{nanoseconds:09d}"
    listing, labelled, picture = (folder / f"{name}{kind}" for kind in (".json", ".ply", ".png"))
    segmented = Segmented(cloud, answer.result, answer.rotation, True)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        write_labelled(labelled, segmented)
        write_views(folder / name, segmented, labels, Settings(folder, model), name)
        write_json(listing, {
            "model": model, "frame": cloud.frame, "stamp": cloud.stamp, "points": len(cloud),
            "instances": [instance_json(instance) for instance in answer.result.instances],
        })  # fmt: skip
    except OSError as error:
        raise InputError(f"save_folder {folder}: {error.strerror}; name a folder that can be written") from None
    return [labelled, listing, picture]
