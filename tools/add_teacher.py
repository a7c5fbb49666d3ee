#!/usr/bin/env python3
"""Adds to shards of `omnisync prepare` what a speech recogniser's encoder hears in their clips.

`omnisync train motion` then teaches its ear to hear the same (knowledge distillation): few speakers are not enough to
learn what of a sound is the speaker and what is speech; the recogniser has heard very many. The encoder is Moonshine
Tiny's for English (Jeffries et al. 2024, arXiv:2410.15608; MIT licence), from PyPI's wheel moonshine-voice 0.0.4. What
its second block of six gives is taken: later ones hear words, English ones, and earlier ones still hear who speaks
(docs/adr/0007-taught-ear.md has figures).

    add_teacher.py SHARD.safetensors ...        (needs numpy, onnx, onnxruntime, moonshine-voice==0.0.4)

The shard is replaced by one that has besides:
    teacher        [H, 288] float16: what the block gave, clips end to end
    teacher_clips  [clips, 2] int64: first row and rows of every clip
    teacher_times  [2] float64: when in its clip a first row lies, and seconds from row to row
"""
import importlib.util
import json
import os
import pathlib
import struct
import sys
import tempfile

import numpy as np
import onnx
import onnxruntime

RATE_HZ = 16_000
# Three convolutions before its transformer: kernels 127, 7, 3 and strides 64, 3, 2, nothing padded.
STEP = 64 * 3 * 2
FIRST = (127 // 2) + 64 * (7 // 2) + 64 * 3 * (3 // 2)
LOUDNESS = 0.08  # root mean square at which a clip is played to it
HEARD = "/layers.1/Add_1_output_0"  # what the second block gives
SHORTEST = 127 + 64 * (6 + 3 * 2)  # samples that give a row


def encoder():
    """The encoder up to HEARD. The wheel has it in onnxruntime's own format, which nothing else can take apart."""
    folder = pathlib.Path(importlib.util.find_spec("moonshine_voice").submodule_search_locations[0])
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.add_session_config_entry("session.save_model_format", "ONNX")
    with tempfile.TemporaryDirectory() as scratch:
        whole, part = (os.path.join(scratch, name) for name in ("whole.onnx", "part.onnx"))
        options.optimized_model_filepath = whole
        onnxruntime.InferenceSession(folder / "assets/tiny-en/encoder_model.ort", options)
        model = onnx.load(whole)
        del model.graph.output[:]
        model.graph.output.append(onnx.helper.make_empty_tensor_value_info(HEARD))
        onnx.save(model, part)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1  # same sums on any machine's number of cores
        return onnxruntime.InferenceSession(part, options)


def read(path):
    """The shard's header and, by name, its tensors (mapped)."""
    with open(path, "rb") as file:
        size = struct.unpack("<Q", file.read(8))[0]
        header = json.loads(file.read(size))
    data = np.memmap(path, np.uint8, "r", 8 + size)
    kinds = {"I64": "<i8", "F64": "<f8", "F16": "<f2", "I16": "<i2", "U8": "u1"}
    metadata = header.pop("__metadata__", {})
    tensors = {}
    for name, about in header.items():
        first, end = about["data_offsets"]
        tensors[name] = data[first:end].view(kinds[about["dtype"]]).reshape(about["shape"])
    return metadata, tensors


def write(path, metadata, tensors):
    """Beside the old file, then in its place."""
    kinds = {"int64": "I64", "float64": "F64", "float16": "F16", "int16": "I16", "uint8": "U8"}
    header, at = {"__metadata__": metadata}, 0
    for name, tensor in tensors.items():
        header[name] = {"dtype": kinds[tensor.dtype.name], "shape": list(tensor.shape),
                        "data_offsets": [at, at + tensor.nbytes]}
        at += tensor.nbytes
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    made = f"{path}.part"
    with open(made, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        for tensor in tensors.values():
            file.write(tensor.tobytes())
    os.replace(made, path)


def heard(session, speech):
    """What the teacher hears in samples [n] int16: [rows, 288]."""
    sound = speech.astype(np.float32) / 32768
    sound *= LOUDNESS / (np.sqrt(np.mean(sound**2)) + 1e-6)
    sound = np.pad(sound, (0, max(STEP * 2, SHORTEST - len(sound))))[None]  # so that the clip's end is heard too
    return session.run([HEARD], {"input_values": sound, "attention_mask": np.ones(sound.shape, np.int64)})[0][0]


def add(session, path):
    metadata, tensors = read(path)
    rows = [heard(session, tensors["speech"][first:first + count]) for _, _, first, count in tensors["clips"]]
    counts = np.array([len(each) for each in rows])
    tensors["teacher"] = np.concatenate(rows).astype(np.float16)
    tensors["teacher_clips"] = np.stack([np.cumsum(counts) - counts, counts], 1)
    tensors["teacher_times"] = np.array([FIRST, STEP]) / RATE_HZ
    write(path, metadata, tensors)
    print(f"{path}: {len(rows)} clips, {counts.sum()} rows")


if __name__ == "__main__":
    if len(sys.argv) < 2 or sys.argv[1].startswith("-"):
        sys.exit(__doc__)
    teacher = encoder()
    for shard in sys.argv[1:]:
        add(teacher, shard)
