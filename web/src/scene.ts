/** The lifted pose in three dimensions: its own chunk, loaded when the panel is first opened. */

import {
  AmbientLight,
  CylinderGeometry,
  DirectionalLight,
  GridHelper,
  Group,
  Mesh,
  MeshStandardMaterial,
  PerspectiveCamera,
  Scene as Space,
  SphereGeometry,
  Vector3,
  WebGLRenderer,
} from "three";
import type { Lifted } from "./types";

const LEFT = 0x56b4e9;
const RIGHT = 0xe69f00;
const MIDDLE = 0xd7dde4;
const UP = new Vector3(0, 1, 0);

export class Scene {
  private readonly renderer = new WebGLRenderer({ antialias: true, alpha: true });
  private readonly space = new Space();
  private readonly camera = new PerspectiveCamera(32, 1, 0.1, 30);
  private readonly body = new Group();
  private readonly watching: ResizeObserver;
  private readonly ball = new SphereGeometry(0.036, 16, 12);
  private readonly rod = new CylinderGeometry(0.018, 0.018, 1, 12);
  private readonly paints = new Map<number, MeshStandardMaterial>();
  private turn = { around: 0.5, up: 0.15 };
  private due = false;

  constructor(private readonly root: HTMLElement) {
    root.append(this.renderer.domElement);
    this.renderer.setPixelRatio(Math.min(window.devicePixelRatio || 1, 2));
    const sun = new DirectionalLight(0xffffff, 2.2);
    sun.position.set(1.5, 3, 2.5);
    const floor = new GridHelper(2.4, 12, 0x8895a3, 0x8895a3);
    floor.material.transparent = true;
    floor.material.opacity = 0.35;
    floor.position.y = -0.95;
    this.space.add(new AmbientLight(0xffffff, 1.4), sun, floor, this.body);
    this.watching = new ResizeObserver(() => this.resized());
    this.watching.observe(root);
    root.addEventListener("pointerdown", (event) => root.setPointerCapture(event.pointerId));
    root.addEventListener("pointermove", (event) => this.turned(event));
  }

  /** Show a pose: metres, pelvis in the middle, x right, y down, z away from the camera. */
  show({ joints, limbs, xyz }: Lifted): void {
    this.body.clear();
    const places = xyz.map(([x, y, z]) => new Vector3(x, -y, -z));
    places.forEach((place, joint) => {
      const ball = new Mesh(this.ball, this.paintOf(joints[joint] ?? ""));
      ball.position.copy(place);
      this.body.add(ball);
    });
    for (const [a, b] of limbs) {
      const [from, to] = [places[a], places[b]];
      if (from && to) this.body.add(this.rodBetween(from, to, joints[a] ?? "", joints[b] ?? ""));
    }
    this.draw();
  }

  close(): void {
    this.watching.disconnect();
    this.renderer.dispose();
    this.renderer.domElement.remove();
  }

  private rodBetween(from: Vector3, to: Vector3, a: string, b: string): Mesh {
    const way = to.clone().sub(from);
    const side = a.split("_")[0] === b.split("_")[0] ? a : "";
    const rod = new Mesh(this.rod, this.paintOf(side));
    rod.scale.y = Math.max(way.length(), 1e-6);
    rod.position.copy(from).addScaledVector(way, 0.5);
    rod.quaternion.setFromUnitVectors(UP, way.normalize());
    return rod;
  }

  private paintOf(joint: string): MeshStandardMaterial {
    const colour = joint.startsWith("left_") ? LEFT : joint.startsWith("right_") ? RIGHT : MIDDLE;
    const held = this.paints.get(colour) ?? new MeshStandardMaterial({ color: colour, roughness: 0.55 });
    this.paints.set(colour, held);
    return held;
  }

  private turned(event: PointerEvent): void {
    if (!event.buttons) return;
    this.turn.around -= event.movementX * 0.01;
    this.turn.up = Math.min(Math.max(this.turn.up + event.movementY * 0.01, -0.4), 1.4);
    this.draw();
  }

  private resized(): void {
    const { clientWidth: width, clientHeight: height } = this.root;
    if (!width || !height) return;
    this.renderer.setSize(width, height);
    this.camera.aspect = width / height;
    this.camera.updateProjectionMatrix();
    this.draw();
  }

  private draw(): void {
    if (this.due) return;
    this.due = true;
    requestAnimationFrame(() => {
      this.due = false;
      const { around, up } = this.turn;
      const far = 4.1;
      this.camera.position.set(far * Math.sin(around) * Math.cos(up), far * Math.sin(up), far * Math.cos(around) * Math.cos(up));
      this.camera.lookAt(0, -0.05, 0);
      this.renderer.render(this.space, this.camera);
    });
  }
}
