# shellcheck shell=sh disable=SC2154  # `here` is the folder of whoever sources this
# Sourced by `make` and `check`: the environment that converts models, apart from everybody else's.
# Sets `python`. Needs CPython 3.11 (name another one in PYTHON) on x86-64: TensorFlow 2.16.2 has wheels for
# it, and on other machines the converted bytes have not been compared.

root=$(cd "$here/../.." && pwd)
environment="$root/.cache/models-venv"
python="$environment/bin/python"
pins="$here/requirements.txt"

if ! cmp -s "$pins" "$environment/made-from.txt"; then
  echo "making the conversion's environment in $environment (600 MB of packages)" >&2
  "${PYTHON:-python3.11}" -m venv --clear "$environment"
  "$python" -m pip install --quiet --no-deps --requirement "$pins"
  cp "$pins" "$environment/made-from.txt"
fi

# TensorFlow 2.16.2 crashed in its oneDNN kernels while converting.
export TF_ENABLE_ONEDNN_OPTS=0 TF_CPP_MIN_LOG_LEVEL=3
export PYTHONPATH="$root"
