"""Small loose things (class `object`). Importing this package registers all constructions."""

from instseg3d_ros.data.synthetic.objects import gadgets, irregular, packaging, vessels

__all__ = ["gadgets", "irregular", "packaging", "vessels"]
