/** The lifted pose in three dimensions: its own chunk, loaded when the panel is first opened. */

import { Color, MeshStandardMaterial } from "three";
import type { Lifted } from "../server/types";
import { extentFor, type ViewName } from "../space/extent";
import { Figure, upright } from "../space/figure";
import { Space } from "../space/space";
import { Trail } from "../space/trail";

const SIDES: Record<string, number> = { left: 0x56b4e9, right: 0xe69f00 };
const MIDDLE = 0xd7dde4;
const GROUND = 0x8895a3;
const TRAIL = 0xffd166;
/** What was before: thinner, dashed and grey, so that not only colour tells it from what is. */
const EARLIER = { colour: 0x9aa7b4, radius: 0.011, dashes: 5 };
const RADIUS = 0.019;
const BEADS = 200;

export class Scene {
  private readonly space: Space;
  private readonly trail = new Trail(BEADS, new Color(TRAIL), 0.016);
  private readonly paints = new Map<number, MeshStandardMaterial>();
  private figure: Figure | null = null;
  private earlier: Figure | null = null;
  private skeleton = "";

  constructor(root: HTMLElement) {
    const canvas = document.createElement("canvas");
    root.append(canvas);
    this.space = new Space(canvas, { around: 0.5, up: 0.15, zoom: 1 });
    this.space.scene.add(this.trail.group);
  }

  /** Show a pose: metres, pelvis in the middle, x right, y down, z away from the camera. */
  show({ joints, limbs, xyz, trails, ground, earlier }: Lifted): void {
    const places = xyz.map(upright);
    this.figureOf(joints, limbs).pose(places);
    this.earlier?.pose(earlier ? earlier.xyz.map(upright) : joints.map(() => null));
    this.trail.show(trails.map(({ xyz: trail }) => trail.map((place) => (place ? upright(place) : null))));
    this.space.ground(-ground, 1.2, new Color(GROUND));
    const { low, high, wide } = extentFor(places, -ground);
    this.space.fit(low, high, wide);
  }

  /** Show or hide the trails of hands and feet, and the ground. */
  with(trails: boolean, ground: boolean): void {
    this.trail.group.visible = trails;
    this.space.showGround(ground);
  }

  lookFrom(name: ViewName): void {
    this.space.lookFrom(name);
  }

  close(): void {
    this.space.close();
    this.space.canvas.remove();
  }

  private figureOf(joints: Lifted["joints"], limbs: Lifted["limbs"]): Figure {
    if (this.figure && this.skeleton === joints.join()) return this.figure;
    for (const old of [this.figure, this.earlier]) if (old) this.space.scene.remove(old.group);
    this.skeleton = joints.join();
    const grey = new MeshStandardMaterial({ color: EARLIER.colour, roughness: 0.8 });
    this.earlier = new Figure(joints, limbs, { ...EARLIER, paint: () => grey });
    this.figure = new Figure(joints, limbs, { paint: (joint) => this.paintOf(joint), radius: RADIUS, dashes: 1 });
    this.space.scene.add(this.earlier.group, this.figure.group);
    return this.figure;
  }

  private paintOf(joint: string): MeshStandardMaterial {
    const colour = SIDES[joint.split("_")[0] ?? ""] ?? MIDDLE;
    const held = this.paints.get(colour) ?? new MeshStandardMaterial({ color: colour, roughness: 0.55 });
    this.paints.set(colour, held);
    return held;
  }
}
