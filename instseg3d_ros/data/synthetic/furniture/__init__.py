"""Furniture by parameters. Importing this package registers all constructions."""

from instseg3d_ros.data.synthetic.furniture import bath, chair, kitchen, openings, other, soft, storage, table

__all__ = ["bath", "chair", "kitchen", "openings", "other", "soft", "storage", "table"]
