#!/usr/bin/env bash
# Several SGLang servers on one machine behind sglang-router, as one command:
#
#     bash replicas.sh --python PYTHON --port PORT --gpus 0,1,2,3 --gpus 4,5,6,7 -- ARGUMENTS OF EVERY SERVER
#
# Servers listen on the ports after PORT, all on loopback. The router opens its own port only when every server is up, so
# PORT answers when all is ready. A server that ends while loading ends everything; one that ends later is left out as
# long as another lives.
set -uo pipefail

python=python port=30000 gpus=()
while [ $# -gt 0 ]; do
  case "$1" in
    --python) python="$2"; shift 2 ;;
    --port) port="$2"; shift 2 ;;
    --gpus) gpus+=("$2"); shift 2 ;;
    --) shift; break ;;
    *) echo "replicas.sh: unknown option $1" >&2; exit 2 ;;
  esac
done
if [ ${#gpus[@]} -eq 0 ]; then
  echo "replicas.sh: give --gpus once for each server" >&2
  exit 2
fi

trap 'kill $(jobs -p) 2>/dev/null; wait' EXIT
trap 'exit 143' TERM INT HUP

urls=() alive=0
for group in "${gpus[@]}"; do
  own=$((port + 1 + ${#urls[@]}))
  CUDA_VISIBLE_DEVICES="$group" "$python" -m sglang.launch_server "$@" --host 127.0.0.1 --port "$own" &
  urls+=("http://127.0.0.1:$own")
  alive=$((alive + 1))
done
"$python" -m sglang_router.launch_router --host 127.0.0.1 --port "$port" --worker-urls "${urls[@]}" \
  --policy cache_aware --worker-startup-timeout-secs 7200 --prometheus-host 127.0.0.1 --log-level warn &
router=$!

while true; do
  wait -n
  code=$?
  if ! kill -0 "$router" 2>/dev/null; then
    echo "replicas.sh: error: the router ended" >&2
    exit 1
  fi
  alive=$((alive - 1))
  if [ "$alive" -eq 0 ] || ! (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then
    echo "replicas.sh: error: a server ended with exit code $code" >&2
    exit 1
  fi
  echo "replicas.sh: a server ended with exit code $code; $alive left" >&2
done
