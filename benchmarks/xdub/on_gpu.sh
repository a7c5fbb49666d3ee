#!/bin/sh
# On a machine with a CUDA device: builds and runs the block of true size, 10,240 tokens (docs/performance.md).
# Usage: benchmarks/xdub/on_gpu.sh [build folder]
set -eu
cd "$(dirname "$0")/../.."
build=${1:-build}
cmake -S . -B "$build" -DCMAKE_BUILD_TYPE=Release -DOMNISYNC_MEDIA=OFF
cmake --build "$build" --parallel --target bench_xdub_dit_block
exec "$(find "$build" -type f -name bench_xdub_dit_block)" 20
