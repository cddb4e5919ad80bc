#!/usr/bin/env bash
# Sets up .venv and runs the main job on the embedded faces: training, then anonymised
# pictures and a checkpoint in runs/composites. Under ten minutes on two cores.
set -euo pipefail
# shellcheck source=launch/arguments.sh
. "$(dirname "$0")/arguments.sh"
help_if_asked "$@"
[[ ${1:---} == --* ]] || refuse "unknown argument $1"
cd "$(dirname "$0")/.."
[ -d .venv ] || "${PYTHON:-python3}" -m venv .venv
# shellcheck source=/dev/null
. .venv/bin/activate
python -m pip install --quiet --upgrade pip
python -m pip install --quiet -e .
python -m anonygan_jax.main --config=configs/composites.py --workdir=runs/composites "$@"
newest=$(find runs/composites/pictures -name "*.png" | sort | tail -1)
echo "Look at $newest:"
echo "condition, source, masked source, output and composite of eight pairs."
