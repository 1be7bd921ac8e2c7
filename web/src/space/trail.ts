/** The trajectories of some joints over the frames before: beads that shrink with age. */

import { type Color, Group, InstancedMesh, Matrix4, MeshBasicMaterial, SphereGeometry } from "three";
import type { Place } from "./figure";

const BEAD = new SphereGeometry(1, 10, 8);

export class Trail {
  readonly group = new Group();
  private readonly beads: InstancedMesh;
  private readonly material: MeshBasicMaterial;
  private readonly matrix = new Matrix4();

  constructor(
    private readonly most: number,
    colour: Color,
    private readonly radius: number,
  ) {
    this.material = new MeshBasicMaterial({ color: colour, transparent: true, opacity: 0.8 });
    this.beads = new InstancedMesh(BEAD, this.material, most);
    this.beads.frustumCulled = false;
    this.group.add(this.beads);
  }

  paint(colour: Color): void {
    this.material.color = colour;
  }

  /** Show trajectories, oldest place first; beads lie close where the joint was slow, far apart where it was fast. */
  show(trajectories: readonly (readonly (Place | null)[])[]): void {
    let used = 0;
    for (const trajectory of trajectories) {
      trajectory.forEach((place, i) => {
        if (!place || used >= this.most) return;
        const size = this.radius * (0.25 + (0.75 * (i + 1)) / trajectory.length);
        this.matrix.makeScale(size, size, size).setPosition(...place);
        this.beads.setMatrixAt(used, this.matrix);
        used += 1;
      });
    }
    this.beads.count = used;
    this.beads.instanceMatrix.needsUpdate = true;
  }
}
