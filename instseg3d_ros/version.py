"""The version of the package; setup.py and package.xml contain the same version."""

__version__ = "0.1.0"
