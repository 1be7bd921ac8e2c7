"""Open exported motion in Blender and OpenSim themselves, and say how far each joint lands from where it was.

    python exchange.py write FOLDER                        # with emc: a kick of known truth, every format
    python benchmarks/lifting/exchange.py blender FOLDER                      # where `pip install bpy` is
    python benchmarks/lifting/exchange.py opensim FOLDER [--model M.osim]     # where `pip install opensim` is

The last two need nothing of EMC, so that each may run in an environment of its own. --model: a full-body model with the
coordinate names of Rajagopal et al. (2016), such as Pose2Sim's; the MOT file is then played on it, and the directions
of its limbs are compared with the true ones (its bones have other proportions, so places cannot agree).
"""

from __future__ import annotations

import argparse
import importlib
from pathlib import Path
from typing import Any

import numpy as np

SEED = 5
FPS = 30.0
SUFFIXES = {"trc": ".trc", "mot": ".mot", "bvh": ".bvh", "c3d": ".c3d", "gltf": ".glb"}
TAILS = {
    "right_knee": "right_ankle",
    "left_knee": "left_ankle",
    "right_elbow": "right_wrist",
    "left_elbow": "left_wrist",
}
LIMBS = (("hip", "knee", "hip", "walker_knee"), ("knee", "ankle", "walker_knee", "ankle"),
         ("shoulder", "elbow", "acromial", "elbow"), ("elbow", "wrist", "elbow", "radius_hand"))  # fmt: skip
"""Ends of a limb: two of our joints, and the joints of the OpenSim model that stand there."""
LUMBAR = {
    "L5_S1_Flex_Ext": "lumbar_extension",
    "L5_S1_Lat_Bending": "lumbar_bending",
    "L5_S1_axial_rotation": "lumbar_rotation",
}


def write(folder: Path) -> None:
    """Write a rendered kick in every format, and its joints as they are."""
    import emc.plugins as plugins
    from emc.pose.motion import Motion3D
    from emc.synth.body import sample_body
    from emc.synth.motion import generate_motion
    from emc.synth.motion.motions import KICKS

    rng = np.random.default_rng(SEED)
    xyz = generate_motion(KICKS[0], 3.0, FPS, sample_body(rng), rng).h36m
    frames = np.arange(len(xyz))
    motion = Motion3D("p0", FPS, frames / FPS, frames, xyz.astype(np.float64))
    folder.mkdir(parents=True, exist_ok=True)
    for name, suffix in SUFFIXES.items():
        plugins.make_plugin("formats", name).write(folder / f"kick{suffix}", [motion])
    np.savez(folder / "truth.npz", xyz=motion.xyz, joints=np.array(motion.joints))


def truth_of(folder: Path) -> dict[str, np.ndarray]:
    """Return joint -> (T, 3) metres, y up."""
    with np.load(folder / "truth.npz") as arrays:
        return {str(joint): arrays["xyz"][:, i] for i, joint in enumerate(arrays["joints"])}


def error_text(what: str, errors: dict[str, list[float]]) -> None:
    worst = max(errors, key=lambda joint: max(errors[joint]))
    print(f"{what}: {len(errors)} joints, at most {max(errors[worst]):.4f} mm off ({worst})")


def in_blender(folder: Path) -> None:
    bpy: Any = importlib.import_module("bpy")
    print("Blender", bpy.app.version_string)
    # Blender's z is up: its importers turn y-up files by a quarter about x.
    truth = {joint: xyz[:, [0, 2, 1]] * [1, -1, 1] for joint, xyz in truth_of(folder).items()}
    bpy.ops.wm.read_factory_settings(use_empty=True)
    bpy.ops.import_anim.bvh(filepath=str(folder / "kick.bvh"), update_scene_fps=True)
    scene = bpy.context.scene
    rig = next(one for one in bpy.data.objects if one.type == "ARMATURE")
    print(f"BVH: {scene.render.fps / scene.render.fps_base:.4f} frames per second, {len(rig.pose.bones)} bones")
    errors: dict[str, list[float]] = {}
    for frame in range(len(truth["pelvis"])):
        scene.frame_set(frame + 1)
        bones = {bone.name: bone.head for bone in rig.pose.bones if bone.name in truth}
        bones |= {TAILS[bone.name]: bone.tail for bone in rig.pose.bones if bone.name in TAILS}
        for joint, place in bones.items():
            off = np.array(rig.matrix_world @ place) - truth[joint][frame]
            errors.setdefault(joint, []).append(1000 * float(np.linalg.norm(off)))
    error_text("BVH", errors)
    bpy.ops.wm.read_factory_settings(use_empty=True)
    scene = bpy.context.scene
    scene.render.fps = round(FPS)
    bpy.ops.import_scene.gltf(filepath=str(folder / "kick.glb"))
    nodes = {one.name.removeprefix("p0_"): one for one in bpy.data.objects}
    errors = {joint: [] for joint in truth if joint in nodes}
    for frame in range(len(truth["pelvis"])):
        scene.frame_set(frame)
        for joint, all_errors in errors.items():
            off = np.array(nodes[joint].matrix_world.translation) - truth[joint][frame]
            all_errors.append(1000 * float(np.linalg.norm(off)))
    error_text("glTF", errors)


