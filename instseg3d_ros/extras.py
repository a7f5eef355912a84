"""The packages that pip installs: required packages, and extras for optional parts.

setup.py executes this file before any package is installed, so that it has no imports at its top.
"""

# rosbags: `data/clouds/bag_reader.py` extends its readers, which may change with the minor version.
REQUIRED = ["numpy", "scipy", "safetensors", "torch>=2.4", "pyyaml", "tqdm", "pillow", "rosbags>=0.11,<0.12"]
EXTRAS = {
    "train": ["lightning", "jsonargparse[signatures]", "tensorboard", "h5py", "trimesh", "open3d", "matplotlib"],
    "view": ["matplotlib", "open3d"],
    "las": ["laspy[lazrs]"],
    "bench": ["scikit-learn", "matplotlib", "open3d"],
}
# Modules whose package has a different name.
MODULES = {"sklearn": "scikit-learn", "yaml": "pyyaml", "PIL": "pillow", "tensorboardX": "tensorboard"}


def require(*modules: str) -> None:
    """Raise ModuleNotFoundError if one of these modules is not installed, before work begins; see `remedy`."""
    from importlib.util import find_spec

    for module in modules:
        if find_spec(module) is None:
            raise ModuleNotFoundError(f"No module named '{module}'", name=module)


def remedy(error: ImportError) -> str:
    """One line that says how to install the missing package of an ImportError; empty for other errors."""
    import re

    name = (error.name or "").partition(".")[0]
    packages = {re.split(r"[\[<>=]", package)[0]: package for package in REQUIRED}
    packages |= {re.split(r"[\[<>=]", package)[0]: package for group in EXTRAS.values() for package in group}
    package = packages.get(MODULES.get(name, name))
    if package is None:  # some packages raise ImportError without `name`
        package = next((full for short, full in packages.items() if f"`{short}`" in str(error)), None)
    if package is None:
        return ""
    missing = min((group for group in EXTRAS.values() if package in group), key=len, default=REQUIRED)
    words = " ".join(f"'{one}'" if "[" in one or ">" in one else one for one in missing)
    short = re.split(r"[\[<>=]", package)[0]
    return f"needs {short}, which is not installed; run: {_pip()} install {words}"


def _pip() -> str:
    """The command that runs pip of this Python, relative to the current folder if possible."""
    import os
    import sys

    inside = sys.executable.startswith(os.getcwd() + os.sep)
    return f"{os.path.relpath(sys.executable) if inside else sys.executable} -m pip"
