#!/usr/bin/env python3
"""Every clip dubbed with every speech, and what the result's mouths then do: followed again, as a stranger would see them.

    benchmarks/quality/dub_grid.py [--omnisync PATH] [--models DIR] [--seconds 8] [--work DIR] [--json FILE] [CLIP ... --speech FILE ...]

Defaults: all of ../shared/media/video and ../shared/media/speech. A cell that --work holds is not made again.

Columns: `follows` correlation of the opening found in the result with the one planned (must: 0.8); `old` with the source's
own motion, and `chance` of the plan with it; `silence` opening above rest in silence over that in speech (must: < 0.1);
`flicker` mean square of the opening's second difference, result over source (must: <= 1.3); `sharp` median variance of the
Laplacian within the outer lips, native pixels, result over source (must: 0.8 .. 1.2).
"""
import argparse
import csv
import json
import math
import os
import pathlib
import shutil
import statistics
import struct
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
SHARED = pathlib.Path(os.environ.get("OMNISYNC_SHARED", HERE.parent.parent.parent / "shared"))
SILENT_DB = 25      # below the speech's loud parts
QUIET_S = 0.12      # silence must last so long before and after a moment
SILENCE_S = 1       # the end of each speech: few of them pause
FEWEST = 25         # pictures of a track that say something
COLUMNS = ("follows", "old", "chance", "silence", "flicker", "sharp")


def pearson(a, b):
    if len(a) < 2:
        return None
    ma, mb = statistics.fmean(a), statistics.fmean(b)
    aa = sum((x - ma) ** 2 for x in a)
    bb = sum((y - mb) ** 2 for y in b)
    if aa < 1e-12 or bb < 1e-12:
        return None
    return sum((x - ma) * (y - mb) for x, y in zip(a, b)) / math.sqrt(aa * bb)


def table(path):
    with open(path, newline="") as file:
        return list(csv.DictReader(file))


def run(words, log):
    begin = time.monotonic()
    done = subprocess.run([str(word) for word in words], capture_output=True, text=True)
    log.write_text(f"{' '.join(str(word) for word in words)}\n{done.stdout}{done.stderr}")
    return done.returncode, time.monotonic() - begin, (done.stderr.strip().splitlines() or [""])[-1]


