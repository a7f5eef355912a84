#!/usr/bin/env bash
# Fills the virtual environment $1 for `run` or `develop` ($2) with torch of flavour $3 (cpu, cu126, …).
# Called by the Makefile; a stamp in the environment keeps it from installing twice.
set -euo pipefail
venv=$1 what=$2 torch=$3
here=$(dirname "$0")
stamp="$venv/.$what-$torch-$(cat "$here"/*.txt "$0" | sha256sum | cut -c1-16)"
[ -e "$stamp" ] && exit 0

python=${PYTHON:-python3}
"$python" -c 'import sys; sys.exit(not (3, 10) <= sys.version_info < (3, 14))' ||
  { echo "Python 3.10 to 3.13 is required, but $("$python" --version) was found. Choose another: make PYTHON=python3.12 …" >&2; exit 1; }

# Libraries that Open3D and the kernels need from the system, as library:package.
missing=()
for pair in libusb-1.0.so.0:libusb-1.0-0 libGL.so.1:libgl1 libgomp.so.1:libgomp1 libEGL.so.1:libegl1 libX11.so.6:libx11-6; do
  "$python" -c "import ctypes; ctypes.CDLL('${pair%%:*}')" 2>/dev/null || missing+=("${pair#*:}")
done
"$python" -c 'import venv, ensurepip' 2>/dev/null || missing+=(python3-venv)
command -v g++ >/dev/null || missing+=(g++)  # optional: without it slow torch code is used
if [ ${#missing[@]} -gt 0 ]; then
  if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    echo "Installing system packages: ${missing[*]}"
    apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
  else
    echo "System packages are missing. Run: sudo apt-get install ${missing[*]}" >&2
    exit 1
  fi
fi

ros=(-r "$here/ros.txt") options=()
if [ -n "${ROS_DISTRO:-}" ]; then  # a sourced ROS brings rclpy and the messages itself
  echo "ROS 2 $ROS_DISTRO is sourced: using it"
  ros=() options=(--system-site-packages)
fi
if [ ! -x "$venv/bin/python" ]; then
  "$python" -m venv ${options[@]+"${options[@]}"} "$venv"
  touch "$venv/COLCON_IGNORE"
fi

spconv=()
if [ "$(uname -m)" = x86_64 ]; then
  if [ "$torch" = cpu ]; then spconv=(spconv==2.3.8); else spconv=("spconv-$torch==2.3.8"); fi
fi
install() { "$venv/bin/python" -m pip install --quiet --disable-pip-version-check -c "$here/constraints.txt" "$@"; }
echo "Installing into $venv (once; a few minutes)"
# torch comes from the configured index if it has the build, otherwise from PyTorch's index.
install "torch==2.13.0+$torch" 2>/dev/null ||
  install --extra-index-url "https://download.pytorch.org/whl/$torch" "torch==2.13.0+$torch"
files=(-r "$here/run.txt")
[ "$what" = develop ] && files+=(-r "$here/develop.txt")
install ${spconv[@]+"${spconv[@]}"} "${files[@]}" ${ros[@]+"${ros[@]}"} 2> >(grep -v 'is ignored: it is neither' >&2)
touch "$stamp"
[ "$what" = run ] || touch "${stamp/.$what-/.run-}"
