#!/usr/bin/env bash
# Everything about speed and correctness that needs a CUDA device, in one run, into one JSON file.
# Usage: benchmarks/on_gpu.sh [--out FILE] [--build FOLDER] [--cpu-part]
#   --cpu-part  only what runs without a device: kernelcheck on the CPU and its timings
#
#   1. kernelcheck, built by nvcc alone: every kernel against its reference, with timings and the copy bandwidth measured
#      in the same run; once more under compute-sanitizer (memcheck, racecheck, initcheck)
#   2. with LibTorch: a captured step of the small transformer against the same step run operation by operation, and the
#      X-Dub block of true size against its operations one by one
# Needs nvcc; for the second part CMake, ninja or make, and torch 2.11 (tools/bootstrap --cuda). What is missing is said
# in the JSON, under "skipped". Exit code 1: something failed.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

out=on_gpu.json build=build/gpu cpu_part=0
while (($# > 0)); do
    case $1 in
        --out) out=$2 && shift ;;
        --build) build=$2 && shift ;;
        --cpu-part) cpu_part=1 ;;
        *) sed -n '2,4s/^# //p' "$0" >&2 && exit 64 ;;
    esac
    shift
done
mkdir -p "$build" "$(dirname "$out")"
parts=() skipped=() failed=()

# part NAME JSON_FILE: takes a part's result into the report.
part() { if [[ -s $2 ]]; then parts+=("\"$1\": $(cat "$2")"); fi; }
skip() { skipped+=("$1: $2") && echo "skipped: $1: $2"; }
# step NAME COMMAND...: its output in a log; a failure is noted, the rest goes on.
step() {
    local name=$1 log=$build/$1.log
    shift
    echo "== $name: $*"
    "$@" >"$log" 2>&1 || failed+=("$name (exit code $?, $log)")
    tail -n 4 "$log"
}
quoted() { printf '"%s"' "$(printf '%s' "$1" | tr '\n\t' '  ' | sed 's/[\\"]/\\&/g')"; }
list() {
    local text='' item
    for item in "$@"; do text+="${text:+, }$(quoted "$item")"; done
    printf '[%s]' "$text"
}

flags=(-std=c++20 -O3 -Iinclude -I. -Itests/kernels)
host_flags=(-fno-math-errno -fno-trapping-math -ffp-contract=off)
objects=()
# Each .cpp by the host compiler with the flags of kernels/CMakeLists.txt; fused only where bits may differ.
compile_host() {
    local source object fused
    for source in tests/kernels/*.cpp kernels/*.cpp "$@"; do
        case $source in */device_none.cpp | */no_cuda.cpp) [[ " $* " == *" $source "* ]] || continue ;; esac
        fused=()
        case $source in */short_attention.cpp | */packed_linear.cpp | */depthwise_tokens.cpp) fused=(-ffp-contract=fast) ;; esac
        object=$build/$(basename "$source").o
        "${CXX:-g++}" "${flags[@]}" "${host_flags[@]}" "${fused[@]}" -c "$source" -o "$object"
        objects+=("$object")
    done
    mapfile -t objects < <(printf '%s\n' "${objects[@]}" | sort -u)
}

nvcc=$(PATH="${CUDA_HOME:+$CUDA_HOME/bin:}$PATH:/usr/local/cuda/bin" command -v nvcc || true)
if ((cpu_part)) || [[ -z $nvcc ]]; then
    skip kernelcheck "without CUDA: $( ((cpu_part)) && echo asked for || echo nvcc was not found)"
    compile_host tests/kernels/device_none.cpp kernels/no_cuda.cpp
    "${CXX:-g++}" "${objects[@]}" -o "$build/kernelcheck"
else
    compile_host
    "$nvcc" "${flags[@]}" -arch=native -fmad=false kernels/*.cu tests/kernels/device_cuda.cu "${objects[@]}" \
        -o "$build/kernelcheck"
fi
step kernelcheck "$build/kernelcheck" --bench --json "$build/kernelcheck.json"
part kernelcheck "$build/kernelcheck.json"

sanitizer=$(PATH="$PATH:/usr/local/cuda/bin" command -v compute-sanitizer || true)
if ((cpu_part)) || [[ -z $nvcc ]]; then
    skip sanitizer "no device part was built"
elif [[ -z $sanitizer ]]; then
    skip sanitizer "compute-sanitizer was not found"
else
    for tool in memcheck racecheck initcheck; do
        step "$tool" "$sanitizer" --tool "$tool" --error-exitcode 1 "$build/kernelcheck" --shapes 20
    done
fi

if ((cpu_part)); then
    skip torch "asked for the CPU part"
elif ! command -v cmake >/dev/null; then
    skip torch "cmake was not found"
else
    step configure cmake -S . -B "$build/torch" -DCMAKE_BUILD_TYPE=Release -DOMNISYNC_MEDIA=OFF
    step build cmake --build "$build/torch" --parallel --target bench_xdub_dit_block bench_ops_captured_step omnisync_cuda omnisync_graph
    for name in captured_step dit_block; do
        program=$(find "$build/torch" -type f -name "bench_*_$name" | head -n 1)
        if [[ -z $program ]]; then
            skip "$name" "it was not built"
            continue
        fi
        words=()
        if [[ $name == dit_block ]]; then words=(20); fi
        step "$name" env OMP_WAIT_POLICY=passive "$program" "${words[@]}" --json "$build/$name.json"
        part "$name" "$build/$name.json"
    done
fi

machine=$(nvidia-smi --query-gpu=name,driver_version,memory.total --format=csv,noheader 2>/dev/null || echo "no NVIDIA device")
body=''
for one in "${parts[@]}"; do body+=", $one"; done
printf '{"machine": %s, "cpu": %s, "commit": %s, "skipped": %s, "failed": %s%s}\n' "$(quoted "$machine")" \
    "$(quoted "$(sed -n 's/^model name.*: //p' /proc/cpuinfo | head -n 1)")" \
    "$(quoted "$(git rev-parse --short HEAD 2>/dev/null || echo unknown)")" \
    "$(list "${skipped[@]}")" "$(list "${failed[@]}")" "$body" >"$out"
echo "written: $out; failed: ${#failed[@]}, skipped: ${#skipped[@]}"
((${#failed[@]} == 0))
