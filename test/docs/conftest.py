import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "data"))  # for scannet_files and nyuv2_files
