"""Draws results as pictures (`picture`) and interactive pages (`page`)."""
