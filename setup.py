"""ament_python packaging: every command becomes `ros2 run instseg3d_ros NAME`."""

import sys
from glob import glob
from pathlib import Path

from setuptools import find_packages, setup

PACKAGE = "instseg3d_ros"


def names_in(file):
    """Names of one of the package's files, read without importing the package (torch may not be there yet)."""
    scope = {}
    exec((Path(__file__).parent / PACKAGE / file).read_text(), scope)
    return scope


def scripts():
    """One script per command for `ros2 run`. pip puts scripts on the PATH, where `train` says little: it gets one."""
    if {"bdist_wheel", "editable_wheel", "dist_info"} & {*sys.argv}:
        return [f"{PACKAGE} = {PACKAGE}.__main__:main"]
    return [f"{name} = {PACKAGE}.commands.table:{name}" for name in names_in("commands/table.py")["COMMANDS"]]


def share(folder, pattern="*"):
    files = [name for name in glob(f"{folder}/{pattern}") if Path(name).is_file()]
    return (f"share/{PACKAGE}/{folder}", files)


def sources_beside_python():
    """C++ that is compiled at first use, parts of the page: all files of the package that are not Python."""
    files = (path for path in Path(PACKAGE).rglob("*") if path.is_file() and path.suffix not in (".py", ".pyc"))
    return [str(path.relative_to(PACKAGE)) for path in files]


setup(
    name=PACKAGE,
    version="0.1.0",
    packages=find_packages(include=[PACKAGE, f"{PACKAGE}.*"]),
    package_data={PACKAGE: sources_beside_python()},
    data_files=[
        ("share/ament_index/resource_index/packages", [f"resource/{PACKAGE}"]),
        (f"share/{PACKAGE}", ["package.xml"]),
        share("launch", "*.launch.py"),
        share("config"),
        share("config/train"),
        share("models"),
        share("data/demo_bag"),
    ],
    zip_safe=False,
    maintainer="instseg3d_ros maintainers",
    maintainer_email="maintainers@instseg3d.dev",
    description="3-D semantic instance segmentation of point clouds as a ROS 2 node",
    license="Apache-2.0",
    python_requires=">=3.10",
    install_requires=names_in("extras.py")["REQUIRED"],
    extras_require=names_in("extras.py")["EXTRAS"],
    entry_points={"console_scripts": scripts()},
)
