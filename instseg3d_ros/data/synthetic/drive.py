"""A camera that moves through a scene, written as a ROS bag with the true classes and objects of each frame.

The bag holds organised clouds as a depth camera's driver publishes them: optical axes, colour packed into a float32,
NaN for pixels without depth, header stamps equal to the log times.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from instseg3d_ros.data.clouds.bag_writer import BagWriter
from instseg3d_ros.data.clouds.bags import Recorded
from instseg3d_ros.data.synthetic.camera import Camera
from instseg3d_ros.data.synthetic.frames import KINDS, SceneRecipe, draw_camera, lighting, most_worth, world_in
from instseg3d_ros.data.synthetic.mesh import rotation
from instseg3d_ros.data.synthetic.render import Light, World
from instseg3d_ros.data.synthetic.sensor import SENSORS, Film, Sensor, measure, vary
from instseg3d_ros.labels import SYNTHETIC
from instseg3d_ros.messages.pointcloud2 import encode
from instseg3d_ros.replacing import replacing

TOPIC = "/camera/depth_registered/points"
FRAME = "camera_rgb_optical_frame"
START = 1_700_000_000 * 10**9  # nanoseconds; an arbitrary time, the same for all bags


@dataclass(frozen=True)
class Shot:
    """A frame of P = H·W pixels: points (P,3) float32 in optical axes, colors (P,3) uint8, semantic (P,) int16 and
    instance (P,) int32, and the camera with its pose in the scene.

    Pixels without depth have NaN points, semantic -1 and instance 0.
    """

    camera: Camera
    points: np.ndarray
    colors: np.ndarray
    semantic: np.ndarray
    instance: np.ndarray


def drive(recipe: SceneRecipe, kind: str, frames: int, sweep: float = 0.5) -> Iterator[Shot]:
    """The camera swings around the point it looks at, through `sweep` radians in total, and slightly up and down."""
    furnish, pose_of, _ = KINDS[kind]
    key = [recipe.seed, len(KINDS)]
    setting = furnish(recipe.catalogue(), np.random.default_rng([*key, 0]))
    world = world_in(recipe, setting)
    lights, ambient = lighting(setting, np.random.default_rng([*key, 1]))
    rng = np.random.default_rng([*key, 2])
    sensor = SENSORS[recipe.sensors[int(rng.integers(len(recipe.sensors)))]]
    first = most_worth(world, sensor, lambda: draw_camera(sensor, recipe.resolution, pose_of(setting, rng), rng), 60)
    depth = world.cast(first.rays())[0]
    aim = first.pose[:3, 3] + first.pose[:3, 2] * float(np.median(depth[np.isfinite(depth)]))
    specimen = vary(sensor, rng)
    film = replace(Film.draw(specimen, rng), brightness=0.55)  # the exposure stays the same during the drive
    while sweep > 0.01 and not _clear(world, first.pose[:3, 3], aim, sweep):
        sweep *= 0.7
    for number in range(frames):
        phase = 2 * np.pi * number / max(frames, 20)
        turn = rotation(sweep / 2 * np.sin(phase))
        pose = first.pose.copy()
        pose[:3, :3] = turn @ pose[:3, :3]
        pose[:3, 3] = aim + turn @ (first.pose[:3, 3] - aim) + [0, 0, 0.03 * np.sin(2 * phase)]
        noise = np.random.default_rng([*key, 3, number])
        yield shoot(world, replace(first, pose=pose), lights, ambient, specimen, film, noise)


def shoot(
    world: World,
    camera: Camera,
    lights: Sequence[Light],
    ambient: float,
    sensor: Sensor,
    film: Film,
    rng: np.random.Generator,
) -> Shot:
    """A frame as the camera measures it, with depths in whole millimetres as drivers publish them, and its truth."""
    view = world.look(camera, lights, ambient)
    z, source, color = measure(view, sensor, rng, film)
    z = np.round(z, 3)
    body = view.body[source]
    seen = np.isfinite(z)
    return Shot(
        camera, (camera.directions() * z[:, None]).astype(np.float32), color,
        np.where(seen, world.semantic[body], -1).astype(np.int16),
        np.where(seen, world.instance[body], 0).astype(np.int32),
    )  # fmt: skip


def _clear(world: World, eye: np.ndarray, aim: np.ndarray, sweep: float) -> bool:
    """Whether the swing keeps 20 cm from all surfaces: no chord meets a surface, and no position lies in a solid."""
    angles = np.linspace(-sweep / 2, sweep / 2, 9)
    stops = np.array([aim + rotation(angle) @ (eye - aim) for angle in angles])
    around = np.concatenate([stops + offset for offset in 0.2 * np.vstack([np.eye(3), -np.eye(3)])])
    again = np.tile(stops, (6, 1))
    return not (world.blocked(stops[:-1], stops[1:]).any() or world.blocked(again, around).any())


def write_bag(
    path: Path, shots: Iterator[Shot], rate: float, truth: bool, tf: bool, extras: dict[str, np.ndarray] | None = None
) -> int:
    """Write a bag in the folder `path` and return the number of frames.

    With `truth`, `path`/truth.npz holds the true classes and objects, and the arrays `extras`.
    """
    known: list[Shot] = []
    with BagWriter(path) as bag:
        for number, shot in enumerate(shots):
            time = START + round(number / rate * 1e9)
            if tf:
                bag.copy(Recorded("/tf", time, data=_transform(time, shot.camera.pose)))
            size = (shot.camera.height, shot.camera.width)
            bag.cloud(TOPIC, time, FRAME, time, encode(shot.points, shot.colors, size))
            known.append(replace(shot, points=np.empty(0), colors=np.empty(0)))
    if truth:
        _write_truth(Path(path) / "truth.npz", known, rate, extras or {})
    return len(known)


def _write_truth(path: Path, shots: list[Shot], rate: float, extras: dict[str, np.ndarray]) -> None:
    """semantic and instance (F,H,W), stamp (F,) int64 nanoseconds, camera (F,4,4) scene ← optical, names (C,)."""
    size = (shots[0].camera.height, shots[0].camera.width)
    arrays = {
        "semantic": np.stack([shot.semantic.reshape(size) for shot in shots]),
        "instance": np.stack([shot.instance.reshape(size) for shot in shots]),
        "stamp": np.array([START + round(number / rate * 1e9) for number in range(len(shots))], np.int64),
        "camera": np.stack([shot.camera.pose for shot in shots]),
        "names": np.array(SYNTHETIC.names),
        **extras,
    }
    with replacing(path) as beside, open(beside, "wb") as file:
        np.savez_compressed(file, allow_pickle=False, **arrays)


def _transform(time: int, pose: np.ndarray) -> bytes:
    """A tf2_msgs/TFMessage in CDR: the camera's pose in the frame `map`."""
    from rosbags.typesys import Stores, get_typestore
    from scipy.spatial.transform import Rotation

    types = get_typestore(Stores.ROS2_JAZZY)

    def make(name: str, *values: Any) -> Any:  # rosbags creates the message classes at run time
        return types.types[name](*values)

    header = make("std_msgs/msg/Header", make("builtin_interfaces/msg/Time", time // 10**9, time % 10**9), "map")
    place = make("geometry_msgs/msg/Vector3", *(float(v) for v in pose[:3, 3]))
    turn = make("geometry_msgs/msg/Quaternion", *(float(v) for v in Rotation.from_matrix(pose[:3, :3]).as_quat()))
    stamped = make(
        "geometry_msgs/msg/TransformStamped", header, FRAME, make("geometry_msgs/msg/Transform", place, turn)
    )
    return bytes(types.serialize_cdr(make("tf2_msgs/msg/TFMessage", [stamped]), "tf2_msgs/msg/TFMessage"))
