/** A room to look at figures from any side: camera, light, ground; drawn when something has changed. */

import {
  AmbientLight,
  type Color,
  DirectionalLight,
  GridHelper,
  type Object3D,
  PerspectiveCamera,
  Scene,
  Vector3,
  WebGLRenderer,
} from "three";
import { type ViewName, VIEWS } from "./extent";

export interface Look {
  around: number;
  up: number;
  zoom: number;
}

const FIELD = 32;
/** Padding around what is looked at. */
const PADDING = 1.22;
const LOWEST = -0.35;
const HIGHEST = 1.5;

export class Space {
  readonly scene = new Scene();
  look: Look;
  /** What each part of the picture shows, side by side; one part: all in one. */
  columns: Object3D[][] = [[]];
  /** Called after each drawing. */
  drawn: () => void = () => {};
  private readonly renderer: WebGLRenderer;
  private readonly camera = new PerspectiveCamera(FIELD, 1, 0.05, 60);
  private readonly watching: ResizeObserver;
  private grid: GridHelper | null = null;
  private readonly target = new Vector3();
  private half = { tall: 1, wide: 1 };
  private due = false;

  /** Throws where the browser has no WebGL. `kept`: the drawing can be read again (printing, tests). */
  constructor(
    readonly canvas: HTMLCanvasElement,
    private readonly home: Look,
    kept = false,
  ) {
    this.renderer = new WebGLRenderer({ canvas, antialias: true, alpha: true, preserveDrawingBuffer: kept });
    this.renderer.setPixelRatio(Math.min(window.devicePixelRatio || 1, 2));
    this.look = { ...home };
    const sun = new DirectionalLight(0xffffff, 2.2);
    sun.position.set(1.5, 3, 2.5);
    this.scene.add(new AmbientLight(0xffffff, 1.5), sun);
    this.watching = new ResizeObserver(() => this.resized());
    this.watching.observe(canvas);
    canvas.addEventListener("pointerdown", (event) => canvas.setPointerCapture(event.pointerId));
    canvas.addEventListener("pointermove", (event) => {
      if (canvas.hasPointerCapture(event.pointerId)) this.turn(-event.movementX * 0.01, event.movementY * 0.01);
    });
  }

  /** Look at what reaches from `low` to `high` (metres, y up) and as far as `wide` from the middle. */
  fit(low: number, high: number, wide: number): void {
    this.target.set(0, (low + high) / 2, 0);
    this.half = { tall: Math.max((high - low) / 2, 0.3), wide: Math.max(wide, 0.3) };
    this.draw();
  }

  /** Put the ground at a height. */
  ground(height: number, half: number, colour: Color): void {
    if (this.grid) this.scene.remove(this.grid);
    const cells = Math.max(4, 2 * Math.ceil(half / 0.25));
    this.grid = new GridHelper(cells * 0.25, cells, colour, colour);
    this.grid.material.transparent = true;
    this.grid.material.opacity = 0.55;
    this.grid.position.y = height;
    this.scene.add(this.grid);
    this.draw();
  }

  showGround(on: boolean): void {
    if (this.grid) this.grid.visible = on;
    this.draw();
  }

  turn(around: number, up: number): void {
    this.look.around += around;
    this.look.up = Math.min(HIGHEST, Math.max(LOWEST, this.look.up + up));
    this.draw();
  }

  zoom(factor: number): void {
    this.look.zoom = Math.min(6, Math.max(0.3, this.look.zoom * factor));
    this.draw();
  }

  /** Look from one of the named sides, as near as now. */
  lookFrom(name: ViewName): void {
    this.look = { ...VIEWS[name], zoom: this.look.zoom };
    this.draw();
  }

  goHome(): void {
    this.look = { ...this.home };
    this.draw();
  }

  /** Draw at the next frame of the screen. */
  draw(): void {
    if (this.due) return;
    this.due = true;
    requestAnimationFrame(() => this.drawNow());
  }

  drawNow(): void {
    this.due = false;
    const { clientWidth: width, clientHeight: height } = this.canvas;
    if (!width || !height) return;
    const wide = width / this.columns.length;
    this.placed(wide / height);
    this.renderer.setScissorTest(true);
    this.columns.forEach((shown, i) => {
      for (const each of new Set(this.columns.flat())) each.visible = shown.includes(each);
      this.renderer.setViewport(i * wide, 0, wide, height);
      this.renderer.setScissor(i * wide, 0, wide, height);
      this.renderer.render(this.scene, this.camera);
    });
    this.drawn();
  }

  close(): void {
    this.watching.disconnect();
    this.renderer.dispose();
  }

  private placed(aspect: number): void {
    const { around, up, zoom } = this.look;
    const slope = Math.tan((FIELD * Math.PI) / 360);
    const far = (Math.max(this.half.tall / slope, this.half.wide / (slope * aspect)) * PADDING) / zoom;
    const [x, y, z] = [Math.sin(around) * Math.cos(up), Math.sin(up), Math.cos(around) * Math.cos(up)];
    this.camera.aspect = aspect;
    this.camera.position.set(x * far, y * far, z * far).add(this.target);
    this.camera.lookAt(this.target);
    this.camera.updateProjectionMatrix();
  }

  private resized(): void {
    this.renderer.setSize(this.canvas.clientWidth, this.canvas.clientHeight, false);
    this.drawNow();
  }
}
