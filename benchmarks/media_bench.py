"""What the media benchmarks share: test videos, timed runs, the machine in one line."""
import json
import os
import pathlib
import platform
import subprocess
import sys
import tempfile
import time


def command(arguments_path=None):
    """The omnisync to measure: --omnisync, $OMNISYNC_COMMAND, or the release build's."""
    for place in (arguments_path, os.environ.get("OMNISYNC_COMMAND")):
        if place:
            return place
    root = pathlib.Path(__file__).resolve().parent.parent
    for build in ("build/release", "build-release", "build"):
        if (root / build / "bin/omnisync").is_file():
            return str(root / build / "bin/omnisync")
    sys.exit("no omnisync found: build it, or give --omnisync PATH")


def machine():
    model = "unknown CPU"
    for line in open("/proc/cpuinfo", encoding="utf-8"):
        if line.startswith("model name"):
            model = line.split(":", 1)[1].strip()
            break
    return f"{model}, {os.cpu_count()} cores, {platform.system()} {platform.release()}, load {os.getloadavg()[0]:.1f}"


def ffmpeg(*words):
    subprocess.run(["ffmpeg", "-v", "error", "-nostdin", "-y", *map(str, words)], check=True,
                   env={**os.environ, "SVT_LOG": "1"})


def make_video(path, size, seconds, rate=25, encoder=("-c:v", "libx264", "-preset", "veryfast", "-crf", "20")):
    """A moving picture with noise, so that the encoder has real work, and a tone."""
    source = f"testsrc2=s={size}:r={rate}:d={seconds},noise=alls=12:allf=t"
    ffmpeg("-f", "lavfi", "-i", source, "-f", "lavfi", "-i", f"sine=r=48000:d={seconds}", *encoder,
           "-pix_fmt", "yuv420p", "-c:a", "aac", "-shortest", path)


def make_speech(path, seconds):
    ffmpeg("-f", "lavfi", "-i", f"sine=330:r=48000:d={seconds}", "-c:a", "pcm_s16le", path)


class Run:
    """One finished run: wall seconds, CPU seconds, peak resident set in KiB."""

    def __init__(self, words):
        begin = time.monotonic()
        child = subprocess.Popen([str(w) for w in words], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                 stderr=subprocess.PIPE)
        message = child.stderr.read().decode(errors="replace")
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
        if child.returncode != 0:
            sys.exit(f"{' '.join(map(str, words))}\nexit code {child.returncode}\n{message}")
        self.wall_s = time.monotonic() - begin
        self.cpu_s = usage.ru_utime + usage.ru_stime
        self.peak_kib = usage.ru_maxrss


def dub_words(omnisync, video, speech, out, *extra):
    return [omnisync, "--quiet", "dub", video, speech, "-o", out, "--engine", "none", "--force", *extra]


def read_json(path):
    with open(path, encoding="utf-8") as file:
        return json.load(file)


def scratch():
    return tempfile.TemporaryDirectory(prefix="omnisync-bench-")
