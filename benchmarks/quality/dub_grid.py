#!/usr/bin/env python3
"""Every clip dubbed with every speech, and what the result's mouths then do, as the report of the dub has it.

    benchmarks/quality/dub_grid.py [--omnisync PATH] [--models DIR] [--seconds 8] [--work DIR] [--json FILE] [CLIP ... --speech FILE ...]

Defaults: all of ../shared/media/video and ../shared/media/speech. A cell that --work holds is not made again.

Columns (docs/metrics.md): `follows` (must: 0.8); `old` opening_correlation with the source, and `chance` that of the plan with
it; `silence` (must: < 0.1); `jitter` (must: <= 1.3); `flicker`; `sharp` sharpness (must: 0.8 .. 1.2); `seam`; `identity`, the
distance of dlib's face descriptors of result and source (where --models has the network), and `1 s apart`, that of the source
with itself one second later (must: identity below it).
"""
import argparse
import json
import math
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
SHARED = pathlib.Path(os.environ.get("OMNISYNC_SHARED", HERE.parent.parent.parent / "shared"))
SILENCE_S = 1       # the end of each speech: few of them pause
COLUMNS = {"follows": "follows", "old": "opening_correlation", "chance": None, "silence": "silence", "jitter": "jitter",
           "flicker": "flicker", "sharp": "sharpness", "seam": "seam", "identity": "identity_distance", "1 s apart": None}


def pearson(pairs):
    pairs = [pair for pair in pairs if None not in pair]
    if len(pairs) < 2:
        return None
    ma, mb = (statistics.fmean(column) for column in zip(*pairs))
    aa = sum((a - ma) ** 2 for a, _ in pairs)
    bb = sum((b - mb) ** 2 for _, b in pairs)
    if aa < 1e-12 or bb < 1e-12:
        return None
    return sum((a - ma) * (b - mb) for a, b in pairs) / math.sqrt(aa * bb)


def measure(quality):
    """The columns of a report's `quality`."""
    figures = {column: quality["figures"][name]["value"] for column, name in COLUMNS.items() if name}
    course = lambda name: quality["courses"].get(name, {"values": []})["values"]
    figures["chance"] = pearson(list(zip(course("opening_planned"), course("opening_reference"))))
    figures["pictures"] = quality["measured"]
    return figures


class Grid:
    def __init__(self, options):
        self.omnisync = options.omnisync
        self.work = pathlib.Path(options.work or tempfile.mkdtemp(prefix="omnisync-grid-"))
        self.work.mkdir(parents=True, exist_ok=True)
        self.seconds = options.seconds
        self.models = ["--models", options.models] if options.models else []
        self.extra = options.dub_option
        self.apart = {}

    def identity_apart(self, clip):
        """Of the clip's first --seconds against themselves a second later; None where nothing measures it."""
        if clip not in self.apart:
            now, later = self.work / f"{clip.stem}.now.mkv", self.work / f"{clip.stem}.later.mkv"
            for path, start in (now, 0), (later, 1):
                subprocess.run(["ffmpeg", "-v", "error", "-y", "-ss", str(start), "-i", str(clip), "-t", str(self.seconds),
                                "-an", "-c:v", "ffv1", str(path)], check=True)
            words = [self.omnisync, "eval", later, "--reference", now, "--json", "--quiet", *self.models]
            done = subprocess.run([str(word) for word in words], capture_output=True, text=True)
            figures = json.loads(done.stdout)["figures"] if done.returncode == 0 else {}
            self.apart[clip] = figures.get("identity_distance", {}).get("value")
            now.unlink()
            later.unlink()
        return self.apart[clip]

    def speech(self, path):
        cut = self.work / f"{path.stem}.wav"
        if not cut.exists():
            graph = f"atrim=0:{self.seconds - SILENCE_S},apad=whole_dur={self.seconds}"
            subprocess.run(["ffmpeg", "-v", "error", "-y", "-i", str(path), "-af", graph, str(cut)], check=True)
        return cut

    def cell(self, clip, speech):
        name = f"{clip.stem}+{speech.stem}"
        kept = self.work / f"{name}.json"
        if kept.exists():
            return json.loads(kept.read_text())
        cell = {"clip": clip.name, "speech": speech.name}
        report = self.work / f"{name}.report.json"
        words = [self.omnisync, "dub", clip, self.speech(speech), "-o", self.work / f"{name}{clip.suffix}", "--report", report,
                 "--force", "--quiet", "--analysis", self.work / f"{clip.stem}.analysis", *self.models, *self.extra]
        begin = time.monotonic()
        done = subprocess.run([str(word) for word in words], capture_output=True, text=True)
        cell["seconds"] = time.monotonic() - begin
        if done.returncode:
            return {**cell, "problem": f"dub: exit {done.returncode}: {(done.stderr.strip().splitlines() or [''])[-1]}"}
        quality = json.loads(report.read_text())["quality"]
        if quality is None:
            return {**cell, "problem": "no mouth was redrawn"}
        cell.update(measure(quality))
        cell["1 s apart"] = self.identity_apart(clip) if cell["identity"] is not None else None
        kept.write_text(json.dumps(cell, indent=1))
        return cell


def text(value):
    return "" if value is None else f"{value:.2f}"


def print_table(cells):
    print("| clip | speech | pictures | " + " | ".join(COLUMNS) + " | |")
    print("|---|---|---|" + "---|" * (len(COLUMNS) + 1))
    for cell in cells:
        print(f"| {cell['clip']} | {cell['speech']} | {cell.get('pictures', '')} | "
              + " | ".join(text(cell.get(column)) for column in COLUMNS) + f" | {cell.get('problem', '')} |")
    middle = [statistics.median(v) if (v := [c[column] for c in cells if c.get(column) is not None]) else None
              for column in COLUMNS]
    print(f"| median | | {sum(cell.get('pictures', 0) for cell in cells)} | " + " | ".join(map(text, middle)) + " | |")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--omnisync", default=shutil.which("omnisync") or str(HERE.parent.parent / "build/bin/omnisync"))
    parser.add_argument("--models", help="as for omnisync dub")
    parser.add_argument("--seconds", type=float, default=8, help="of each speech, the last of them silent")
    parser.add_argument("--work", help="folder for results; default: a new temporary one")
    parser.add_argument("--json", help="all figures, as JSON")
    parser.add_argument("--speech", action="append", type=pathlib.Path)
    parser.add_argument("--dub-option", action="append", default=[], help="handed to omnisync dub, e.g. --dub-option=--strength=1.2")
    parser.add_argument("clips", nargs="*", type=pathlib.Path)
    options = parser.parse_args()
    clips = options.clips or sorted((SHARED / "media/video").glob("*.m*"))
    speeches = options.speech or sorted((SHARED / "media/speech").glob("*.wav"))
    if not clips or not speeches:
        sys.exit("no clips or no speech: name them, or set OMNISYNC_SHARED")
    grid = Grid(options)
    cells = []
    for clip in clips:
        for speech in speeches:
            cells.append(grid.cell(clip, speech))
            shown = {k: round(v, 3) if isinstance(v, float) else v for k, v in cells[-1].items()}
            print(f"{clip.name} + {speech.name}: {shown}", file=sys.stderr, flush=True)
            if options.json:
                pathlib.Path(options.json).write_text(json.dumps(cells, indent=1))
    print_table(cells)


if __name__ == "__main__":
    main()
