"""Simulates a depth camera from a perfect view: noise, quantisation, shadows, holes, flying pixels, colour.

Depth noise follows Khoshelham & Elberink (2012): a constant error of the disparity, hence proportional to z². Lateral
jitter and the dropout at grazing incidence follow Nguyen et al. (2012). The values of the sensors are approximate.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from instseg3d_ros.data.synthetic.render import View


@dataclass(frozen=True)
class Sensor:
    """Properties of a depth camera. Pixels are those of an image with a width of 640, whatever the rendered width.

    f: focal length, pixels; range: metres; baseline: metres between both cameras (or camera and projector), positive to
    the right; quantum: disparity step, pixels; white, wavy: disparity noise per pixel and in blobs, pixels (for a
    time-of-flight camera, baseline 0, metres at a depth of 1 m); jitter: raggedness of edges, pixels; fatten: growth of
    near surfaces, pixels; flying: share of edge pixels with a depth between near and far; dropout: scale of all losses;
    misalignment: offset between colour and depth, pixels.
    """

    name: str
    f: tuple[float, float]
    range: tuple[float, float]
    baseline: float
    quantum: float
    white: float
    wavy: float
    jitter: float
    fatten: float
    flying: float
    dropout: float
    misalignment: float


SENSORS = {
    "kinect": Sensor("kinect", (515, 585), (0.45, 6.0), 0.075, 0.125, 0.05, 0.06, 0.7, 0.4, 0.05, 1.0, 2.0),
    "realsense": Sensor("realsense", (340, 620), (0.25, 7.0), -0.05, 0.03, 0.035, 0.05, 1.0, 1.2, 0.3, 0.8, 2.0),
    "tof": Sensor("tof", (330, 520), (0.25, 7.0), 0.0, 0.0, 0.0018, 0.0015, 0.3, 0.0, 0.7, 0.6, 1.5),
    "stereo": Sensor("stereo", (350, 700), (0.35, 9.0), -0.12, 0.06, 0.05, 0.14, 1.2, 1.8, 0.5, 0.5, 0.0),
}
SEEN_SENSORS = ("kinect", "realsense", "tof")  # sensors of `--sensor all`; stereo is reserved for tests


def vary(sensor: Sensor, rng: np.random.Generator) -> Sensor:
    """A random specimen of a sensor: noise and losses are half to double the nominal values. A quarter of the specimens
    have a shorter range, as with little power or in daylight."""

    def about(value: float, spread: float = 0.7) -> float:
        return value * float(np.exp(rng.uniform(-spread, spread)))

    near, far = sensor.range
    return replace(
        sensor,
        range=(near, far * rng.uniform(0.7, 1.0) if rng.random() < 0.25 else far),
        white=about(sensor.white),
        wavy=about(sensor.wavy),
        jitter=about(sensor.jitter, 0.4),
        fatten=sensor.fatten * rng.uniform(0.2, 1.5),
        flying=min(1.0, about(sensor.flying)),
        dropout=about(sensor.dropout),
        misalignment=sensor.misalignment * rng.random(),
    )


@dataclass(frozen=True)
class Film:
    """Settings of the colour camera: mean brightness, tint (3,), contrast …; shift: offset to depth, in pixels."""

    brightness: float
    tint: np.ndarray
    saturation: float
    gamma: float
    blur: float
    vignette: float
    grain: float
    shift: np.ndarray

    @staticmethod
    def draw(sensor: Sensor, rng: np.random.Generator) -> Film:
        return Film(
            brightness=rng.uniform(0.35, 0.66),
            tint=1 + rng.normal(0, 0.07, 3),
            saturation=rng.uniform(0.6, 1.25),
            gamma=rng.uniform(0.8, 1.2),
            blur=rng.uniform(0, 1.4),
            vignette=rng.uniform(0, 0.18),
            grain=rng.uniform(0.002, 0.025),
            shift=rng.normal(0, 0.5, 2) * sensor.misalignment,
        )


def measure(
    view: View, sensor: Sensor, rng: np.random.Generator, film: Film | None = None
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Depth (P,) float32, NaN without a measurement; pixel whose surface was measured (P,); colour (P,3) uint8."""
    shape = (view.camera.height, view.camera.width)
    unit = view.camera.width / 640.0
    true = view.depth.reshape(shape)
    source = _ragged_edges(true, sensor, unit, rng)
    z = true.ravel()[source]
    lost = ~np.isfinite(z)
    z, source = _flying_pixels(z, source, true, sensor, rng)
    z = np.where(lost, 1.0, z)
    if sensor.baseline:
        lost |= _shadow(true, view.camera.f, sensor.baseline).ravel()
    lost |= _dropouts(view, source, z, sensor, shape, rng)
    z = _noisy(z, view.infrared[source], sensor, view.camera.f / unit, shape, rng)
    lost |= (z < sensor.range[0]) | (z > sensor.range[1])
    color = _color_image(view, film or Film.draw(sensor, rng), unit, shape, rng)
    return np.where(lost, np.nan, z).astype(np.float32), source, color


