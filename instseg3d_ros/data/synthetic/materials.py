"""Materials of surfaces: colour, solid textures, gloss, and infrared reflectance.

Textures are functions of the position in the axes of a part ("solid"), so that no UV maps are needed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

KINDS = ("plain", "stripes", "checks", "wood", "speckle", "print", "tiles", "fabric", "marble", "bricks", "boards",
         "motif")  # fmt: skip
WALLS = ("plain",) * 6 + ("stripes", "speckle", "tiles", "bricks", "bricks", "boards", "motif")


Color = tuple[float, float, float]


@dataclass(frozen=True)
class Material:
    """A material. Colours are RGB in 0..1; scale: period of the texture in metres; axis: its direction.

    gloss 0..1: strength of the highlight; infrared 0..1: share of a depth camera's light that is reflected. Black and
    shiny surfaces reflect little and cause holes in the depth.
    """

    color: tuple[float, float, float]
    kind: str = "plain"
    second: tuple[float, float, float] = (0.0, 0.0, 0.0)
    scale: float = 0.1
    axis: int = 0
    gloss: float = 0.1
    infrared: float = 0.8
    seed: int = 0


def hsv(h: float, s: float, v: float) -> tuple[float, float, float]:
    """RGB of a hue (any number, turns), saturation and value (clipped to 0..1)."""
    import colorsys

    return colorsys.hsv_to_rgb(h % 1.0, min(max(s, 0), 1), min(max(v, 0), 1))


def near(rng: np.random.Generator, color: Color, spread: float = 0.12) -> Color:
    """A random colour near `color`, with slightly different brightness and hue."""
    red, green, blue = (
        float(np.clip(c * rng.uniform(1 - spread, 1 + spread) + rng.normal(0, 0.02), 0.02, 1)) for c in color
    )
    return red, green, blue


def any_color(rng: np.random.Generator) -> tuple[float, float, float]:
    """A random colour: often grey, brown or white, as indoors; sometimes any hue."""
    kind = rng.random()
    if kind < 0.35:
        grey = rng.uniform(0.03, 0.97)
        red, green, blue = (float(np.clip(grey + rng.normal(0, 0.02), 0, 1)) for _ in range(3))
        return red, green, blue
    if kind < 0.55:
        return hsv(rng.uniform(0.04, 0.13), rng.uniform(0.15, 0.6), rng.uniform(0.25, 0.95))
    return hsv(rng.random(), rng.uniform(0.2, 0.95), rng.uniform(0.2, 0.95))


def wood(rng: np.random.Generator) -> Material:
    base = hsv(rng.uniform(0.03, 0.12), rng.uniform(0.2, 0.65), rng.uniform(0.2, 0.92))
    red, green, blue = (c * rng.uniform(0.7, 0.92) for c in base)
    return Material(base, "wood", (red, green, blue), rng.uniform(0.02, 0.09), int(rng.integers(3)),
                    rng.uniform(0.05, 0.4), _returned(base), int(rng.integers(1 << 16)))  # fmt: skip


def metal(rng: np.random.Generator) -> Material:
    grey = rng.uniform(0.3, 0.85) if rng.random() < 0.7 else rng.uniform(0.02, 0.15)
    return Material((grey, grey, grey * rng.uniform(0.95, 1.05)), gloss=rng.uniform(0.4, 0.95),
                    infrared=rng.uniform(0.25, 0.8))  # fmt: skip


def painted(rng: np.random.Generator, bright: bool | None = None) -> Material:
    """Lacquer, plastic or melamine of one colour. bright: True for near-white."""
    if bright or (bright is None and rng.random() < 0.35):
        value = rng.uniform(0.75, 0.98)
        color = near(rng, (value, value, value * rng.uniform(0.9, 1.0)), 0.03)
    else:
        color = any_color(rng)
    return Material(color, gloss=rng.uniform(0.05, 0.6), infrared=_returned(color))


def fabric(rng: np.random.Generator) -> Material:
    color = any_color(rng)
    kind = rng.choice(["fabric", "fabric", "plain", "stripes", "checks", "speckle"])
    second = near(rng, color, 0.5) if rng.random() < 0.7 else any_color(rng)
    return Material(color, str(kind), second, float(np.exp(rng.uniform(np.log(0.004), np.log(0.15)))),
                    int(rng.integers(3)), 0.0, _returned(color), int(rng.integers(1 << 16)))  # fmt: skip


def stone(rng: np.random.Generator) -> Material:
    base = any_color(rng) if rng.random() < 0.3 else near(rng, (rng.uniform(0.15, 0.9),) * 3, 0.05)
    kind = str(rng.choice(["marble", "speckle", "plain"]))
    return Material(base, kind, near(rng, base, 0.4), rng.uniform(0.01, 0.3), 0, rng.uniform(0.1, 0.7),
                    _returned(base), int(rng.integers(1 << 16)))  # fmt: skip


def ceramic(rng: np.random.Generator) -> Material:
    value = rng.uniform(0.8, 0.99)
    color = (value, value, value * rng.uniform(0.92, 1.0)) if rng.random() < 0.7 else any_color(rng)
    return Material(color, gloss=rng.uniform(0.4, 0.9), infrared=_returned(color))


def glass(rng: np.random.Generator) -> Material:
    """Glass: a faint tint over the background, which depth cameras mostly do not measure."""
    value = rng.uniform(0.5, 0.95)
    return Material((value * rng.uniform(0.85, 1), value, value), gloss=0.95, infrared=rng.uniform(0.0, 0.5))


def printed(rng: np.random.Generator) -> Material:
    """Printed packaging: a background colour with patches, bands and lettering in other colours."""
    return Material(any_color(rng), "print", any_color(rng), rng.uniform(0.02, 0.12), int(rng.integers(3)),
                    rng.uniform(0.05, 0.5), rng.uniform(0.5, 0.95), int(rng.integers(1 << 16)))  # fmt: skip


def art(rng: np.random.Generator, *kinds: str) -> Material:
    """The motif of a picture."""
    scale, gloss = float(np.exp(rng.uniform(np.log(0.05), np.log(0.6)))), rng.uniform(0, 0.6)
    return Material(
        any_color(rng), str(rng.choice(kinds)), any_color(rng), scale, 2, gloss, 0.82, int(rng.integers(1 << 16))
    )


def flooring(rng: np.random.Generator) -> Material:
    kind = rng.random()
    if kind < 0.4:
        planks = wood(rng)
        return Material(planks.color, "wood", planks.second, rng.uniform(0.05, 0.2), int(rng.integers(2)),
                        rng.uniform(0, 0.4), 0.8, planks.seed)  # fmt: skip
    if kind < 0.65:
        color = any_color(rng)
        return Material(color, "fabric", near(rng, color, 0.3), rng.uniform(0.005, 0.03), 0, 0.0, _returned(color))
    if kind < 0.85:
        color = near(rng, (rng.uniform(0.3, 0.9),) * 3, 0.08)
        return Material(color, "tiles", near(rng, (0.4, 0.4, 0.4), 0.5), rng.uniform(0.1, 0.6), 0,
                        rng.uniform(0, 0.6), 0.8, int(rng.integers(1 << 16)))  # fmt: skip
    return stone(rng)


def wall_paint(rng: np.random.Generator) -> Material:
    """Paint, plaster, wallpaper, tiles, brick or boards."""
    value = rng.uniform(0.55, 0.97)
    color = near(rng, (value, value, value * rng.uniform(0.85, 1)), 0.06) if rng.random() < 0.75 else any_color(rng)
    kind, axis = str(rng.choice(WALLS)), int(rng.integers(2))
    second, scale = near(rng, color, 0.12), rng.uniform(0.05, 0.4)
    if kind == "bricks":
        red = hsv(rng.uniform(0.0, 0.07), rng.uniform(0.3, 0.7), rng.uniform(0.3, 0.75))
        color = red if rng.random() < 0.5 else near(rng, (rng.uniform(0.3, 0.9),) * 3, 0.05)
        second, scale = near(rng, (rng.uniform(0.4, 0.9),) * 3, 0.05), rng.uniform(0.18, 0.5)
    elif kind == "boards":
        color, axis, scale = wood(rng).color, int(rng.choice([0, 2])), rng.uniform(0.08, 0.25)
        second = near(rng, (0.5 * color[0], 0.5 * color[1], 0.5 * color[2]), 0.1)
    elif kind == "motif":
        second = near(rng, color, 0.4) if rng.random() < 0.6 else any_color(rng)
    return Material(color, kind, second, scale, axis, 0.0, 0.85, int(rng.integers(1 << 16)))


def _returned(color: Color) -> float:
    """Infrared reflectance of a colour: roughly its brightness, and nearly 0 for black dyes, which cause holes."""
    return float(np.clip(0.35 + 0.75 * max(color), 0.3, 0.95))


# ---- evaluation ------------------------------------------------------------------------------------------------

_LATTICE = np.random.default_rng(20).random((32, 32, 32), np.float32)


def _noise(position: np.ndarray) -> np.ndarray:
    """Smooth noise (N,) in 0..1 at positions (N,3), with a period of about one unit."""
    from scipy.ndimage import map_coordinates

    return map_coordinates(_LATTICE, position.T, order=1, mode="grid-wrap", prefilter=False)


def _cells(position: np.ndarray) -> np.ndarray:
    """A random number (N,) in 0..1 for the unit cell of each position (N,3)."""
    i, j, k = (np.floor(position).astype(np.int64) % 32).T
    return _LATTICE[i, j, k]


class Palette:
    """The materials of a scene as arrays, indexed by material."""

    def __init__(self, materials: Sequence[Material]):
        self.color = np.array([m.color for m in materials], np.float32)
        self.second = np.array([m.second for m in materials], np.float32)
        self.scale = np.array([m.scale for m in materials], np.float32)
        self.gloss = np.array([m.gloss for m in materials], np.float32)
        self.infrared = np.array([m.infrared for m in materials], np.float32)
        self.axis = np.array([m.axis for m in materials])
        self.kind = np.array([KINDS.index(m.kind) for m in materials])
        # An irrational offset per material, so that patterns are not symmetric to the planes of furniture.
        seeds = np.array([m.seed for m in materials])
        self.shift = ((seeds[:, None] * np.array([0.618, 0.414, 0.732])) % 32).astype(np.float32)

    def shade(self, index: np.ndarray, local: np.ndarray) -> np.ndarray:
        """Colour of surface points: material `index` (N,), position on the part (N,3) metres → (N,3) float32 0..1."""
        color = self.color[index]
        kinds = self.kind[index]
        for kind in np.flatnonzero(np.bincount(kinds, minlength=len(KINDS))):
            if KINDS[kind] == "plain":
                continue
            at = np.flatnonzero(kinds == kind)
            own = index[at]
            unit = local[at] / self.scale[own, None] + self.shift[own]
            mix, extra = _TEXTURES[KINDS[kind]](unit, self.axis[own])
            base = color[at]
            base += (self.second[own] - base) * mix[:, None]
            color[at] = base if extra is None else base * extra[:, None]
        return color


# The share (N,) of the second colour at each point, 0..1, and a factor (N,) of the brightness, or None.
Texture = tuple[np.ndarray, np.ndarray | None]


def _along(unit: np.ndarray, axis: np.ndarray) -> np.ndarray:
    return np.take_along_axis(unit, axis[:, None], 1)[:, 0]


def _stripes(unit: np.ndarray, axis: np.ndarray) -> Texture:
    return (_along(unit, axis) % 1 < 0.5).astype(np.float32), None


def _checks(unit: np.ndarray, axis: np.ndarray) -> Texture:
    return (np.floor(unit + 1e-3).sum(1) % 2).astype(np.float32), None


def _wood(unit: np.ndarray, axis: np.ndarray) -> Texture:
    stretched = unit.copy()
    np.put_along_axis(stretched, axis[:, None], _along(unit, axis)[:, None] * 0.12, 1)
    rings = _noise(stretched) * 4 + _noise(stretched * 3.1) * 0.8
    return np.abs(rings % 1 * 2 - 1) * 0.8, None


def _speckle(unit: np.ndarray, axis: np.ndarray) -> Texture:
    return (_noise(unit * 3.0) > 0.62).astype(np.float32), None


def _print(unit: np.ndarray, axis: np.ndarray) -> Texture:
    """Large patches, a band, and lines of small dark cells that look like lettering."""
    patch = _cells(unit * 0.6)
    mix = (patch > 0.55).astype(np.float32)
    letters = (_cells(unit * 7.0) > 0.6) & (_cells(unit * 1.3 + 7.7) > 0.6) & (_along(unit, axis) * 3 % 1 < 0.5)
    return mix, np.where(letters, 0.35, 0.75 + 0.5 * _cells(unit * 1.1 + 3.3)).astype(np.float32)


def _tiles(unit: np.ndarray, axis: np.ndarray) -> Texture:
    edge = (np.abs(unit % 1 - 0.5) > 0.485).sum(1) > 0
    return np.where(edge, 0.8, 0.0).astype(np.float32), 0.92 + 0.12 * _cells(unit)


def _fabric(unit: np.ndarray, axis: np.ndarray) -> Texture:
    return _noise(unit * 2.0) * 0.9, None


def _marble(unit: np.ndarray, axis: np.ndarray) -> Texture:
    veins = np.abs(np.sin(6.3 * (unit[:, 0] * 0.3 + unit[:, 1] * 0.2 + 1.5 * _noise(unit * 0.7))))
    return (1 - veins) ** 3, None


def _bricks(unit: np.ndarray, axis: np.ndarray) -> Texture:
    """Rows of bricks along x and y, each row shifted by half a brick; joints have the second colour."""
    course = np.floor(unit[:, 2] / 0.32)
    along = unit[:, :2] + 0.5 * (course % 2)[:, None]
    joint = (unit[:, 2] / 0.32 % 1 < 0.12) | (along % 1 < 0.04).any(1)
    return joint.astype(np.float32), 0.8 + 0.35 * _cells(np.column_stack((np.floor(along), course)))


def _boards(unit: np.ndarray, axis: np.ndarray) -> Texture:
    """Boards side by side across `axis`, with dark joints."""
    across = _along(unit, axis)
    tone = 0.85 + 0.3 * _cells(np.floor(across)[:, None] * [1.0, 0.0, 0.0])
    return (across % 1 < 0.04).astype(np.float32), tone * (0.9 + 0.2 * _noise(unit * [0.3, 0.3, 3.0]))


def _motif(unit: np.ndarray, axis: np.ndarray) -> Texture:
    """A repeated figure, as on wallpaper."""
    wave = np.sin(2 * np.pi * unit)
    return (wave[:, 0] * wave[:, 2] + wave[:, 1] * wave[:, 2] + 0.3 * np.sin(6 * np.pi * unit).sum(1) > 0.3).astype(
        np.float32
    ), None


_TEXTURES = {
    "stripes": _stripes,
    "checks": _checks,
    "wood": _wood,
    "speckle": _speckle,
    "print": _print,
    "tiles": _tiles,
    "fabric": _fabric,
    "marble": _marble,
    "bricks": _bricks,
    "boards": _boards,
    "motif": _motif,
}
