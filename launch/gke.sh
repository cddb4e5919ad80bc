#!/usr/bin/env bash
# Trains on a GKE cluster as a JobSet, through xpk:
#
#   bash launch/gke.sh --cluster C --type v5litepod-16 --zone europe-west4-b \
#       --image REGION-docker.pkg.dev/P/R/anonygan:TAG \
#       --workdir gs://BUCKET/runs/celeba --config configs/celeba.py:paper \
#       [--name anonygan] [--slices 1] [--project P] [--dry-run] [-- FLAGS...]
#
# The image holds this repository, installed with '.[tensorflow,buckets]' and jax[tpu]. The
# nodes' service account may write to the bucket. Preempted workers are started again up
# to 100 times and go on from the newest checkpoint.
set -euo pipefail
name=anonygan cluster='' type='' zone='' image='' project='' slices=1
config='' workdir='' dry_run=''
options=(name cluster type zone image project slices config workdir)
switches=(dry_run) needed=(cluster type zone image config workdir) rest=()
# shellcheck source=launch/arguments.sh
. "$(dirname "$0")/arguments.sh"
parse "$@"

flags=$(printf ' %q' --distributed --config="$config" --workdir="$workdir" "${rest[@]}")
command=(xpk workload create --workload "$name" --cluster "$cluster" --tpu-type "$type"
  --zone "$zone" --num-slices "$slices" --docker-image "$image" --max-restarts 100
  --command "python -m anonygan_jax.main$flags")
[ -z "$project" ] || command+=(--project "$project")
run "${command[@]}"
