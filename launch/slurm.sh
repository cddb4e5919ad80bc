#!/usr/bin/env bash
# Trains on GPUs of several nodes under SLURM, one process a GPU:
#
#   bash launch/slurm.sh --nodes 2 --gpus 8 --workdir /shared/runs/celeba \
#       --config configs/celeba.py:paper [--time 24:00:00] [--partition P] \
#       [--name anonygan] [--dry-run] [-- FLAGS...]
#
# Expects .venv in this repository, installed with '.[tensorflow]' and jax[cuda12], for a
# --workdir gs://BUCKET/FOLDER with '.[tensorflow,buckets]'. A job that is preempted or
# runs out of time is queued again and goes on.
set -euo pipefail
name=anonygan nodes=1 gpus=1 time=24:00:00 partition='' config='' workdir='' dry_run=''
options=(name nodes gpus time partition config workdir)
switches=(dry_run) needed=(config workdir) rest=()
# shellcheck source=launch/arguments.sh
. "$(dirname "$0")/arguments.sh"
parse "$@"

root=$(cd "$(dirname "$0")/.." && pwd)
logs=$workdir
[[ "$workdir" != *://* ]] || logs=$root/logs  # SLURM writes to no bucket
flags=$(printf ' %q' --distributed --config="$config" --workdir="$workdir" "${rest[@]}")
# SIGTERM two minutes before the end: the run saves and stops, then is queued again.
job="#!/usr/bin/env bash
cd $(printf %q "$root")
. .venv/bin/activate
trap 'scontrol requeue \$SLURM_JOB_ID' TERM
srun python -m anonygan_jax.main$flags &
wait
"
command=(sbatch --job-name "$name" --nodes "$nodes" --ntasks-per-node "$gpus"
  --gpus-per-node "$gpus" --time "$time" --requeue --signal "B:TERM@120"
  --open-mode append --output "$logs/slurm-%j.log")
[ -z "$partition" ] || command+=(--partition "$partition")
if [ -n "$dry_run" ]; then
  printf '%q ' "${command[@]}"; echo; printf '%s' "$job"
else
  mkdir -p "$logs"
  printf '%s' "$job" | "${command[@]}"
fi
