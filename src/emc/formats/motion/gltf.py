"""glTF 2.0 (binary, .glb): an animated skeleton that Blender, browsers and game engines open.

Format: Khronos Group, "glTF 2.0 Specification". Metres, y up, as glTF demands; times in seconds. Written by hand: the
file holds one small mesh, the nodes of the rig and one animation.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from emc.formats.whole_files import write_whole
from emc.pose.motion import (
    MOTION_AXES,
    RIG_NODES,
    Motion3D,
    RigMotion,
    quaternions,
    rig_motion,
    shortest_rotation,
    without_holes,
)

FLOAT, UINT16 = 5126, 5123
VERTICES, INDICES = 34962, 34963
WIDTH = 0.035
COLOURS = ((0.9, 0.62, 0.0), (0.34, 0.71, 0.91), (0.0, 0.62, 0.45), (0.8, 0.47, 0.65))


class GltfFormat:
    """All persons as rigs of `emc.pose.motion.rig` in one scene with one animation; each bone is a slim octahedron."""

    name = "gltf"
    holds = "motion"
    reads: tuple[str, ...] = ()
    writes = (".glb",)
    persons = 0

    def write(self, path: Path, motions: Sequence[Motion3D]) -> None:
        """Write all motions into one file; raises `StorageError` where writing fails."""
        builder = _Builder()
        for number, motion in enumerate(motions):
            whole = without_holes(motion)
            builder.add_person(whole, rig_motion(whole), number)
        about = {
            "fps": motions[0].fps,
            "rate": motions[0].rate,
            "units": "m",
            "axes": MOTION_AXES,
            "persons": [m.name for m in motions],
        }
        write_whole(path, builder.glb(about))


class _Builder:
    """A glTF document that grows person by person."""

    def __init__(self) -> None:
        self.data = bytearray()
        self.views: list[dict[str, Any]] = []
        self.accessors: list[dict[str, Any]] = []
        self.nodes: list[dict[str, Any]] = []
        self.roots: list[int] = []
        self.meshes: list[dict[str, Any]] = []
        self.materials: list[dict[str, Any]] = []
        self.channels: list[dict[str, Any]] = []
        self.samplers: list[dict[str, Any]] = []
        points, normals, corners = _octahedron()
        self._shape = (
            self.accessor(points, "VEC3", VERTICES, bounds=True),
            self.accessor(normals, "VEC3", VERTICES),
            self.accessor(corners, "SCALAR", INDICES, UINT16),
        )

    def accessor(
        self, values: np.ndarray, kind: str, target: int | None = None, component: int = FLOAT, bounds: bool = False
    ) -> int:
        """Append values to the buffer, four-byte aligned, and return the accessor that reads them."""
        raw = values.astype("<u2" if component == UINT16 else "<f4")
        self.data.extend(bytes(-len(self.data) % 4))
        view: dict[str, Any] = {"buffer": 0, "byteOffset": len(self.data), "byteLength": raw.nbytes}
        self.views.append(view | ({"target": target} if target else {}))
        self.data.extend(raw.tobytes())
        entry: dict[str, Any] = {
            "bufferView": len(self.views) - 1, "componentType": component, "count": len(raw), "type": kind,
        }  # fmt: skip
        if bounds:
            flat = raw.reshape(len(raw), -1)
            entry |= {"min": flat.min(axis=0).astype(float).tolist(), "max": flat.max(axis=0).astype(float).tolist()}
        self.accessors.append(entry)
        return len(self.accessors) - 1

    def add_person(self, motion: Motion3D, rig: RigMotion, number: int) -> None:
        """Add a person's nodes, bones and animation."""
        first = len(self.nodes)
        mesh = self._mesh(number)
        turns = quaternions(rig.rotations)
        for index, node in enumerate(RIG_NODES):
            children = [first + i for i, other in enumerate(RIG_NODES) if other.parent == index]
            place = rig.root[0] if index == 0 else rig.offsets[index]
            entry: dict[str, Any] = {"name": f"{motion.name}_{node.name}", "translation": place.tolist()}
            self.nodes.append(entry | ({"children": children} if children else {}))
        for index, node in enumerate(RIG_NODES):
            if node.parent >= 0 and np.linalg.norm(rig.offsets[index]) > 1e-6:
                self.nodes[first + node.parent]["children"].append(len(self.nodes))
                self.nodes.append(_bone(f"{motion.name}_{node.name}_bone", rig.offsets[index], mesh))
        self.roots.append(first)
        times = self.accessor(motion.times - min(0.0, float(motion.times[0])), "SCALAR", bounds=True)
        self._animate(first, "translation", times, rig.root, "VEC3")
        for index in range(len(RIG_NODES)):
            if index == 0 or RIG_NODES[index].aims >= 0:
                self._animate(first + index, "rotation", times, turns[:, index], "VEC4")

    def glb(self, about: dict[str, Any]) -> bytes:
        """Return the whole file."""
        self.data.extend(bytes(-len(self.data) % 4))
        document = {
            "asset": {"version": "2.0", "generator": "EMC", "extras": about},
            "scene": 0,
            "scenes": [{"nodes": self.roots}],
            "nodes": self.nodes,
            "meshes": self.meshes,
            "materials": self.materials,
            "animations": [{"name": "motion", "channels": self.channels, "samplers": self.samplers}],
            "accessors": self.accessors,
            "bufferViews": self.views,
            "buffers": [{"byteLength": len(self.data)}],
        }
        text = json.dumps(document, separators=(",", ":"), allow_nan=False).encode()
        text += b" " * (-len(text) % 4)
        chunks = struct.pack("<I4s", len(text), b"JSON") + text
        chunks += struct.pack("<I4s", len(self.data), b"BIN\0") + self.data
        return struct.pack("<4sII", b"glTF", 2, 12 + len(chunks)) + chunks

    def _mesh(self, number: int) -> int:
        colour = [*COLOURS[number % len(COLOURS)], 1.0]
        surface = {"baseColorFactor": colour, "metallicFactor": 0.0, "roughnessFactor": 0.8}
        self.materials.append({"name": f"bone_{number}", "pbrMetallicRoughness": surface})
        points, normals, corners = self._shape
        primitive = {
            "attributes": {"POSITION": points, "NORMAL": normals}, "indices": corners, "material": number,
        }  # fmt: skip
        self.meshes.append({"name": f"bone_{number}", "primitives": [primitive]})
        return len(self.meshes) - 1

    def _animate(self, node: int, path: str, times: int, values: np.ndarray, kind: str) -> None:
        self.samplers.append({"input": times, "interpolation": "LINEAR", "output": self.accessor(values, kind)})
        self.channels.append({"sampler": len(self.samplers) - 1, "target": {"node": node, "path": path}})


