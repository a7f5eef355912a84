"""Furniture by parameters: a file for each class, or a folder where a class has many constructions.

Importing this package registers all constructions.
"""

from instseg3d_ros.data.synthetic.registry import register

CLASSES = (
    "otherfurniture", "chair", "bathtub", "bed", "bookshelf", "cabinet", "counter", "curtain", "desk", "door",
    "picture", "refrigerator", "shower_curtain", "sink", "sofa", "table", "toilet", "window",
)  # fmt: skip
register(__name__, CLASSES)
