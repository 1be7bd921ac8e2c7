/** One joint angle over the clip, before, after and true, with the frame that is shown. */

import { pathOf } from "../space/curve";
import { type Name, NAMES, type Sequence } from "./sequence";

const SVG = "http://www.w3.org/2000/svg";
const SIZE = { width: 980, height: 150 };
const STEP = 30;

export class AngleCurves {
  private readonly lines = new Map<Name, SVGPathElement>();
  private readonly cursor: SVGLineElement;
  private readonly scale: SVGGElement;
  private chosen: string;
  private frame = 0;

  constructor(
    private readonly root: HTMLElement,
    private readonly sequence: Sequence,
    private readonly length: number,
    private readonly seek: (frame: number) => void,
  ) {
    const select = root.querySelector("select") as HTMLSelectElement;
    const svg = root.querySelector("svg") as SVGSVGElement;
    this.chosen = select.value;
    this.scale = this.made(svg, "g");
    for (const name of NAMES) {
      const line = this.made(svg, "path");
      line.setAttribute("class", `curve ${name}`);
      this.lines.set(name, line);
    }
    this.cursor = this.made(svg, "line");
    this.cursor.setAttribute("class", "cursor");
    select.addEventListener("change", () => {
      this.chosen = select.value;
      this.draw();
      this.seek(this.frame);
    });
    svg.addEventListener("pointerdown", (event) => this.pointed(svg, event));
    svg.addEventListener("pointermove", (event) => event.buttons && this.pointed(svg, event));
    this.draw();
  }

  /** Show where one is, and the angles there. */
  at(frame: number, shown: ReadonlySet<Name>): void {
    this.frame = frame;
    const x = String((frame / Math.max(this.length - 1, 1)) * SIZE.width);
    for (const [name, value] of [["x1", x], ["x2", x], ["y1", "0"], ["y2", String(SIZE.height)]] as const) {
      this.cursor.setAttribute(name, value);
    }
    for (const [name, line] of this.lines) line.toggleAttribute("hidden", !shown.has(name));
    const values = NAMES.filter((name) => shown.has(name)).flatMap((name) => {
      const value = this.sequence.angles[this.chosen]?.[name]?.[frame];
      return value === null || value === undefined ? [] : [`${name} ${value.toFixed(0)}°`];
    });
    (this.root.querySelector("output") as HTMLOutputElement).value = values.join(", ");
    this.root.dataset.angle = this.chosen;
  }

  private draw(): void {
    const tracks = this.sequence.angles[this.chosen] ?? {};
    const known = NAMES.flatMap((name) => tracks[name] ?? []).filter((value): value is number => value !== null);
    const least = Math.floor(Math.min(...known, 0) / STEP) * STEP;
    const most = Math.max(Math.ceil(Math.max(...known, STEP) / STEP) * STEP, least + STEP);
    for (const [name, line] of this.lines) line.setAttribute("d", pathOf(tracks[name] ?? [], SIZE, [least, most]));
    this.scale.replaceChildren();
    for (let value = least; value <= most; value += STEP * Math.ceil((most - least) / STEP / 6)) {
      const y = SIZE.height - ((value - least) / (most - least)) * SIZE.height;
      const line = this.made(this.scale, "line");
      for (const [name, at] of [["x1", 0], ["x2", SIZE.width], ["y1", y], ["y2", y]] as const) line.setAttribute(name, String(at));
      const text = this.made(this.scale, "text");
      text.setAttribute("x", "-6");
      text.setAttribute("y", String(y + 4));
      text.textContent = `${value}°`;
    }
  }

  private pointed(svg: SVGSVGElement, event: PointerEvent): void {
    const matrix = svg.getScreenCTM();
    if (!matrix) return;
    const { x } = new DOMPoint(event.clientX, event.clientY).matrixTransform(matrix.inverse());
    this.seek(Math.min(Math.max(Math.round((x / SIZE.width) * (this.length - 1)), 0), this.length - 1));
  }

  private made<K extends keyof SVGElementTagNameMap>(parent: Element, kind: K): SVGElementTagNameMap[K] {
    const element = document.createElementNS(SVG, kind);
    parent.append(element);
    return element;
  }
}
