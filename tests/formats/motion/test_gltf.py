import json
import struct

import numpy as np
import pytest
from tests.formats.motion.motions import kick

from emc.formats.motion.gltf import GltfFormat

NUMBERS = {5126: "<f4", 5123: "<u2"}
WIDTHS = {"SCALAR": 1, "VEC3": 3, "VEC4": 4}


def read_glb(path):
    data = path.read_bytes()
    magic, version, length = struct.unpack_from("<4sII", data)
    assert (magic, version, length) == (b"glTF", 2, len(data))
    size, kind = struct.unpack_from("<I4s", data, 12)
    assert kind == b"JSON" and size % 4 == 0
    document = json.loads(data[20 : 20 + size])
    rest, kind = struct.unpack_from("<I4s", data, 20 + size)
    assert kind == b"BIN\0" and rest == document["buffers"][0]["byteLength"]
    return document, data[28 + size :]


def values(document, binary, number):
    accessor = document["accessors"][number]
    view = document["bufferViews"][accessor["bufferView"]]
    assert view["byteOffset"] % 4 == 0
    width = WIDTHS[accessor["type"]]
    found = np.frombuffer(binary, NUMBERS[accessor["componentType"]], accessor["count"] * width, view["byteOffset"])
    return found.reshape(-1, width) if width > 1 else found


def matrix(turn, place):
    x, y, z, w = turn
    out = np.eye(4)
    out[:3, :3] = [
        [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
        [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
        [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
    ]
    out[:3, 3] = place
    return out


def places(document, binary, frame):
    """Return node name -> place at a key frame, walking the scene as a viewer would."""
    moved = {}
    for channel in document["animations"][0]["channels"]:
        sampler = document["animations"][0]["samplers"][channel["sampler"]]
        target = channel["target"]
        moved[target["node"], target["path"]] = values(document, binary, sampler["output"])[frame]
    found = {}
    todo = [(root, np.eye(4)) for root in document["scenes"][0]["nodes"]]
    while todo:
        number, above = todo.pop()
        node = document["nodes"][number]
        turn = moved.get((number, "rotation"), node.get("rotation", [0, 0, 0, 1]))
        world = above @ matrix(turn, moved.get((number, "translation"), node.get("translation", [0, 0, 0])))
        found[node["name"]] = world[:3, 3]
        todo += [(child, world) for child in node.get("children", [])]
    return found


def test_joints_come_back_as_a_viewer_poses_them(tmp_path):
    motion = kick()
    GltfFormat().write(tmp_path / "kick.glb", [motion])
    document, binary = read_glb(tmp_path / "kick.glb")
    assert document["asset"]["version"] == "2.0"
    assert document["asset"]["extras"]["fps"] == 30
    for frame in (0, 11, 23):
        found = places(document, binary, frame)
        for name, joint in (("pelvis", 0), ("right_ankle", 3), ("left_wrist", 13), ("head_top", 10)):
            assert found[f"p0_{name}"] == pytest.approx(motion.xyz[frame, joint], abs=1e-5), (frame, name)


def test_what_the_specification_asks_for(tmp_path):
    GltfFormat().write(tmp_path / "two.glb", [kick(), kick(12, name="p1", first=6)])
    document, binary = read_glb(tmp_path / "two.glb")
    assert len(document["scenes"][0]["nodes"]) == 2
    for sampler in document["animations"][0]["samplers"]:
        times = values(document, binary, sampler["input"])
        accessor = document["accessors"][sampler["input"]]
        assert (np.diff(times) > 0).all() and times[0] >= 0
        assert accessor["min"] == [float(times[0])] and accessor["max"] == [float(times[-1])]
        output = values(document, binary, sampler["output"])
        assert len(output) == len(times)
        if output.shape[1] == 4:
            assert np.linalg.norm(output, axis=1) == pytest.approx(1, abs=1e-5)
            assert ((output[1:] * output[:-1]).sum(axis=1) > 0).all()
    children = [child for node in document["nodes"] for child in node.get("children", [])]
    assert len(children) == len(set(children)) == len(document["nodes"]) - 2
    primitive = document["meshes"][0]["primitives"][0]
    normals = values(document, binary, primitive["attributes"]["NORMAL"])
    points = values(document, binary, primitive["attributes"]["POSITION"])
    assert np.linalg.norm(normals, axis=1) == pytest.approx(1, abs=1e-6)
    outwards = ((points - points.mean(axis=0)) * normals).sum(axis=1)
    assert (outwards > 0).all()
