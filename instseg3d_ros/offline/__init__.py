"""Segmenting recordings and files without a robot: what `segment` runs for each of its inputs."""
