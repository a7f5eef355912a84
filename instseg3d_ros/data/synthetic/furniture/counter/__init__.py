"""Counters of kitchens, bars, shops and laboratories."""

from instseg3d_ros.data.synthetic.registry import register

FILES = ("kitchens_and_bars", "shops_and_laboratories")
register(__name__, FILES)
