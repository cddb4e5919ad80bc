#!/usr/bin/env bash
# Trains on a GKE cluster as a JobSet, through xpk:
#
#   bash launch/gke.sh --cluster C --type v5litepod-16 --zone europe-west4-b \
#       --image REGION-docker.pkg.dev/P/R/anonygan:TAG \
#       --workdir /mnt/bucket/runs/celeba --config configs/celeba.py:paper \
#       [--name anonygan] [--slices 1] [--project P] [--dry-run] [-- FLAGS...]
#
# The image holds this repository, installed with '.[tensorflow]' and jax[tpu]; the
# cluster mounts the bucket (GKE's Cloud Storage FUSE driver). Preempted
# workers are started again up to 100 times and go on from the newest checkpoint.
set -euo pipefail
name=anonygan cluster='' type='' zone='' image='' project='' slices=1
config='' workdir='' dry=''
while [ $# -gt 0 ]; do
  case $1 in
    --name) name=$2; shift ;;
    --cluster) cluster=$2; shift ;;
    --type) type=$2; shift ;;
    --zone) zone=$2; shift ;;
    --image) image=$2; shift ;;
    --project) project=$2; shift ;;
    --slices) slices=$2; shift ;;
    --config) config=$2; shift ;;
    --workdir) workdir=$2; shift ;;
    --dry-run) dry=1 ;;
    --) shift; break ;;
    *) echo "unknown argument $1; see the head of $0" >&2; exit 2 ;;
  esac
  shift
done
for needed in cluster type zone image config workdir; do
  [ -n "${!needed}" ] || { echo "--$needed is needed; see the head of $0" >&2; exit 2; }
done

flags=$(printf ' %q' --distributed --config="$config" --workdir="$workdir" "$@")
command=(xpk workload create --workload "$name" --cluster "$cluster" --tpu-type "$type"
  --zone "$zone" --num-slices "$slices" --docker-image "$image" --max-restarts 100
  --command "python -m anonygan_jax.main$flags")
[ -z "$project" ] || command+=(--project "$project")
if [ -n "$dry" ]; then printf '%q ' "${command[@]}"; echo; else exec "${command[@]}"; fi
