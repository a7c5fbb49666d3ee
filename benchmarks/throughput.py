#!/usr/bin/env python3
"""Frames a second of `omnisync dub --engine none` against the ffmpeg program with the same encoder settings.

Alternated A B A B in one run, so that what else the machine does hits both alike. Acceptance: median ratio at least 0.9.

    benchmarks/throughput.py [--omnisync PATH] [--size 1920x1080] [--seconds 10] [--pairs 5] [--video FILE]
"""
import argparse
import pathlib
import re
import shlex
import statistics

import media_bench as bench


def encoder_options(report):
    """The encoder's settings from the report's words, "libx264 crf=14 preset=faster yuv420p", as ffmpeg options."""
    words = report["output"]["video_encoder"].split()
    options = ["-c:v", words[0]]
    for word in words[1:]:
        name, equals, value = word.partition("=")
        if equals:
            options += [f"-{name}", value]
        elif re.fullmatch(r"[a-z]+[0-9a-z]*", word):
            options += ["-pix_fmt", word]
    return options


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--omnisync")
    parser.add_argument("--size", default="1920x1080")
    parser.add_argument("--seconds", type=int, default=10)
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--video", help="measure this file instead of a made one")
    parser.add_argument("--options", default="", help="given to omnisync dub, e.g. '--preset ultrafast'")
    options = parser.parse_args()
    omnisync = bench.command(options.omnisync)
    with bench.scratch() as folder:
        folder = pathlib.Path(folder)
        video, speech = folder / "video.mp4", folder / "speech.wav"
        if options.video:
            video = pathlib.Path(options.video)
        else:
            bench.make_video(video, options.size, options.seconds)
        bench.make_speech(speech, 3600 if options.video else options.seconds)
        ours = bench.dub_words(omnisync, video, speech, folder / "a.mp4", "--sync", "silence", "--audio-out", "aac",
                               *shlex.split(options.options))
        bench.Run([*ours, "--report", folder / "report.json"])
        report = bench.read_json(folder / "report.json")
        frames = report["output"]["frames"]
        theirs = ["ffmpeg", "-v", "error", "-nostdin", "-y", "-i", video, "-i", speech, "-map", "0:v:0", "-map", "1:a",
                  *encoder_options(report), "-c:a", "aac", "-fps_mode", "passthrough", "-enc_time_base", "-1",
                  "-shortest", folder / "b.mp4"]
        print(f"machine: {bench.machine()}\nsettings: {report['output']['video_encoder']}; {frames} frames")
        print("ffmpeg: " + shlex.join(map(str, theirs)))
        print("| pair | omnisync frames/s | ffmpeg frames/s | ratio | CPU s omnisync | CPU s ffmpeg |\n|---|---|---|---|---|---|")
        ratios, cpu = [], []
        for pair in range(1, options.pairs + 1):
            a = bench.Run(ours)
            b = bench.Run(theirs)
            ratios.append(b.wall_s / a.wall_s)
            cpu.append(a.cpu_s / b.cpu_s)
            print(f"| {pair} | {frames / a.wall_s:.1f} | {frames / b.wall_s:.1f} | {ratios[-1]:.3f} | {a.cpu_s:.1f} | {b.cpu_s:.1f} |",
                  flush=True)
    median = statistics.median(ratios)
    print(f"median ratio {median:.3f} (CPU time {statistics.median(cpu):.3f} of ffmpeg's): "
          f"{'met' if median >= 0.9 else 'NOT met'} (0.9)")
    return 0 if median >= 0.9 else 1


if __name__ == "__main__":
    raise SystemExit(main())
