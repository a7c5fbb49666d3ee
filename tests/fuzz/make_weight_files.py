#!/usr/bin/env python3
"""Makes tests/fuzz/corpus/weights: small files of weights, whole ones in good/ and one for each way of being wrong in bad/
(40 and more). Pickles and ZIP archives are Python's own, laid out as torch.save lays them out; nothing of PyTorch is needed.
Run it after a change and commit what it writes; the same script writes the same bytes."""
import collections
import io
import json
import pathlib
import pickle
import shutil
import struct
import sys
import types
import zipfile

FOLDER = pathlib.Path(__file__).parent / "corpus" / "weights"


# --- safetensors -------------------------------------------------------------------------------------------------------

def safetensors(header, data=b"", length=None):
    text = header if isinstance(header, bytes) else json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8) if not isinstance(header, bytes) else b""
    return struct.pack("<Q", len(text) if length is None else length) + text + data


def entry(dtype="F32", shape=(2, 3), begin=0, end=24):
    return {"dtype": dtype, "shape": list(shape), "data_offsets": [begin, end]}


FLOATS = struct.pack("<6f", 0, 0.5, -1, 2, -3.25, 4)


def one(**changes):
    return {"w": {**entry(), **changes}}


# --- pickles and archives ----------------------------------------------------------------------------------------------

class Storage:
    def __init__(self, kind, key, elements):
        self.kind, self.key, self.elements = kind, key, elements


class Tensor:
    """Pickled as torch.Tensor is."""
    def __init__(self, storage, offset, size, stride):
        self.parts = (storage, offset, size, stride, False, collections.OrderedDict())

    def __reduce__(self):
        return sys.modules["torch._utils"]._rebuild_tensor_v2, self.parts


class Parameter:
    """Pickled as torch.nn.Parameter is."""
    def __init__(self, tensor):
        self.tensor = tensor

    def __reduce__(self):
        return sys.modules["torch._utils"]._rebuild_parameter, (self.tensor, True, collections.OrderedDict())


def fake_torch():
    torch, utils = types.ModuleType("torch"), types.ModuleType("torch._utils")
    for name in ("Double", "Float", "Half", "BFloat16", "Long", "Int", "Short", "Char", "Byte", "Bool", "ComplexFloat"):
        kind = type(name + "Storage", (), {})
        kind.__module__ = "torch"
        setattr(torch, name + "Storage", kind)
    for name in ("_rebuild_tensor_v2", "_rebuild_parameter", "_rebuild_device_tensor_from_numpy"):
        def function(*_):
            raise RuntimeError("never called")
        function.__module__, function.__name__, function.__qualname__ = "torch._utils", name, name
        setattr(utils, name, function)
    torch._utils = utils
    sys.modules.update({"torch": torch, "torch._utils": utils})
    return torch


TORCH = fake_torch()


class Pickler(pickle.Pickler):
    def persistent_id(self, value):
        if isinstance(value, Storage):
            return "storage", getattr(TORCH, value.kind + "Storage"), value.key, "cpu", value.elements
        return None


def pickled(value, protocol=2):
    stream = io.BytesIO()
    Pickler(stream, protocol).dump(value)
    return stream.getvalue()


def archive(value=None, parts=None, pickle_bytes=None, byteorder=b"little", compression=zipfile.ZIP_STORED, root="archive",
            protocol=2, extra=()):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", compression) as file:
        def add(name, data, how=compression):
            info = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            info.compress_type = how
            file.writestr(info, data)
        if pickle_bytes is not None or value is not None:
            add(f"{root}/data.pkl", pickle_bytes if pickle_bytes is not None else pickled(value, protocol))
        if byteorder is not None:
            add(f"{root}/byteorder", byteorder)
        for key, data in (parts or {}).items():
            add(f"{root}/data/{key}", data)
        for name, data in extra:
            add(name, data)
        add(f"{root}/version", b"3\n")
    return stream.getvalue()


def state(**tensors):
    result = collections.OrderedDict(tensors)
    result._metadata = collections.OrderedDict({"": {"version": 1}})  # what nn.Module.state_dict() adds
    return result


def plain(key="0", kind="Float", elements=6, offset=0, size=(2, 3), stride=(3, 1)):
    return Tensor(Storage(kind, key, elements), offset, size, stride)


class Call:
    """What a pickle that runs something looks like."""
    def __init__(self, function, *arguments):
        self.parts = function, arguments

    def __reduce__(self):
        return self.parts


def patched(data, old, new, count=1):
    assert data.count(old) >= 1, old
    return data.replace(old, new, count)