def smooth_field(shape: tuple[int, int], cell: float, rng: np.random.Generator) -> np.ndarray:
    """A random field of this shape: bilinear between nodes, `cell` pixels apart, with unit variance."""
    cell = max(cell, 1.0)
    nodes = rng.standard_normal((int(shape[0] / cell) + 3, int(shape[1] / cell) + 3), np.float32)
    rows, columns = (_tent(count, size, cell, rng.random()) for count, size in zip(shape, nodes.shape))
    return rows @ nodes @ columns.T


def _tent(count: int, nodes: int, cell: float, phase: float) -> np.ndarray:
    """Weights (count, nodes) of a linear interpolation at pixels 0..count-1 between nodes `cell` pixels apart."""
    at = np.arange(count, dtype=np.float32)[:, None] / np.float32(cell) + np.float32(phase)
    return np.clip(1 - np.abs(at - np.arange(nodes, dtype=np.float32)), 0, 1)


def _ragged_edges(true: np.ndarray, sensor: Sensor, unit: float, rng: np.random.Generator) -> np.ndarray:
    """The pixel that each pixel measures, with correlated shifts, jitter of single pixels, and grown near surfaces."""
    shape = true.shape
    rows, columns = np.indices(shape)
    shifts = []
    for _ in range(2):
        blobs = smooth_field(shape, 6 * unit, rng) * sensor.jitter * unit
        shifts.append(np.rint(blobs + rng.normal(0, 0.3 * sensor.jitter * unit, shape)).astype(np.int64))
    rows = np.clip(rows + shifts[0], 0, shape[0] - 1)
    columns = np.clip(columns + shifts[1], 0, shape[1] - 1)
    source = rows * shape[1] + columns
    reach = sensor.fatten * unit
    reach = int(reach) + (rng.random() < reach % 1)
    if reach:
        best = source.copy()
        flat = true.ravel()
        for shift in (-reach, reach):
            other = rows * shape[1] + np.clip(columns + shift, 0, shape[1] - 1)
            nearer = flat[other] < flat[best]
            best[nearer] = other[nearer]
        source = best
    return source.ravel()


