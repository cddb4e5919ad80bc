#!/usr/bin/env bash
# Trains on GPUs of several nodes under SLURM, one process a GPU:
#
#   bash launch/slurm.sh --nodes 2 --gpus 8 --workdir /shared/runs/celeba \
#       --config configs/celeba.py:paper [--time 24:00:00] [--partition P] \
#       [--name anonygan] [--dry-run] [-- FLAGS...]
#
# Expects .venv in this repository, installed with '.[tensorflow]' and jax[cuda12]. A job
# that is preempted or runs out of time is queued again and goes on.
set -euo pipefail
name=anonygan nodes=1 gpus=1 time=24:00:00 partition='' config='' workdir='' dry=''
while [ $# -gt 0 ]; do
  case $1 in
    --name) name=$2; shift ;;
    --nodes) nodes=$2; shift ;;
    --gpus) gpus=$2; shift ;;
    --time) time=$2; shift ;;
    --partition) partition=$2; shift ;;
    --config) config=$2; shift ;;
    --workdir) workdir=$2; shift ;;
    --dry-run) dry=1 ;;
    --) shift; break ;;
    *) echo "unknown argument $1; see the head of $0" >&2; exit 2 ;;
  esac
  shift
done
for needed in config workdir; do
  [ -n "${!needed}" ] || { echo "--$needed is needed; see the head of $0" >&2; exit 2; }
done

root=$(cd "$(dirname "$0")/.." && pwd)
flags=$(printf ' %q' --distributed --config="$config" --workdir="$workdir" "$@")
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
  --open-mode append --output "$workdir/slurm-%j.log")
[ -z "$partition" ] || command+=(--partition "$partition")
if [ -n "$dry" ]; then
  printf '%q ' "${command[@]}"; echo; printf '%s' "$job"
else
  mkdir -p "$workdir"
  printf '%s' "$job" | "${command[@]}"
fi
