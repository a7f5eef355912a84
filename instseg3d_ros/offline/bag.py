"""Segments a recorded bag and writes a bag with the messages that the node would publish, at the original stamps."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np

from instseg3d_ros.data.clouds.bag_writer import BagWriter
from instseg3d_ros.data.clouds.bags import Bag
from instseg3d_ros.labels import LabelSet
from instseg3d_ros.messages import topics
from instseg3d_ros.messages.cloud import far_again
from instseg3d_ros.messages.colors import packed_point_colors
from instseg3d_ros.messages.label_info import label_json
from instseg3d_ros.messages.markers import object_markers
from instseg3d_ros.messages.pointcloud2 import encode, label_columns
from instseg3d_ros.offline.outputs import instance_json, write_views
from instseg3d_ros.offline.segmenting import CloudSegmenter, Segmented
from instseg3d_ros.replacing import replacing

NODE = "/instseg3d"


def segment_bag(
    source: Path,
    stem: Path,
    segmenter: CloudSegmenter,
    head: dict,
    progress: Callable[[int, int], None],
) -> dict:
    """Write `stem` (mcap), `stem`.png of the cloud in the middle, and the instances of every cloud as JSON.

    head: first entries of the JSON; progress(done, total). Object ids are tracked from cloud to cloud, as in the node.
    Only a single cloud is in memory at a time. Returns counts of clouds, points and objects, remarks, and a problem if
    clouds were skipped.
    """
    settings = segmenter.settings
    keep_ids = IdKeeper()
    numbers: list[list[int]] = []  # ids of the objects of each cloud that was segmented
    problems: list[str] = []
    remarks: list[str] = []
    points, pictured = 0, -1
    listing = stem.with_name(f"{stem.name.removesuffix('.segmented')}.instances.json")
    with (
        Bag(source, settings.topic, settings.all_topics) as bag,
        replacing(listing) as beside,
        BagWriter(stem) as out,
        open(beside, "w") as frames,
    ):
        frames.write(json.dumps({**head, "topic": bag.topic, "clouds": bag.count})[:-1] + ', "frames": [')
        for recorded in bag.messages():
            if recorded.problem:
                problems.append(recorded.problem)
                continue
            if recorded.cloud is None:
                if not recorded.topic.startswith(f"{NODE}/"):  # answers of an earlier run are left out
                    out.copy(recorded)
                continue
            if not numbers:
                out.text(_name(topics.LABELS), recorded.time, label_json(settings.model, segmenter.labels))
            segmented = keep_ids(segmenter(recorded.cloud))
            _publish(out, recorded.time, segmented, segmenter.labels)
            if len(numbers) == bag.count // 2:
                pictured = len(numbers)
                _draw(stem, segmented, segmenter, source, pictured, bag.count)
            cloud, objects = segmented.cloud, segmented.instances
            entry = {"time": recorded.time, "stamp": cloud.stamp, "frame": cloud.frame}
            entry["instances"] = [instance_json(instance) for instance in objects]
            frames.write((",\n" if numbers else "\n") + json.dumps(entry))
            remarks = remarks or [f"cloud {len(numbers)}: {remark}" for remark in segmented.remarks]
            numbers.append([instance.id for instance in objects])
            points += len(cloud)
            progress(len(numbers), bag.count)
        if numbers and pictured != len(numbers) // 2:
            _draw_again(stem, bag, segmenter, numbers)
        counts: dict = {"points": points, "objects": len({number for ids in numbers for number in ids})}
        counts |= {"malformed": len(problems), "remarks": remarks}
        frames.write("],\n" + json.dumps(counts)[1:] + "\n")
    if problems:
        counts["problem"] = f"{source}: {len(problems)} of {bag.count} clouds skipped; the first: {problems[0]}"
    return {"clouds": len(numbers), **counts}


class IdKeeper:
    """Tracks the ids of objects from cloud to cloud, also if clouds have different origins (`Cloud.origin`)."""

    def __init__(self) -> None:
        from instseg3d_ros.segmentation.tracker import Tracker

        self._tracker = Tracker()
        self._origin: np.ndarray | None = None

    def __call__(self, segmented: Segmented) -> Segmented:
        cloud, result = segmented.cloud, segmented.result
        points, stamp = cloud.points, cloud.stamp / 1e9
        if cloud.origin is None:
            return replace(segmented, result=self._tracker.update(result, points, stamp))
        if self._origin is None:
            self._origin = cloud.origin
        moved = np.eye(4)
        moved[:3, 3] = cloud.origin - self._origin
        result = self._tracker.update(result.moved(moved), (points + moved[:3, 3]).astype(np.float32), stamp)
        moved[:3, 3] *= -1
        return replace(segmented, result=result.moved(moved))


def _draw(stem: Path, segmented: Segmented, segmenter: CloudSegmenter, source: Path, number: int, count: int) -> None:
    title = f"{source.name}, cloud {number + 1} of {count}"
    write_views(stem, segmented, segmenter.labels, segmenter.settings, title)


def _draw_again(stem: Path, bag: Bag, segmenter: CloudSegmenter, numbers: list[list[int]]) -> None:
    """Draw the middle cloud of those that could be read. Their number is known only at the end of the bag."""
    middle = len(numbers) // 2
    cloud = next(itertools.islice(bag.clouds(), middle, None))
    segmented = segmenter(cloud)
    instances = segmented.result.instances
    # The second segmentation gives the same objects in the same order, so they can get the ids written to the bag.
    table = np.zeros(max((instance.id for instance in instances), default=0) + 1, np.int32)
    table[[instance.id for instance in instances]] = numbers[middle]
    renamed = [replace(instance, id=int(table[instance.id])) for instance in instances]
    segmented.result = replace(segmented.result, instances=renamed, instance=table[segmented.result.instance])
    _draw(stem, segmented, segmenter, bag.path, middle, len(numbers))


def _publish(out: BagWriter, time: int, segmented: Segmented, labels: LabelSet) -> None:
    """Write the node's outputs for a cloud."""
    cloud, result = segmented.cloud, segmented.result
    columns = label_columns(result.semantic, result.instance, result.confidence)
    shape, points, far = cloud.shape, far_again(cloud), cloud.origin is not None
    place = (time, cloud.frame, cloud.stamp)
    out.cloud(_name(topics.SEGMENTED), *place, encode(points, cloud.colors, shape, far, **columns))
    by_object = packed_point_colors(result, labels, "instance").view("<f4")
    out.cloud(_name(topics.COLORED), *place, encode(points, by_object, shape, far))
    up = segmented.rotation.T[:, 2]
    out.markers(_name(topics.MARKERS), *place, object_markers(segmented.instances, up))
    out.detections(_name(topics.DETECTIONS), *place, segmented.instances)
    out.number(_name(topics.PROCESSING_TIME), time, result.timings.get("total", 0.0))


def _name(topic: topics.Topic) -> str:
    return topic.name.replace("~", NODE)