def _bone(name: str, offset: np.ndarray, mesh: int) -> dict[str, Any]:
    """Return the node that stretches the mesh, which points along +y, from a node to its child."""
    length = float(np.linalg.norm(offset))
    turn = quaternions(shortest_rotation(np.array([0.0, 1.0, 0.0]), offset)[None])[0]
    return {"name": name, "mesh": mesh, "rotation": turn.tolist(), "scale": [WIDTH, length, WIDTH]}


def _octahedron() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return points (24, 3), normals and corner indices of an octahedron from the origin to (0, 1, 0), flat-shaded."""
    ring = np.array([[1.0, 0.2, 0.0], [0.0, 0.2, -1.0], [-1.0, 0.2, 0.0], [0.0, 0.2, 1.0]])
    top, bottom = np.array([0.0, 1.0, 0.0]), np.zeros(3)
    after = np.roll(ring, -1, axis=0)
    upper = [(a, b, top) for a, b in zip(ring, after, strict=True)]
    lower = [(b, a, bottom) for a, b in zip(ring, after, strict=True)]
    faces = np.array(upper + lower)
    normals = np.cross(faces[:, 1] - faces[:, 0], faces[:, 2] - faces[:, 0])
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    return faces.reshape(-1, 3), np.repeat(normals, 3, axis=0), np.arange(24)
