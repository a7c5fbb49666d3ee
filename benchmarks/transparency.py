#!/usr/bin/env python3
"""How near the default re-encode comes to its source: PSNR and SSIM per codec family, and what it costs in size.

    benchmarks/transparency.py [--omnisync PATH] [VIDEO ...]

Without videos: the shared clips, each first coded in every family as a source of good quality.
"""
import argparse
import math
import os
import pathlib
import re
import subprocess

import media_bench as bench

FAMILIES = [
    ("h264", ".mp4", ["-c:v", "libx264", "-preset", "fast", "-crf", "20"]),
    ("hevc", ".mp4", ["-c:v", "libx265", "-preset", "fast", "-crf", "22", "-tag:v", "hvc1", "-x265-params", "log-level=none"]),
    ("vp9", ".webm", ["-c:v", "libvpx-vp9", "-crf", "28", "-b:v", "0", "-deadline", "good", "-cpu-used", "6", "-row-mt", "1"]),
    ("av1", ".mp4", ["-c:v", "libsvtav1", "-preset", "10", "-crf", "30"]),
    ("mpeg4", ".mp4", ["-c:v", "mpeg4", "-q:v", "3"]),
    ("mpeg2", ".ts", ["-c:v", "mpeg2video", "-q:v", "3"]),
    ("prores", ".mov", ["-c:v", "prores_ks", "-profile:v", "2", "-pix_fmt", "yuv422p10le"]),
]


def measure(source, result):
    """Mean PSNR of luma and of all planes in dB (from the mean squared error of all frames), mean SSIM."""
    graph = "[0:v:0]settb=1/1000,setpts=N,split[a][c];[1:v:0]settb=1/1000,setpts=N,split[b][d];[a][b]psnr[x];[c][d]ssim[y]"
    done = subprocess.run(["ffmpeg", "-hide_banner", "-nostdin", "-i", str(source), "-i", str(result), "-lavfi", graph, "-map", "[x]",
                           "-map", "[y]", "-f", "null", "-"], capture_output=True, text=True, check=True)
    psnr = re.search(r"PSNR y:(\S+) .*average:(\S+)", done.stderr)
    ssim = re.search(r"SSIM .*All:(\S+)", done.stderr)
    return float(psnr[1]), float(psnr[2]), float(ssim[1])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--omnisync")
    parser.add_argument("--seconds", type=float, default=3)
    parser.add_argument("videos", nargs="*")
    options = parser.parse_args()
    omnisync = bench.command(options.omnisync)
    videos = options.videos
    if not videos:
        shared = pathlib.Path(os.environ.get("OMNISYNC_SHARED", pathlib.Path(__file__).resolve().parent.parent.parent / "shared"))
        videos = [shared / "media/video" / name for name in
                  ("generated_person_24fps.mp4", "two_faces_turns_24fps.mp4", "hard_cuts_no_face_29.97fps.mp4", "glasses_fringe_25fps.mp4")]
        videos = [video for video in videos if video.exists()]
    print(f"machine: {bench.machine()}")
    print("| codec | clip | encoder and settings | PSNR Y dB | PSNR dB | SSIM | size / source |\n|---|---|---|---|---|---|---|")
    with bench.scratch() as folder:
        folder = pathlib.Path(folder)
        bench.make_speech(folder / "speech.wav", math.ceil(options.seconds) + 1)
        for codec, extension, encode in FAMILIES:
            worst = (1e9, 1e9, 1e9)
            for video in videos:
                source, out = folder / f"source{extension}", folder / f"out{extension}"
                bench.ffmpeg("-t", options.seconds, "-i", video, "-map", "0:v:0", *encode, source)
                bench.Run(bench.dub_words(omnisync, source, folder / "speech.wav", out, "--sync", "silence", "--report",
                                          folder / "report.json"))
                report = bench.read_json(folder / "report.json")
                figures = measure(source, out)
                worst = tuple(min(a, b) for a, b in zip(worst, figures))
                print(f"| {codec} | {pathlib.Path(video).stem} | {report['output']['video_encoder']} | {figures[0]:.2f} | {figures[1]:.2f} | "
                      f"{figures[2]:.5f} | {out.stat().st_size / source.stat().st_size:.2f} |", flush=True)
            print(f"| {codec} | **worst** | | {worst[0]:.2f} | {worst[1]:.2f} | {worst[2]:.5f} | |", flush=True)


if __name__ == "__main__":
    main()
