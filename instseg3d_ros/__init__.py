"""3-D semantic instance segmentation of coloured point clouds.

from instseg3d_ros import Segmenter
result = Segmenter.load("unet")(points, colors)
"""

from typing import TYPE_CHECKING

from instseg3d_ros.version import __version__

if TYPE_CHECKING:
    from instseg3d_ros.mapping.object_map import ObjectMap
    from instseg3d_ros.segmentation.segmenter import Segmenter

__all__ = ["ObjectMap", "Segmenter", "__version__"]


def __getattr__(name: str) -> type:
    # Torch takes seconds to import, and commands that print help or evaluate files do not need it.
    if name == "Segmenter":
        from instseg3d_ros.segmentation.segmenter import Segmenter

        return Segmenter
    if name == "ObjectMap":
        from instseg3d_ros.mapping.object_map import ObjectMap

        return ObjectMap
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
