"""ament_python packaging: every command becomes `ros2 run instseg3d_ros NAME`."""

from glob import glob
from pathlib import Path

from setuptools import find_packages, setup

PACKAGE = "instseg3d_ros"


def command_names():
    """Names in the one table of commands, read without importing the package (torch may not be there yet)."""
    scope = {}
    exec((Path(__file__).parent / PACKAGE / "commands" / "table.py").read_text(), scope)
    return scope["COMMANDS"]


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
    entry_points={"console_scripts": [f"{name} = {PACKAGE}.commands.table:{name}" for name in command_names()]},
)