def _flying_pixels(
    z: np.ndarray, source: np.ndarray, true: np.ndarray, sensor: Sensor, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Set a share of the pixels at depth edges to a depth between both sides, whose light mixes in the sensor."""
    from scipy.ndimage import maximum_filter, minimum_filter

    finite = np.where(np.isfinite(true), true, 0)
    near = minimum_filter(np.where(np.isfinite(true), true, 1e6), 3).ravel()[source]
    far = maximum_filter(finite, 3).ravel()[source]
    edge = np.flatnonzero((far - near > 0.03 + 0.02 * near) & (near < 1e5) & np.isfinite(z))
    edge = edge[rng.random(len(edge)) < sensor.flying]
    other = np.where(np.abs(z[edge] - near[edge]) < np.abs(far[edge] - z[edge]), far[edge], near[edge])
    z = z.copy()
    # Never past the middle: the label stays that of the nearer side.
    z[edge] += (other - z[edge]) * 0.5 * rng.random(len(edge)) ** 1.5
    return z, source


def _shadow(true: np.ndarray, f: float, baseline: float) -> np.ndarray:
    """(H,W) bool: surfaces that a nearer surface hides from a second camera `baseline` metres to the right."""
    z = np.where(np.isfinite(true), true, 1e3)
    column = np.arange(true.shape[1]) - f * baseline / z
    if baseline > 0:
        leftmost = np.minimum.accumulate(column[:, ::-1], axis=1)[:, ::-1]
        hidden = leftmost < column - 0.9
    else:
        hidden = np.maximum.accumulate(column, axis=1) > column + 0.9
    return hidden


def _dropouts(
    view: View, source: np.ndarray, z: np.ndarray, sensor: Sensor, shape: tuple[int, int], rng: np.random.Generator
) -> np.ndarray:
    """Remove depth at grazing incidence, on dark surfaces (in blobs), at highlights, far away, and at random."""
    unit = shape[1] / 640.0
    incidence, infrared, gloss = view.incidence[source], view.infrared[source], view.gloss[source]
    returned = infrared * (0.35 + 0.65 * incidence) / (1 + (z / 4) ** 2)
    weak = np.clip((0.42 - returned) * 2.5, 0, 1) + np.clip((0.22 - incidence) * 6, 0, 1) * 0.7
    glint = gloss * np.clip((incidence - 0.97) * 25, 0, 1) * 0.5
    blobs = smooth_field(shape, 14 * unit, rng) * 0.3 + smooth_field(shape, 5 * unit, rng) * 0.2
    chance = blobs.ravel() + rng.normal(0, 0.08, len(z)) + 0.75
    return (sensor.dropout * (weak + glint) > chance) | (rng.random(len(z)) < 0.0006 * sensor.dropout)


def _noisy(
    z: np.ndarray, infrared: np.ndarray, sensor: Sensor, f: float, shape: tuple[int, int], rng: np.random.Generator
) -> np.ndarray:
    unit = shape[1] / 640.0
    blobs = (0.7 * smooth_field(shape, 9 * unit, rng) + 0.5 * smooth_field(shape, 24 * unit, rng)).ravel()
    white = rng.standard_normal(len(z), np.float32)
    bias = (smooth_field(shape, 160 * unit, rng) * 0.0015 + rng.normal(0, 0.003)).ravel()  # calibration
    if sensor.baseline:
        gain = f * abs(sensor.baseline)
        disparity = gain / z + white * sensor.white + blobs * sensor.wavy
        if sensor.quantum:
            disparity = np.rint(disparity / sensor.quantum) * sensor.quantum
        measured = gain / np.maximum(disparity, 0.3)
    else:
        growth = (0.5 + 0.5 * z**2) / np.sqrt(np.clip(infrared, 0.1, 1))
        measured = z + (white * sensor.white + blobs * sensor.wavy) * growth
    return measured * (1 + bias)


def _color_image(view: View, film: Film, unit: float, shape: tuple[int, int], rng: np.random.Generator) -> np.ndarray:
    """The colour image with exposure, white balance, contrast, vignette, blur and noise, shifted by a few pixels."""
    from scipy.ndimage import gaussian_filter

    image = view.color.reshape(*shape, 3)
    rows, columns = (
        np.clip(np.arange(size) + round(shift * unit), 0, size - 1) for size, shift in zip(shape, film.shift)
    )
    image = image[rows][:, columns]
    lit = image[::4, ::4].mean(-1)
    mean = float(lit[lit > 0].mean()) if (lit > 0).any() else 0.5
    image = image * (film.brightness / max(mean, 0.05) * film.tint).astype(np.float32)
    image *= np.float32(1.16) / (1 + np.float32(0.16) * image * image)  # a soft shoulder before clipping
    grey = image.mean(-1, keepdims=True)
    image = grey + (image - grey) * np.float32(film.saturation)
    image = np.clip(image, 0, 1) ** np.float32(film.gamma)
    blur = film.blur * unit
    if blur > 0.3:
        image = gaussian_filter(image, (blur, blur, 0), truncate=2.5)
    v, u = np.ogrid[-1 : 1 : shape[0] * 1j, -1 : 1 : shape[1] * 1j]
    image *= (1 - film.vignette * (u**2 + v**2)).astype(np.float32)[..., None]
    image += rng.standard_normal(image.shape, np.float32) * np.float32(film.grain)
    return (np.clip(image, 0, 1) * 255).astype(np.uint8).reshape(-1, 3)