def good_files():
    mixed = {"__metadata__": {"format": "pt", "note": "\u00e4\u20ac"}, "a": entry("F64", (1,), 0, 8), "b": entry("I64", (1,), 8, 16),
             "c": entry("F32", (2,), 16, 24), "d": entry("BF16", (2, 1), 24, 28), "e": entry("F16", (2,), 28, 32),
             "f": entry("I8", (3,), 32, 35), "g": entry("BOOL", (), 35, 36), "h": entry("F8_E4M3", (0, 7), 36, 36),
             "i": entry("U8", (4,), 36, 40)}
    yield "plain.safetensors", safetensors(one(), FLOATS)
    yield "every_type.safetensors", safetensors(mixed, bytes(40))
    yield "unaligned.safetensors", safetensors(b'{"w":{"dtype":"F32","shape":[2,3],"data_offsets":[0,24]}}   ', FLOATS)
    yield "metadata_only.safetensors", safetensors({"__metadata__": {"format": "pt"}})
    yield "quantised.safetensors", safetensors({"w": entry("I8", (2, 3), 8, 14), "w.scale": entry("F32", (2,), 0, 8)}, bytes(14))
    yield "state.pt", archive(state(**{"w": plain(), "tied": plain()}), {"0": FLOATS})
    yield "nested.pt", archive({"dims": {"n_mels": 80, "ratio": 0.5, "name": "tiny", "on": True, "off": None},
                                "model_state_dict": {"encoder.conv1.weight": plain(kind="Half"), "t": plain("1", size=(3, 2), stride=(1, 3)),
                                                     "list": [plain("1", offset=2, size=(4,), stride=(1,)), 7]}},
                               {"0": bytes(12), "1": FLOATS}, protocol=4)
    yield "parameters.pt", archive({"w": Parameter(plain(kind="BFloat16", elements=8, offset=2))}, {"0": bytes(16)}, byteorder=None,
                                   protocol=3, root="model")
    yield "set.safetensors.index.json", json.dumps({"metadata": {"total_size": 48}, "weight_map": {
        "w": "set-1.safetensors", "v": "set-2.safetensors"}}).encode()
    yield "set-1.safetensors", safetensors(one(), FLOATS)
    yield "set-2.safetensors", safetensors({"v": entry()}, FLOATS)


def bad_safetensors():
    two = {"a": entry("F32", (3,), 0, 12), "b": entry("F32", (3,), 12, 24)}
    yield "empty", b""
    yield "seven_bytes", b"\x08\0\0\0\0\0\0"
    yield "length_2_63", safetensors(one(), FLOATS, 1 << 63)
    yield "length_beyond_the_file", safetensors(one(), FLOATS, 4096)
    yield "length_too_small", safetensors(one(), FLOATS, 24)
    yield "header_is_a_list", safetensors(b"[1, 2]  ", FLOATS)
    yield "header_is_text", safetensors(b'"weights"', FLOATS)
    yield "header_is_no_json", safetensors(b"{w: F32}", FLOATS)
    yield "header_is_not_utf8", safetensors(b'{"\xff\xfe":1}', FLOATS)
    yield "header_nested_deep", safetensors(b'{"w":' + b"[" * 3000 + b"]" * 3000 + b"}", FLOATS)
    yield "metadata_is_a_number", safetensors({"__metadata__": 1, **one()}, FLOATS)
    yield "metadata_holds_a_number", safetensors({"__metadata__": {"a": 1}, **one()}, FLOATS)
    yield "tensor_is_a_number", safetensors({"w": 1}, FLOATS)
    yield "member_unknown", safetensors(one(strides=[1, 2]), FLOATS)
    yield "dtype_missing", safetensors({"w": {"shape": [6], "data_offsets": [0, 24]}}, FLOATS)
    yield "dtype_unknown", safetensors(one(dtype="F7"), FLOATS)
    yield "dtype_is_a_number", safetensors(one(dtype=4), FLOATS)
    yield "shape_negative", safetensors(one(shape=[-2, -3]), FLOATS)
    yield "shape_overflows", safetensors(one(shape=[1 << 32, 1 << 32, 16]), FLOATS)
    yield "shape_2_63", safetensors(one(shape=[1 << 63]), FLOATS)
    yield "shape_empty_but_vast", safetensors(one(shape=[0, 1 << 62, 1 << 62], data_offsets=[0, 0]))
    yield "shape_of_fractions", safetensors(one(shape=[2.5, 2]), FLOATS)
    yield "shape_of_40_sides", safetensors(one(shape=[1] * 39 + [6]), FLOATS)
    yield "shape_and_bytes_disagree", safetensors(one(shape=[5]), FLOATS)
    yield "offsets_backward", safetensors(one(data_offsets=[24, 0]), FLOATS)
    yield "offsets_2_63", safetensors(one(data_offsets=[1 << 63, (1 << 63) + 24]), FLOATS)
    yield "offsets_2_70", safetensors(one(data_offsets=[0, 1 << 70]), FLOATS)
    yield "offsets_three", safetensors(one(data_offsets=[0, 12, 24]), FLOATS)
    yield "name_twice", safetensors(b'{"w":{"dtype":"F32","shape":[3],"data_offsets":[0,12]},"w":{"dtype":"F32","shape":[3],"data_offsets":[12,24]}}', FLOATS)
    yield "alias", safetensors({"a": entry(), "b": entry()}, FLOATS)
    yield "overlap", safetensors({**two, "b": entry("F32", (3,), 8, 20)}, FLOATS)
    yield "gap", safetensors({**two, "b": entry("F32", (2,), 16, 24)}, FLOATS)
    yield "bytes_left_over", safetensors(one(), FLOATS + bytes(8))
    yield "cut_short", safetensors(one(), FLOATS)[:-3]
    yield "another_format", b"\x89PNG\r\n\x1a\n" + bytes(64)


