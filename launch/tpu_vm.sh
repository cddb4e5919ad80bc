#!/usr/bin/env bash
# Trains on a Cloud TPU, a single host or a pod slice, through a queued resource:
#
#   bash launch/tpu_vm.sh --name anonygan --type v5litepod-8 --zone europe-west4-b \
#       --workdir gs://BUCKET/runs/celeba --config configs/celeba.py:paper \
#       [--project P] [--version v2-alpha-tpuv5-lite] [--spot] [--dry-run] \
#       [-- FLAGS...]
#
# Creates the resource, waits for it, copies this repository to all workers, installs it
# and starts the run on each of them. A preempted run goes on with the same command; FLAGS
# go to anonygan_jax.main, as --config.data.directory=gs://BUCKET/celeba: each host copies
# it to its disk once.
set -euo pipefail
name=anonygan type=v5litepod-8 zone='' project='' version=v2-alpha-tpuv5-lite
config='' workdir='' spot='' dry_run=''
options=(name type zone project version config workdir)
switches=(spot dry_run) needed=(zone config workdir) rest=()
# shellcheck source=launch/arguments.sh
. "$(dirname "$0")/arguments.sh"
parse "$@"

where=(--zone "$zone")
[ -z "$project" ] || where+=(--project "$project")
create=(gcloud compute tpus queued-resources create "$name" --node-id "$name"
  --accelerator-type "$type" --runtime-version "$version" "${where[@]}")
[ -z "$spot" ] || create+=(--spot)
if [ -n "$dry_run" ] || ! gcloud compute tpus tpu-vm describe "$name" "${where[@]}" >/dev/null 2>&1
then
  run "${create[@]}"
  until [ -n "$dry_run" ] || gcloud compute tpus queued-resources describe "$name" \
      "${where[@]}" --format='value(state.state)' | grep -q ACTIVE; do
    echo "waiting for $type in $zone"; sleep 30
  done
fi

cd "$(dirname "$0")/.."
archive=$(mktemp)
trap 'rm -f "$archive"' EXIT
run git archive --format=tar.gz --output="$archive" HEAD
run gcloud compute tpus tpu-vm scp "$archive" "$name:anonygan.tar.gz" --worker=all "${where[@]}"
flags=$(printf ' %q' --distributed --config="$config" --workdir="$workdir" "${rest[@]}")
remote="set -e; mkdir -p anonygan; tar -xzf anonygan.tar.gz -C anonygan; cd anonygan
python3 -m venv .venv; . .venv/bin/activate
pip install --quiet -e '.[tensorflow,buckets]' 'jax[tpu]>=0.10.2,<0.11'
if [ -f run.pid ] && pkill -F run.pid; then  # a run before: it saves and stops
  while pgrep -F run.pid > /dev/null; do sleep 1; done
fi
nohup python -m anonygan_jax.main$flags > run.log 2>&1 &
echo \$! > run.pid"
run gcloud compute tpus tpu-vm ssh "$name" --worker=all "${where[@]}" --command "$remote"
echo "follow it: gcloud compute tpus tpu-vm ssh $name ${where[*]} --command 'tail -f anonygan/run.log'"
