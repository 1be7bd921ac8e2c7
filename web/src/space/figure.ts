/** A skeleton of rods and balls; places are metres, y up. */

import { CylinderGeometry, Group, type Material, Mesh, SphereGeometry, Vector3 } from "three";

export type Place = readonly [number, number, number];

/** How a figure looks: the paint of each joint, how thick it is (metres), and how many pieces a limb has. */
export interface Look {
  paint: (joint: string) => Material;
  radius: number;
  /** 1: whole limbs; more: dashed ones, so that colour alone never tells two figures apart. */
  dashes: number;
}

const UP = new Vector3(0, 1, 0);
const ROD = new CylinderGeometry(1, 1, 1, 12);
const BALL = new SphereGeometry(1, 16, 12);
/** Share of a dash that is drawn. */
const DRAWN = 0.6;
/** Limbs of the left side are thinner: a swap shows. */
const LEFT = 0.62;

/** Return a place of camera axes (x right, y down, z away) in the space's own (y up, z towards the eye). */
export const upright = ([x, y, z]: Place): Place => [x, -y, -z];

export class Figure {
  readonly group = new Group();
  private readonly balls: Mesh[];
  private readonly rods: Mesh[][];

  constructor(
    joints: readonly string[],
    private readonly limbs: readonly (readonly [number, number])[],
    look: Look,
  ) {
    this.balls = joints.map((name) => this.part(BALL, look.paint(name), 1.7 * look.radius));
    this.rods = limbs.map(([a, b]) => {
      const [from, to] = [joints[a] ?? "", joints[b] ?? ""];
      const left = from.startsWith("left_") || to.startsWith("left_");
      const side = [from, to].find((name) => /^(left|right)_/.test(name)) ?? from;
      const radius = look.radius * (left ? LEFT : 1);
      return Array.from({ length: look.dashes }, () => this.part(ROD, look.paint(side), radius));
    });
  }

  /** Take a pose; joints that are null are not there. */
  pose(places: readonly (Place | null)[]): void {
    this.balls.forEach((ball, joint) => {
      const at = places[joint];
      ball.visible = Boolean(at);
      if (at) ball.position.set(...at);
    });
    this.limbs.forEach(([a, b], limb) => this.between(this.rods[limb] ?? [], places[a] ?? null, places[b] ?? null));
  }

  private between(rods: readonly Mesh[], from: Place | null, to: Place | null): void {
    const start = new Vector3(...(from ?? [0, 0, 0]));
    const way = new Vector3(...(to ?? [0, 0, 0])).sub(start);
    const length = way.length();
    rods.forEach((rod, i) => {
      rod.visible = Boolean(from && to) && length > 1e-6;
      if (!rod.visible) return;
      const share = rods.length > 1 ? DRAWN : 1;
      rod.scale.y = (share * length) / rods.length;
      rod.position.copy(start).addScaledVector(way, (i + 0.5) / rods.length);
      rod.quaternion.setFromUnitVectors(UP, way.clone().normalize());
    });
  }

  private part(geometry: typeof ROD | typeof BALL, paint: Material, radius: number): Mesh {
    const made = new Mesh(geometry, paint);
    made.scale.set(radius, radius, radius);
    this.group.add(made);
    return made;
  }
}
