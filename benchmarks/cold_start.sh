#!/bin/sh
# How long commands that compute nothing take to start, and dub to its first error. Prints the median and the worst of N runs.
# Usage: benchmarks/cold_start.sh [BUILD_DIR] [N]
set -eu
omnisync=${1:-build}/bin/omnisync
runs=${2:-21}
[ -x "$omnisync" ] || { echo "cold_start: no program '$omnisync'; build first" >&2; exit 1; }

measure() {
    label=$1
    shift
    i=0
    while [ "$i" -lt "$runs" ]; do
        start=$(date +%s%N)
        "$omnisync" "$@" >/dev/null 2>&1 || true
        echo $(($(date +%s%N) - start))
        i=$((i + 1))
    done | sort -n | awk -v label="$label" -v n="$runs" '
        { t[NR] = $1 / 1e6 }
        END { printf "%-34s median %7.1f ms   worst %7.1f ms   (%d runs)\n", label, t[int((n + 1) / 2)], t[n], n }'
}

measure "omnisync --version" --version
measure "omnisync dub --help" dub --help
measure "omnisync doctor --options" doctor --options
measure "omnisync dub (missing input)" dub missing.mp4 missing.wav -o missing.out.mp4 --engine none
