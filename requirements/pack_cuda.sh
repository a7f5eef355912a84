#!/usr/bin/env bash
# Packs what `gpu_check` needs beside torch and NumPy on a CUDA host that reaches no package registry.
#   requirements/pack_cuda.sh            writes requirements/cuda.tar.xz, which `gpu_check` finds and unpacks
#   FOR_PYTHON=3.11 CUDA=cu124 OUT=FILE requirements/pack_cuda.sh [MORE PACKAGES…]
# The archive holds site/ (spconv for CUDA and pure or x86-64 wheels) and frames/ (generated rooms, since Open3D, which
# renders them, is too large to travel). Copy it into requirements/ of the checkout on the host; installed packages are
# preferred to packed ones.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
out=${OUT:-$here/cuda.tar.xz}
python=${PYTHON:-$here/../.venv/bin/python}
for_python=${FOR_PYTHON:-3.12}
cuda=${CUDA:-cu126}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$work/cuda/site" "$work/cuda/frames"

echo "Downloading wheels for Python $for_python and $cuda"
packages=(
  "spconv-$cuda==2.3.8" "cumm-$cuda==0.7.11" pccm ccimport pybind11 portalocker lark termcolor
  safetensors scipy pyyaml tqdm
  rosbags lz4 zstandard ruamel.yaml
  lightning pytorch-lightning lightning-utilities torchmetrics packaging fsspec
  aiohttp aiosignal aiohappyeyeballs frozenlist multidict yarl propcache attrs idna
  jsonargparse typeshed-client docstring-parser typing-extensions importlib-resources
)
pip() { "$python" -m pip --disable-pip-version-check "$@" 2> >(grep -v 'is ignored: it is neither' >&2); }
pip download --quiet --no-deps --only-binary=:all: -c "$here/constraints.txt" -d "$work/wheels" \
  --python-version "$for_python" --implementation cp \
  --platform manylinux_2_28_x86_64 --platform manylinux_2_27_x86_64 --platform manylinux_2_17_x86_64 \
  --platform manylinux2014_x86_64 --platform any "${packages[@]}" "$@"
pip wheel --quiet --no-deps -w "$work/wheels" fire # published as source only
for wheel in "$work"/wheels/*.whl; do "$python" -m zipfile -e "$wheel" "$work/cuda/site"; done

echo "Rendering rooms"
PYTHONPATH="$here/.." "$python" -m instseg3d_ros.gpu_check.clouds "$work/cuda/frames"

XZ_OPT="-T0 -6" tar cJf "$out.part" -C "$work" cuda
mv "$out.part" "$out"
ls -l "$out"
