"""A recorded bag becomes a bag of what the node would have published, on the original stamps."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

from instseg3d_ros.data.clouds.bag_writer import BagWriter
from instseg3d_ros.data.clouds.bags import Bag
from instseg3d_ros.labels import LabelSet
from instseg3d_ros.messages import topics
from instseg3d_ros.messages.colors import packed_point_colors
from instseg3d_ros.messages.label_info import label_json
from instseg3d_ros.messages.markers import object_markers
from instseg3d_ros.messages.pointcloud2 import encode, label_columns
from instseg3d_ros.offline.outputs import instance_json, write_views
from instseg3d_ros.offline.segmenting import CloudSegmenter, Segmented

NODE = "/instseg3d"


def segment_bag(
    source: Path,
    stem: Path,
    segmenter: CloudSegmenter,
    head: dict,
    progress: Callable[[int, int], None],
) -> dict:
    """Write `stem` (mcap), `stem`.png of the cloud in the middle, and the instances of every cloud as JSON.

    head: first entries of the JSON; progress(done, of). Objects keep their id from cloud to cloud, as in the node.
    Holds one cloud at a time. Returns clouds, points, objects, and a problem
    where clouds had to be skipped.
    """
    from instseg3d_ros.segmentation.tracker import Tracker

    settings = segmenter.settings
    tracker = Tracker()
    objects: set[int] = set()
    problems: list[str] = []
    points = done = 0
    listing = stem.with_name(f"{stem.name.removesuffix('.segmented')}.instances.json")
    beside = listing.with_name(f".{os.getpid()}.{listing.name}")
    try:
        with Bag(source, settings.topic) as bag, BagWriter(stem) as out, open(beside, "w") as frames:
            frames.write(json.dumps({**head, "topic": bag.topic, "clouds": bag.count})[:-1] + ', "frames": [')
            for recorded in bag.messages():
                if recorded.problem:
                    problems.append(recorded.problem)
                    continue
                if recorded.cloud is None:
                    out.transform(recorded)
                    continue
                cloud = recorded.cloud
                if not done:
                    out.text(_name(topics.LABELS), recorded.time, label_json(settings.model, segmenter.labels))
                segmented = segmenter(cloud)
                segmented.result = tracker.update(segmented.result, cloud.points, cloud.stamp / 1e9)
                _publish(out, recorded.time, segmented, segmenter.labels)
                if done == bag.count // 2:
                    title = f"{source.name}, cloud {done + 1} of {bag.count}"
                    write_views(stem, segmented, segmenter.labels, settings, title)
                entry = {"time": recorded.time, "stamp": cloud.stamp, "frame": cloud.frame}
                entry["instances"] = [instance_json(one) for one in segmented.result.instances]
                frames.write((",\n" if done else "\n") + json.dumps(entry))
                objects.update(one.id for one in segmented.result.instances)
                points += len(cloud)
                done += 1
                progress(done, bag.count)
            counts: dict = {"points": points, "objects": len(objects), "malformed": len(problems)}
            frames.write("],\n" + json.dumps(counts)[1:] + "\n")
        os.replace(beside, listing)
    finally:
        beside.unlink(missing_ok=True)
    if problems:
        counts["problem"] = f"{source}: {len(problems)} of {bag.count} clouds skipped; the first, {problems[0]}"
    return {"clouds": done, **counts}


def _publish(out: BagWriter, time: int, segmented: Segmented, labels: LabelSet) -> None:
    """The node's outputs for one cloud."""
    cloud, result = segmented.cloud, segmented.result
    columns = label_columns(result.semantic, result.instance, result.confidence)
    shape = cloud.shape
    place = (time, cloud.frame, cloud.stamp)
    out.cloud(_name(topics.SEGMENTED), *place, encode(cloud.points, cloud.colors, shape, **columns))
    by_object = packed_point_colors(result, labels, "instance").view("<f4")
    out.cloud(_name(topics.COLORED), *place, encode(cloud.points, by_object, shape))
    up = segmented.rotation.T[:, 2]
    out.markers(_name(topics.MARKERS), *place, object_markers(result.instances, up))
    out.detections(_name(topics.DETECTIONS), *place, result.instances)
    out.number(_name(topics.PROCESSING_TIME), time, result.timings.get("total", 0.0))


def _name(topic: topics.Topic) -> str:
    return topic.name.replace("~", NODE)