def bad_archives():
    whole = archive({"w": plain()}, {"0": FLOATS})
    zeros = bytes(1 << 20)
    yield "cut_in_half", whole[:len(whole) // 2]
    yield "no_end", whole[:-30]
    yield "no_pickle", archive(None, {"0": FLOATS})
    yield "two_pickles", archive({"w": plain()}, {"0": FLOATS}, extra=[("other/data.pkl", b"\x80\x02N.")])
    yield "compressed_bomb", archive({"w": plain(elements=1 << 18, size=(1 << 18,), stride=(1,))}, {"0": zeros}, compression=zipfile.ZIP_DEFLATED)
    yield "entry_outside", patched(whole, struct.pack("<II", 24, 24), struct.pack("<II", 1 << 30, 1 << 30), 2)
    yield "entries_overlap", overlapping()
    yield "entry_twice", archive({"w": plain()}, {"0": FLOATS}, extra=[("archive/data/0", FLOATS)])
    yield "encrypted", encrypted(whole)
    yield "big_endian", archive({"w": plain()}, {"0": FLOATS}, byteorder=b"big")
    yield "storage_missing", archive({"w": plain("9")}, {"0": FLOATS})
    yield "storage_too_short", archive({"w": plain(elements=7)}, {"0": FLOATS})
    yield "storage_2_62", archive({"w": plain(elements=1 << 62)}, {"0": FLOATS})
    yield "tensor_beyond_its_storage", archive({"w": plain(offset=1)}, {"0": FLOATS})
    yield "tensor_before_its_storage", archive({"w": plain(offset=-1)}, {"0": FLOATS})
    yield "tensor_strides_wide", archive({"w": plain(stride=(1 << 62, 1))}, {"0": FLOATS})
    yield "tensor_strides_negative", archive({"w": plain(stride=(-3, 1))}, {"0": FLOATS})
    yield "tensor_repeats_its_storage", archive({"w": plain(size=(1 << 40, 6), stride=(0, 1))}, {"0": FLOATS})
    yield "tensor_shape_overflows", archive({"w": plain(size=(1 << 33, 1 << 33), stride=(0, 0))}, {"0": FLOATS})
    yield "complex_numbers", archive({"w": plain(kind="ComplexFloat", elements=3, size=(3,), stride=(1,))}, {"0": FLOATS})
    yield "runs_a_command", archive({"w": Call(__import__("os").system, "touch owned")}, {"0": FLOATS})
    yield "runs_eval", archive({"w": Call(eval, "1")}, {"0": FLOATS}, protocol=4)
    yield "asks_for_another_function", archive({"w": Call(TORCH._utils._rebuild_device_tensor_from_numpy, 1)}, {"0": FLOATS})
    yield "holds_no_dictionary", archive(7, {"0": FLOATS})
    loop = {}
    loop["loop"] = loop
    yield "holds_itself", archive(loop, {"0": FLOATS})
    bomb = []
    for _ in range(30):
        bomb = [bomb, bomb]
    yield "lists_of_lists", archive(bomb, {"0": FLOATS})
    yield "name_twice", archive({"a": {"b": plain()}, "a.b": plain()}, {"0": FLOATS})
    yield "key_is_a_tuple", archive({(1, 2): plain()}, {"0": FLOATS})
    yield "protocol_5", archive(None, {"0": FLOATS}, b"\x80\x05}.")
    yield "pickle_empty", archive(None, {"0": FLOATS}, b"")
    yield "pickle_cut_short", archive(None, {"0": FLOATS}, pickled({"w": plain()})[:-9])
    yield "pickle_pops_nothing", archive(None, {"0": FLOATS}, b"\x80\x02s.")
    yield "pickle_text_of_4_gib", archive(None, {"0": FLOATS}, b"\x80\x02X\xff\xff\xff\xffabc.")
    yield "pickle_recalls_nothing", archive(None, {"0": FLOATS}, b"\x80\x02}h\x05.")
    yield "pickle_leaves_values", archive(None, {"0": FLOATS}, b"\x80\x02}}.")
    yield "pickle_of_protocol_0", archive(None, {"0": FLOATS}, b"(dp0\n.")
    yield "pickle_number_of_9_bytes", archive(None, {"0": FLOATS}, b"\x80\x02\x8a\x09" + bytes(9) + b".")
    yield "before_torch_1_6", b"\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19\x2e\x80\x02M\xe9\x03."


def overlapping():
    """The second storage's entry is said to begin where the first one's does."""
    data = bytearray(archive({"w": plain()}, {"0": FLOATS, "1": FLOATS}))
    directory = data.find(b"PK\x01\x02")
    places = {}
    while data[directory:directory + 4] == b"PK\x01\x02":
        size, extra, comment = struct.unpack_from("<HHH", data, directory + 28)
        places[bytes(data[directory + 46:directory + 46 + size])] = directory
        directory += 46 + size + extra + comment
    first = struct.unpack_from("<I", data, places[b"archive/data/0"] + 42)[0]
    inner = first + 30 + len("archive/data/0") + 4
    # A header of its own inside the first entry's bytes.
    name = b"archive/data/1"
    struct.pack_into("<I", data, places[name] + 42, inner)
    header = struct.pack("<IHHHHHIIIHH", 0x04034B50, 20, 0, 0, 0, 33, 0, 24, 24, len(name), 0) + name
    data[inner:inner + len(header)] = header
    return bytes(data)


def encrypted(data):
    changed = bytearray(data)
    place = changed.find(b"PK\x01\x02")
    changed[place + 8] |= 1
    return bytes(changed)


def bad_sets():
    def index(weight_map, **more):
        return json.dumps({"weight_map": weight_map, **more}).encode()
    yield "missing_shard", index({"a": "whole.safetensors", "w": "nowhere-2.safetensors", "v": "nowhere-3.safetensors"})
    yield "tensor_not_in_its_shard", index({"w": "whole.safetensors", "x": "whole.safetensors"})
    yield "tensor_in_two_shards", index({"w": "whole.safetensors", "v": "whole-too.safetensors"})
    yield "tensor_not_listed", index({"v": "whole-too.safetensors"})
    yield "leaves_its_folder", index({"w": "../whole.safetensors"})
    yield "file_is_a_number", index({"w": 5})
    yield "no_weight_map", b'{"metadata": {}}'
    yield "empty_map", index({})
    yield "key_twice", b'{"weight_map":{"w":"whole.safetensors","w":"whole-too.safetensors"}}'
    yield "truncated_shard", index({"w": "cut.safetensors"})
    yield "no_json", b'{"weight_map": {"w": "whole.safeten'


def main():
    shutil.rmtree(FOLDER, ignore_errors=True)
    (FOLDER / "good").mkdir(parents=True)
    for folder in ("bad", "shards", "scan"):
        (FOLDER / folder).mkdir()
    for name, data in good_files():
        (FOLDER / "good" / name).write_bytes(data)
    for name, data in bad_safetensors():
        (FOLDER / "bad" / (name + ".safetensors")).write_bytes(data)
    for name, data in bad_archives():
        (FOLDER / "bad" / (name + ".pt")).write_bytes(data)
    for name, data in bad_sets():
        (FOLDER / "shards" / (name + ".index.json")).write_bytes(data)
    (FOLDER / "shards" / "whole.safetensors").write_bytes(safetensors(one(), FLOATS))
    (FOLDER / "shards" / "whole-too.safetensors").write_bytes(safetensors(
        {"v": entry(), "w": entry("F32", (2, 3), 24, 48)}, FLOATS * 2))
    (FOLDER / "shards" / "cut.safetensors").write_bytes(safetensors(one(), FLOATS)[:-1])
    # What only reading the numbers shows.
    for dtype, code, bits in (("F32", "<I", 0x7FC00000), ("F16", "<H", 0x7C00), ("BF16", "<H", 0xFF80), ("F64", "<Q", 0x7FF8 << 48),
                              ("F8_E4M3", "<B", 0xFF), ("F8_E5M2", "<B", 0x7D)):
        width = struct.calcsize(code)
        (FOLDER / "scan" / f"not_finite_{dtype.lower()}.safetensors").write_bytes(safetensors(
            {"fine": entry(dtype, (2,), 0, 2 * width), "w": entry(dtype, (3,), 2 * width, 5 * width)},
            bytes(3 * width) + struct.pack(code, bits) + bytes(width)))
    (FOLDER / "scan" / "not_finite.pt").write_bytes(archive({"w": plain()}, {"0": struct.pack("<6f", 0, 1, float("nan"), 3, 4, 5)}))


if __name__ == "__main__":
    main()