def silences(path):
    """True for each 10 ms of a sound when it and what is around it is silent."""
    raw = subprocess.run(["ffmpeg", "-v", "error", "-i", str(path), "-ac", "1", "-ar", "16000", "-f", "s16le", "-"],
                         capture_output=True, check=True).stdout
    samples = struct.unpack(f"<{len(raw) // 2}h", raw[: len(raw) // 2 * 2])
    power = [sum(s * s for s in samples[i:i + 160]) / 160 + 1 for i in range(0, len(samples) - 159, 160)]
    loud = sorted(power)[int(0.9 * (len(power) - 1))]
    still = [p < loud / 10 ** (SILENT_DB / 10) for p in power]
    reach = int(QUIET_S * 100)
    return [all(still[max(0, i - reach):i + reach + 1]) for i in range(len(still))]


def second_difference(rows, value):
    """Mean square over runs of neighbouring pictures."""
    squares = []
    for a, b, c in zip(rows, rows[1:], rows[2:]):
        if c["picture"] - a["picture"] == 2:
            squares.append((value(a) - 2 * value(b) + value(c)) ** 2)
    return statistics.fmean(squares) if squares else None


def joined(plan, found, source):
    """Plan rows with the result's mouth nearest to where the source has that track's, by track."""
    places = {}
    for row in source:
        places.setdefault(row["track"], []).append((float(row["mouth_x"]), float(row["mouth_y"])))
    places = {track: tuple(statistics.median(axis) for axis in zip(*points)) for track, points in places.items()}
    by_frame = {}
    for row in found:
        by_frame.setdefault(int(row["frame"]), []).append(row)
    tracks = {}
    for row in plan:
        here = by_frame.get(int(row["picture"]), [])
        place = places.get(row["track"])
        if not here or place is None:
            continue
        nearest = min(here, key=lambda one: math.dist(place, (float(one["mouth_x"]), float(one["mouth_y"]))))
        tracks.setdefault(row["track"], []).append(
            {"picture": int(row["picture"]), "time": float(row["time_s"]), "planned": float(row["planned_opening"]),
             "source": float(row["source_opening"]), "found": float(nearest["opening"]),
             "sharp": float(nearest["sharpness"])})
    return tracks


def ratio(a, b):
    return a / b if a is not None and b else None


def measure(plan, found, source, silent):
    tracks = {track: rows for track, rows in joined(plan, found, source).items() if len(rows) >= FEWEST}
    sums = {column: [] for column in COLUMNS}
    for track, rows in tracks.items():
        add = lambda column, value: value is not None and sums[column].append((value, len(rows)))
        column = lambda name: [row[name] for row in rows]
        add("follows", pearson(column("found"), column("planned")))
        add("old", pearson(column("found"), column("source")))
        add("chance", pearson(column("planned"), column("source")))
        add("flicker", ratio(second_difference(rows, lambda row: row["found"]),
                             second_difference(rows, lambda row: row["source"])))
        own = [float(row["sharpness"]) for row in source if row["track"] == track]
        add("sharp", ratio(statistics.median(column("sharp")), statistics.median(own)))
        rest = sorted(column("source"))[len(rows) // 10]
        quiet = lambda row: silent[min(len(silent) - 1, max(0, int(row["time"] * 100)))]
        in_silence = [row["found"] - rest for row in rows if quiet(row)]
        in_speech = [row["found"] - rest for row in rows if not quiet(row)]
        if len(in_silence) >= 5 and len(in_speech) >= 5:
            add("silence", ratio(statistics.fmean(in_silence), statistics.fmean(in_speech)))
    figures = {name: sum(v * n for v, n in values) / sum(n for _, n in values) if values else None
               for name, values in sums.items()}
    figures["pictures"] = sum(len(rows) for rows in tracks.values())
    return figures


class Grid:
    def __init__(self, options):
        self.omnisync = options.omnisync
        self.work = pathlib.Path(options.work or tempfile.mkdtemp(prefix="omnisync-grid-"))
        self.work.mkdir(parents=True, exist_ok=True)
        self.seconds = options.seconds
        self.models = ["--models", options.models] if options.models else []
        self.extra = options.dub_option

    def speech(self, path):
        cut = self.work / f"{path.stem}.wav"
        if not cut.exists():
            graph = f"atrim=0:{self.seconds - SILENCE_S},apad=whole_dur={self.seconds}"
            subprocess.run(["ffmpeg", "-v", "error", "-y", "-i", str(path), "-af", graph, str(cut)], check=True)
        return cut

    def follow(self, video, name):
        """Its mouths, or None with why not."""
        output = self.work / f"{name}.mouths.csv"
        if not output.exists():
            code, _, last = run([self.omnisync, "inspect", video, "--analysis", self.work / f"{name}.analysis", "--landmarks",
                                 output, "--force", "--quiet", *self.models], self.work / f"{name}.inspect.log")
            if code:
                return None, f"inspect: exit {code}: {last}"
        return table(output), ""

    def cell(self, clip, speech):
        name = f"{clip.stem}+{speech.stem}"
        kept = self.work / f"{name}.json"
        if kept.exists():
            return json.loads(kept.read_text())
        cell = {"clip": clip.name, "speech": speech.name}
        source, problem = self.follow(clip, clip.stem)
        if source is None:
            return {**cell, "problem": problem}
        result = self.work / f"{name}{clip.suffix}"
        plan = self.work / f"{name}.plan.csv"
        sound = self.speech(speech)
        code, cell["seconds"], last = run([self.omnisync, "dub", clip, sound, "-o", result, "--plan", plan, "--force", "--quiet",
                                           "--analysis", self.work / f"{clip.stem}.analysis", *self.models, *self.extra],
                                          self.work / f"{name}.dub.log")
        if code:
            return {**cell, "problem": f"dub: exit {code}: {last}"}
        found, problem = self.follow(result, name)
        if found is None:
            return {**cell, "problem": problem}
        cell.update(measure(table(plan), found, source, silences(sound)))
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


def self_test():
    """A result that does as planned, and one that still does as the source did."""
    wave = lambda f: [3 + 2 * math.sin(f * i) for i in range(100)]
    new, old = wave(0.37), wave(0.9)
    plan = [{"picture": str(i), "time_s": str(i / 25), "track": "1", "planned_opening": str(new[i]), "source_opening": str(old[i])}
            for i in range(100)]
    mouth = lambda values: [{"frame": str(i), "track": "7", "opening": str(v), "mouth_x": "50", "mouth_y": "60", "sharpness": "9"}
                            for i, v in enumerate(values)]
    stray = [{**row, "track": "8", "mouth_x": "300", "opening": "0"} for row in mouth(old)]
    source = [{**row, "track": "1"} for row in mouth(old)]
    silent = [t > 300 for t in range(400)]
    good = measure(plan, mouth(new) + stray, source, silent)
    assert good["follows"] > 0.99 and abs(good["old"]) < 0.2 and good["flicker"] < 1 and good["sharp"] == 1, good
    bad = measure(plan, mouth(old), source, silent)
    assert bad["old"] > 0.99 and abs(bad["follows"]) < 0.2 and abs(bad["flicker"] - 1) < 1e-9, bad
    assert measure(plan, [], source, silent)["pictures"] == 0
    print("the grid's measures are sound")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--omnisync", default=shutil.which("omnisync") or str(HERE.parent.parent / "build/bin/omnisync"))
    parser.add_argument("--models", help="as for omnisync dub")
    parser.add_argument("--seconds", type=float, default=8, help="of each speech, the last of them silent")
    parser.add_argument("--work", help="folder for results; default: a new temporary one")
    parser.add_argument("--json", help="all figures, as JSON")
    parser.add_argument("--speech", action="append", type=pathlib.Path)
    parser.add_argument("--dub-option", action="append", default=[], help="handed to omnisync dub, e.g. --dub-option=--strength=1.2")
    parser.add_argument("--self-test", action="store_true", help="checks the measures on made-up mouths")
    parser.add_argument("clips", nargs="*", type=pathlib.Path)
    options = parser.parse_args()
    if options.self_test:
        return self_test()
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
