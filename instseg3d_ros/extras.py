"""What pip installs: packages that everything needs, and extras for parts that not everybody uses.

setup.py reads this file by itself, before any package is there; so it imports nothing at its top.
"""

# rosbags: `data/clouds/bag_reader.py` extends its readers, which may change with the minor version.
REQUIRED = ["numpy", "scipy", "safetensors", "torch>=2.4", "pyyaml", "tqdm", "pillow", "rosbags>=0.11,<0.12"]
EXTRAS = {
    "train": ["lightning", "jsonargparse[signatures]", "tensorboard", "h5py", "trimesh", "open3d", "matplotlib"],
    "view": ["matplotlib", "open3d"],
    "las": ["laspy[lazrs]"],
    "bench": ["scikit-learn", "matplotlib", "open3d"],
}
# Modules whose package has another name.
MODULES = {"sklearn": "scikit-learn", "yaml": "pyyaml", "PIL": "pillow", "tensorboardX": "tensorboard"}


def require(*modules: str) -> None:
    """ModuleNotFoundError where one of these modules is not installed, before any work is done; see `remedy`."""
    from importlib.util import find_spec

    for module in modules:
        if find_spec(module) is None:
            raise ModuleNotFoundError(f"No module named '{module}'", name=module)


def remedy(error: ImportError) -> str:
    """One line for an ImportError of a package that is not installed; empty where the error is another one."""
    import re

    name = (error.name or "").partition(".")[0]
    packages = {re.split(r"[\[<>=]", package)[0]: package for package in REQUIRED}
    packages |= {re.split(r"[\[<>=]", package)[0]: package for group in EXTRAS.values() for package in group}
    package = packages.get(MODULES.get(name, name))
    if package is None:  # some packages report a missing one without `name`
        package = next((full for short, full in packages.items() if f"`{short}`" in str(error)), None)
    if package is None:
        return ""
    missing = min((group for group in EXTRAS.values() if package in group), key=len, default=REQUIRED)
    words = " ".join(f"'{one}'" if "[" in one or ">" in one else one for one in missing)
    short = re.split(r"[\[<>=]", package)[0]
    return f"needs {short}, which is not installed; run: {_pip()} install {words}"


def _pip() -> str:
    """How this Python's pip is called from where we are."""
    import os
    import sys

    inside = sys.executable.startswith(os.getcwd() + os.sep)
    return f"{os.path.relpath(sys.executable) if inside else sys.executable} -m pip"
