#!/usr/bin/env bash
# The pair mix (half AUTHORIZE, half STOP) without a journal, with answers after the kernel and after the disk has the
# events, beside Redis GET: interleaved, one worker and one generator, each pinned to a
# processor of its own, 50 connections, so many commands in flight on each (P). Medians and ratios on standard output.
#
#   bench/peers/pair_mix.sh TOOLS [ROUNDS=5] [SECONDS=3]
#
# TOOLS is a folder with the load generator and what feeds it: mkdeck.py (decks and numbers), mkcmds.py (command files),
# rload.cpp (a pipelined RESP generator), med.py (medians of its lines). Needs redis-server, curl, g++, python3.
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
tools=$(cd "${1:?folder with the load generator}" && pwd)
rounds=${2:-5} seconds=${3:-3}
depths=${DEPTHS:-1 16 64}
daemon=${TOLLGATED:-$root/build/release/tollgated}
work=$(mktemp -d)
pids=()
finish() {
    for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null && wait "$pid" 2>/dev/null || true; done
    rm -rf "$work"
}
trap finish EXIT

cd "$work"
cp "$tools"/{mkdeck,mkcmds,med}.py "$tools/rload.cpp" .
g++ -O2 -std=c++20 rload.cpp -o rload -pthread
python3 "$tools/mkdeck.py" . >&2
python3 "$root/bench/peers/make_world.py" . .
python3 mkcmds.py get 100000 get.resp
for depth in $depths; do python3 mkcmds.py pairs tollgate 200000 100000 dests.txt "pairs.$depth.resp" "$depth"; done

# One daemon a mode of durability: none, answers after the kernel has the event, answers after the disk has it.
modes=(none written synced)
declare -A resp_ports daemon_pids
for mode in "${modes[@]}"; do
    journal=()
    if [[ $mode != none ]]; then journal=(--set "journal.dir=$work/$mode" --set "journal.reply=$mode"); fi
    taskset -c 0 "$daemon" --set workers=1 --set resp.listen=127.0.0.1:0 --set http.listen=127.0.0.1:0 \
        "${journal[@]}" 2>"$mode.log" &
    pids+=($!)
    daemon_pids[$mode]=$!
done
redis_port=$((20000 + RANDOM % 20000))
taskset -c 0 redis-server --port $redis_port --bind 127.0.0.1 --save '' --appendonly no >redis.log 2>&1 &
pids+=($!)
redis_pid=$!
all_up() {
    local mode
    for mode in "${modes[@]}"; do grep -q serves "$mode.log" || return 1; done
    redis-cli -p $redis_port ping >/dev/null 2>&1
}
for _ in $(seq 100); do
    if all_up; then break; fi
    sleep 0.1
done
for mode in "${modes[@]}"; do
    resp_ports[$mode]=$(sed -n 's/.* RESP on [0-9.]*:\([0-9]*\).*/\1/p' "$mode.log" | head -1)
    http=http://127.0.0.1:$(sed -n 's/.* HTTP on [0-9.]*:\([0-9]*\).*/\1/p' "$mode.log" | head -1)
    for level in 1 2 3; do
        curl -sf -X PUT -H 'Content-Type: application/json' -d '{"currency":"EUR"}' "$http/v1/tariffs/deck$level" >/dev/null
        curl -sf -X PUT -H 'Content-Type: text/csv' --data-binary "@tariff$level.csv" "$http/v1/tariffs/deck$level/deck" >&2
    done
    curl -sf -X POST -H 'Content-Type: application/x-ndjson' --data-binary @parties.ndjson "$http/v1/parties:import" >&2
done
python3 -c "
for i in range(100000):
    print('SET k:%012d 0123456789' % i)" | redis-cli -p $redis_port >/dev/null

run=10
for _ in $(seq "$rounds"); do
    for depth in $depths; do
        run=$((run + 1))
        # Session ids of their own for every run: an ended one is remembered.
        sed "s/^00\([0-9]\{8\}~PASS~~~\)/$run\1/" "pairs.$depth.resp" >now.resp
        taskset -c 1 ./rload -p $redis_port -c 50 -P "$depth" -s "$seconds" -S $redis_pid -f get.resp -l redis-get
        for mode in "${modes[@]}"; do
            taskset -c 1 ./rload -p "${resp_ports[$mode]}" -c 50 -P "$depth" -s "$seconds" -S "${daemon_pids[$mode]}" \
                -f now.resp -l "pair-mix-$mode"
        done
    done
done | tee lines | cut -c1-150 >&2
python3 med.py <lines | tee medians
python3 - <<'PYTHON'
import re
rate, p99 = {}, {}
for line in open("medians"):
    m = re.match(r"(\S+)\s+c=\d+ P=(\d+).*ops/s med\s+(\d+).*p99 (\d+) us", line)
    rate[m[1], int(m[2])] = int(m[3])
    p99[m[1], int(m[2])] = int(m[4])
for depth in sorted({p for _, p in rate}):
    of = lambda label: rate[label, depth]
    print(f"P={depth}: without a journal / Redis GET {of('pair-mix-none') / of('redis-get'):.2f};"
          f" written / without {of('pair-mix-written') / of('pair-mix-none'):.2f};"
          f" synced / without {of('pair-mix-synced') / of('pair-mix-none'):.2f};"
          f" p99 synced less p99 without {p99['pair-mix-synced', depth] - p99['pair-mix-none', depth]} us")
PYTHON