def in_opensim(folder: Path, model: Path | None) -> None:
    osim: Any = importlib.import_module("opensim")
    osim.Logger.setLevelString("error")
    print("OpenSim", osim.GetVersion())
    truth = truth_of(folder)
    markers = osim.TimeSeriesTableVec3(str(folder / "kick.trc"))
    labels = list(markers.getColumnLabels())
    errors: dict[str, list[float]] = {}
    for row in range(markers.getNumRows()):
        places = markers.getRowAtIndex(row)
        for column, joint in enumerate(labels):
            off = np.array([places[column][axis] for axis in range(3)]) - truth[joint][row]
            errors.setdefault(joint, []).append(1000 * float(np.linalg.norm(off)))
    units, rate = (markers.getTableMetaDataAsString(key) for key in ("Units", "DataRate"))
    error_text(f"TRC ({units}, {rate} per second)", errors)
    angles = osim.TimeSeriesTable(str(folder / "kick.mot"))
    degrees = angles.getTableMetaDataAsString("inDegrees")
    print(f"MOT: {angles.getNumRows()} rows, {angles.getNumColumns()} coordinates, in degrees: {degrees}")
    if model is not None:
        played(osim, osim.Model(str(model)), angles, truth)


def played(osim: Any, model: Any, angles: Any, truth: dict[str, np.ndarray]) -> None:
    """Play the angles on a model and print how far its limbs' directions are from the true ones, degrees."""
    state = model.initSystem()
    every = model.getCoordinateSet()
    coordinates = {every.get(i).getName(): every.get(i) for i in range(every.getSize())}
    labels = list(angles.getColumnLabels())
    values = np.array(
        [[angles.getRowAtIndex(row)[c] for c in range(len(labels))] for row in range(angles.getNumRows())]
    )
    series = dict(zip(labels, values.T, strict=True))
    series |= {name: series[ours] for name, ours in LUMBAR.items() if name in coordinates and ours not in coordinates}
    unknown = [name for name in labels if name not in coordinates and name not in LUMBAR.values()]
    print(f"coordinates that the model lacks: {', '.join(unknown) or 'none'}")
    off: dict[str, list[float]] = {}
    for row in range(len(values)):
        for name in series.keys() & coordinates.keys():
            value = float(series[name][row])
            turns = coordinates[name].getMotionType() == osim.Coordinate.Rotational
            coordinates[name].setValue(state, np.radians(value) if turns else value, False)
        model.realizePosition(state)
        for start, end, first, last in LIMBS:
            for side, letter in (("right", "r"), ("left", "l")):
                true = truth[f"{side}_{end}"][row] - truth[f"{side}_{start}"][row]
                a, b = (joint_place(model, state, f"{name}_{letter}") for name in (first, last))
                off.setdefault(f"{side} {start} to {end}", []).append(between(b - a, true))
    for limb, degrees in off.items():
        print(f"{limb}: mean {np.mean(degrees):.1f}, at most {max(degrees):.1f} degrees off")


def joint_place(model: Any, state: Any, name: str) -> np.ndarray:
    place = model.getJointSet().get(name).getChildFrame().getPositionInGround(state)
    return np.array([place[axis] for axis in range(3)])


def between(a: np.ndarray, b: np.ndarray) -> float:
    cosine = float(a @ b) / float(np.linalg.norm(a) * np.linalg.norm(b))
    return float(np.degrees(np.arccos(np.clip(cosine, -1, 1))))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("write", "blender", "opensim"))
    parser.add_argument("folder", type=Path)
    parser.add_argument("--model", type=Path, default=None)
    options = parser.parse_args()
    folder = options.folder.resolve()
    if options.what == "write":
        write(folder)
    elif options.what == "blender":
        in_blender(folder)
    else:
        in_opensim(folder, options.model)


if __name__ == "__main__":
    main()
