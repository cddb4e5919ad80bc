#!/usr/bin/env bash
# Trains on this machine's NVIDIA GPU:
#   bash launch/gpu.sh configs/celeba.py:release runs/celeba [--config.data.directory=DIR ...]
set -euo pipefail
# shellcheck source=launch/arguments.sh
. "$(dirname "$0")/arguments.sh"
help_if_asked "$@"
[ $# -ge 2 ] || refuse "CONFIG and WORKDIR are needed"
cd "$(dirname "$0")/.."
[ -d .venv ] || "${PYTHON:-python3}" -m venv .venv
# shellcheck source=/dev/null
. .venv/bin/activate
python -m pip install --quiet -e '.[tensorflow]' 'jax[cuda12]>=0.10.2,<0.11'
config=$1 workdir=$2
shift 2
exec python -m anonygan_jax.main --config="$config" --workdir="$workdir" "$@"
