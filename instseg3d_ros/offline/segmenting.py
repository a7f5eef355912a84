"""From a cloud in any axes to a result in the same axes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from instseg3d_ros.data.clouds import Cloud
from instseg3d_ros.labels import LabelSet
from instseg3d_ros.messages.axes import body_rotation
from instseg3d_ros.offline.settings import Settings
from instseg3d_ros.segmentation.result import Result, move_instances
from instseg3d_ros.sparse.rigid import transform_points

WHOLE = 1_000_000  # points; larger scans are segmented tile by tile


@dataclass
class Segmented:
    """A cloud with its answer. `result`'s boxes are in the cloud's own axes; `rotation` turns those to the body's."""

    cloud: Cloud
    result: Result
    rotation: np.ndarray
    from_camera: bool

    @property
    def body_points(self) -> np.ndarray:
        """(N, 3) metres in body axes."""
        return transform_points(self.cloud.points, self.rotation)

    @property
    def body_result(self) -> Result:
        """The result with its boxes in body axes."""
        return replace(self.result, instances=move_instances(self.result.instances, self.rotation))


class CloudSegmenter:
    """A segmenter with what the settings say. `segmenter` is a `Segmenter`, or anything that behaves like one."""

    def __init__(self, segmenter, settings: Settings):
        self.segmenter, self.settings = segmenter, settings
        self.labels: LabelSet = segmenter.labels
        for name in settings.classes:
            self.labels.index(name)  # an unknown class is an error before any work
        if settings.voxel is not None:
            segmenter.voxel_size = settings.voxel
        self._range = segmenter.options.max_range

    @staticmethod
    def load(settings: Settings) -> CloudSegmenter:
        """Loads the model; InputError where it is missing or a setting does not fit."""
        import torch

        from instseg3d_ros.segmentation.segmenter import Segmenter

        if settings.threads:
            torch.set_num_threads(settings.threads)
        segmenter = Segmenter.load(settings.model, device=settings.device, min_score=settings.min_score)
        return CloudSegmenter(segmenter, settings)

    def __call__(self, cloud: Cloud, progress: Callable[[int, int], None] | None = None) -> Segmented:
        """Segment a cloud in its own axes; progress(done, of) is told of points, where there are many."""
        rotation = body_rotation(cloud, self.settings.axes)
        from_camera = cloud.shape is not None or "optical" in cloud.frame or self.settings.axes == "optical"
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
        result = replace(result, instances=move_instances(result.instances, rotation.T))
        return Segmented(cloud, result, rotation, from_camera)


def only_classes(result: Result, names: tuple[str, ...]) -> Result:
    """The result without instances of other classes; their points stay labelled."""
    kept = [one for one in result.instances if one.label in names]
    inside = np.isin(result.instance, [one.id for one in kept])
    return replace(result, instances=kept, instance=np.where(inside, result.instance, 0).astype(np.int32))
