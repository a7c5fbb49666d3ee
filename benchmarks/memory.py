#!/usr/bin/env python3
"""Peak memory of a long video against a short one, same parameters. Acceptance: at most 1.10 times.

    benchmarks/memory.py [--omnisync PATH] [--sizes 640x360,1280x720] [--long 600] [--short 10] [--runs 3]
"""
import argparse
import pathlib
import statistics

import media_bench as bench


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--omnisync")
    parser.add_argument("--sizes", default="640x360,1280x720")
    parser.add_argument("--long", type=int, default=600)
    parser.add_argument("--short", type=int, default=10)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--options", default="--preset ultrafast --threads 2")
    options = parser.parse_args()
    omnisync = bench.command(options.omnisync)
    print(f"machine: {bench.machine()}\noptions: {options.options}")
    print("| size | length s | peak MiB (median) | all runs | ratio |\n|---|---|---|---|---|")
    worst = 0
    with bench.scratch() as folder:
        folder = pathlib.Path(folder)
        for size in options.sizes.split(","):
            first = None
            for seconds in (options.short, options.long):
                video, speech = folder / f"{seconds}.mp4", folder / f"{seconds}.wav"
                if first is None:
                    bench.make_video(video, size, seconds, encoder=("-c:v", "libx264", "-preset", "ultrafast", "-crf", "30"))
                else:  # the short one again and again, as coded packets
                    bench.ffmpeg("-stream_loop", -1, "-i", folder / f"{options.short}.mp4", "-t", seconds, "-c", "copy", video)
                bench.make_speech(speech, seconds)
                runs = options.runs if seconds == options.short else 1 if seconds > 300 else options.runs
                peaks = [bench.Run(bench.dub_words(omnisync, video, speech, folder / "out.mp4",
                                                   *options.options.split())).peak_kib / 1024 for _ in range(runs)]
                peak = statistics.median(peaks)
                first = first or peak
                worst = max(worst, peak / first)
                shown = ", ".join(f"{p:.1f}" for p in peaks)
                print(f"| {size} | {seconds} | {peak:.1f} | {shown} | {peak / first:.3f} |", flush=True)
    print(f"worst ratio {worst:.3f}: {'met' if worst <= 1.10 else 'NOT met'} (1.10)")
    return 0 if worst <= 1.10 else 1


if __name__ == "__main__":
    raise SystemExit(main())
