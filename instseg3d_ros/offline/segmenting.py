"""Segments a cloud in any axes; the result is in the axes of the cloud."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from instseg3d_ros.data.clouds import Cloud
from instseg3d_ros.data.units import metres, unit_remark
from instseg3d_ros.labels import LabelSet
from instseg3d_ros.messages.axes import body_rotation
from instseg3d_ros.offline.settings import Settings
from instseg3d_ros.segmentation.result import Instance, Result, move_instances
from instseg3d_ros.sparse.rigid import transform_points

if TYPE_CHECKING:
    from instseg3d_ros.segmentation.segmenter import Segmenter

WHOLE = 1_000_000  # points; larger scans are segmented tile by tile


@dataclass
class Segmented:
    """A cloud with its result. Boxes of `result` are in the axes of the cloud.

    rotation (3, 3): body axes ← axes of the cloud; remarks: notes for the user about the result, each of one line.
    """

    cloud: Cloud
    result: Result
    rotation: np.ndarray
    from_camera: bool
    remarks: list[str] = field(default_factory=list)

    @property
    def instances(self) -> list[Instance]:
        """The objects in the coordinates of the cloud's file: the origin is added to the boxes."""
        shift = np.eye(4)
        shift[:3, 3] = 0 if self.cloud.origin is None else self.cloud.origin
        return move_instances(self.result.instances, shift)

    @property
    def body_points(self) -> np.ndarray:
        """(N, 3) metres in body axes."""
        return transform_points(self.cloud.points, self.rotation)

    @property
    def body_result(self) -> Result:
        """The result with its boxes in body axes."""
        return self.result.moved(self.rotation)


class CloudSegmenter:
    """A segmenter with the options of the settings. `segmenter` has the interface of `Segmenter`."""

    def __init__(self, segmenter: Segmenter, settings: Settings):
        self.segmenter, self.settings = segmenter, settings
        self.labels: LabelSet = segmenter.labels
        for name in settings.classes:
            self.labels.index(name)  # raises for an unknown class before any input is processed
        if settings.voxel is not None:
            segmenter.voxel_size = settings.voxel
        if settings.max_voxels is not None:
            segmenter.configure(max_voxels=settings.max_voxels)
        self._range = segmenter.options.max_range

    @staticmethod
    def load(settings: Settings) -> CloudSegmenter:
        """Load the model. Raises InputError if it is missing or a setting does not fit."""
        import torch

        from instseg3d_ros.segmentation.segmenter import Segmenter

        if settings.threads:
            torch.set_num_threads(settings.threads)
        segmenter = Segmenter.load(settings.model, device=settings.device, min_score=settings.min_score)
        return CloudSegmenter(segmenter, settings)

    def __call__(self, cloud: Cloud, progress: Callable[[int, int], None] | None = None) -> Segmented:
        """Segment a cloud; boxes are in the axes of the cloud. progress(done, total) counts points."""
        cloud = cloud.scaled(metres(self.settings.unit))
        rotation = body_rotation(cloud, self.settings.axes)
        from_camera = cloud.shape is not None or "optical" in cloud.frame or self.settings.axes == "optical"
        from_camera = from_camera and cloud.origin is None  # coordinates of kilometres are not in a sensor's frame
        if not cloud.finite.any():
            count = len(cloud)
            nothing = Result(np.full(count, -1, np.int16), np.zeros(count, np.int32), np.zeros(count, np.float32), [])
            return Segmented(cloud, nothing, rotation, from_camera, list(cloud.remarks))
        level = self.settings.level or ("auto" if from_camera else "off")
        limit = self.settings.max_range or (self._range if from_camera else float("inf"))
        self.segmenter.configure(level=level, max_range=limit)
        points = transform_points(cloud.points, rotation)
        if from_camera or len(points) <= WHOLE:
            result = self.segmenter(points, cloud.colors)
        else:
            from instseg3d_ros.segmentation.tiles import segment_tiled

            result = segment_tiled(self.segmenter, points, cloud.colors, progress=progress)
        if self.settings.classes:
            result = only_classes(result, self.settings.classes)
        result = result.moved(rotation.T)
        remarks = [*cloud.remarks, *self._remarks(points[cloud.finite], result, limit)]
        return Segmented(cloud, result, rotation, from_camera, remarks)

    def _remarks(self, points: np.ndarray, result: Result, limit: float) -> list[str]:
        """Remarks on finite points (N, 3) and their result: unusual spacing, or no point in range."""
        remarks = [unit_remark(points, self.segmenter.voxel_size)]
        if (result.semantic < 0).all():
            nearest = float(np.linalg.norm(points, axis=1).min())
            remarks.append(
                f"no point was labelled: the nearest is {nearest:,.1f} m from the origin, the limit {limit:g} m; "
                "increase --max-range, or set the unit (--unit mm)"
            )
        return [remark for remark in remarks if remark]


def only_classes(result: Result, names: tuple[str, ...]) -> Result:
    """The result with instances of the classes `names` only; points keep their class labels."""
    instances = [instance for instance in result.instances if instance.label in names]
    inside = np.isin(result.instance, [instance.id for instance in instances])
    return replace(result, instances=instances, instance=np.where(inside, result.instance, 0).astype(np.int32))
