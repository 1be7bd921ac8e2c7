/** The classic method: every joint of every frame is placed by a click, or typed. */

import { useEffect, useRef, useState } from "preact/hooks";
import type { Point } from "../server/types";
import { Sign } from "../widgets/icons";
import type { Task } from "./api";
import { StudyCanvas } from "./canvas";
import { Classic } from "./classic";
import { BodyFigure } from "./figure";
import type { StudySession } from "./session";

const KEYS: Record<string, (classic: Classic) => void> = {
  a: (classic) => classic.go(classic.frame - 1),
  d: (classic) => classic.go(classic.frame + 1),
  ",": (classic) => classic.go(classic.frame - 1),
  ".": (classic) => classic.go(classic.frame + 1),
  h: (classic) => classic.hide(),
  z: (classic) => classic.undo(),
  arrowup: (classic) => classic.choose(classic.joint - 1),
  arrowdown: (classic) => classic.choose(classic.joint + 1),
};

export function ClassicDesk({ session, task }: { session: StudySession; task: Task }) {
  const [, redraw] = useState(0);
  const root = useRef<HTMLDivElement>(null);
  const held = useRef<{ classic: Classic; canvas: StudyCanvas | null }>(null);
  held.current ??= { classic: new Classic(session, task), canvas: null };
  const { classic } = held.current;

  useEffect(() => {
    if (!root.current || !held.current) return;
    const canvas = new StudyCanvas(root.current, classic);
    held.current.canvas = canvas;
    classic.changed = () => {
      canvas.draw();
      redraw((count) => count + 1);
    };
    const keyed = (event: KeyboardEvent) => {
      const typing = event.target instanceof HTMLInputElement;
      if (typing || session.paused || session.checked || session.checking) return;
      if (event.ctrlKey && event.key !== "z") return;
      const act = KEYS[event.key.toLowerCase()];
      if (!act) return;
      event.preventDefault();
      act(classic);
    };
    window.addEventListener("keydown", keyed);
    return () => {
      window.removeEventListener("keydown", keyed);
      canvas.close();
    };
  }, []);
  useEffect(() => {
    held.current?.canvas?.show().catch(() => {
      session.fault = "The picture cannot be fetched. Please reload the page.";
      session.changed();
    });
  }, [classic.frame]);
  // A stretch that was right: on to the next one.
  const [first, last] = session.stretch;
  useEffect(() => {
    if (classic.frame < first || classic.frame > last) classic.go(first);
  }, [first]);

  return (
    <div class="classic">
      <section class="centre" aria-label="Picture">
        <Tools classic={classic} canvas={() => held.current?.canvas ?? null} />
        <div class="stage">
          <div id="picture" ref={root} tabIndex={0} role="application" aria-label={`Frame ${classic.frame + 1}: click where the ${nameOf(task, classic.joint)} is`} />
        </div>
        <Strip classic={classic} />
      </section>
      <JointFields classic={classic} />
    </div>
  );
}

const nameOf = (task: Task, joint: number) => task.joints[joint]?.replaceAll("_", " ") ?? "";

function Tools({ classic, canvas }: { classic: Classic; canvas: () => StudyCanvas | null }) {
  const open = classic.openOn(classic.frame);
  const [first, last] = classic.session.stretch;
  return (
    <div class="tools">
      <button class="tool" aria-label="Previous frame" disabled={classic.frame <= first} onClick={() => classic.go(classic.frame - 1)}>
        <Sign name="back" />
      </button>
      <output class="frame">
        Frame <b>{classic.frame + 1}</b>
      </output>
      <button class="tool" aria-label="Next frame" disabled={classic.frame >= last} onClick={() => classic.go(classic.frame + 1)}>
        <Sign name="ahead" />
      </button>
      <p class="ask" role="status">
        {open ? (
          <>
            Click the <b>{nameOf(classic.task, classic.joint)}</b>
          </>
        ) : classic.frame < last ? (
          <>All joints are placed: <b>next frame</b></>
        ) : (
          <>All joints are placed</>
        )}
      </p>
      <span class="gap" />
      <button onClick={() => classic.hide()} title="The joint is hidden behind something (H)">
        Not visible <kbd>H</kbd>
      </button>
      <button class="tool" aria-label="Undo" title="Undo (Z)" onClick={() => classic.undo()}>
        <Sign name="undo" />
      </button>
      <button class="tool" aria-label="Zoom in" onClick={() => canvas()?.zoom(1.4)}>+</button>
      <button class="tool" aria-label="Zoom out" onClick={() => canvas()?.zoom(1 / 1.4)}>−</button>
      <button onClick={() => canvas()?.fit()}>Whole picture</button>
    </div>
  );
}

/** The frames of this stretch, and how far each is. */
function Strip({ classic }: { classic: Classic }) {
  const [first, last] = classic.session.stretch;
  const frames = Array.from({ length: last - first + 1 }, (_, i) => first + i);
  const total = classic.task.joints.length;
  return (
    <div class="studystrip" role="group" aria-label="Frames of this part">
      {frames.map((frame) => {
        const placed = total - classic.openOn(frame);
        const wrong = classic.session.checked?.wrong[frame];
        return (
          <button
            key={frame}
            class={wrong ? "wrong" : ""}
            aria-pressed={frame === classic.frame}
            aria-label={`Frame ${frame + 1}: ${placed} of ${total} joints`}
            onClick={() => classic.go(frame)}
          >
            <span>{frame + 1}</span>
            <progress max={total} value={placed} />
          </button>
        );
      })}
    </div>
  );
}

function JointFields({ classic }: { classic: Classic }) {
  const { task } = classic;
  const places = classic.placesOf(classic.frame);
  return (
    <section class="fields" aria-label="Joints">
      <BodyFigure joints={task.joints} active={classic.joint} />
      <table>
        <thead>
          <tr>
            <th>joint</th>
            <th>x</th>
            <th>y</th>
          </tr>
        </thead>
        <tbody>
          {task.joints.map((name, joint) => (
            <tr key={name} data-joint={name} class={joint === classic.joint ? "active" : ""} onClick={() => joint !== classic.joint && classic.choose(joint)}>
              <th scope="row">{nameOf(task, joint)}</th>
              {places.has(joint) && !places.get(joint) ? (
                <td colSpan={2} class="soft">
                  not visible
                </td>
              ) : (
                <Coordinates classic={classic} joint={joint} xy={places.get(joint) ?? null} />
              )}
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

/** Two fields for typing; the joint is placed once both hold a number. */
function Coordinates({ classic, joint, xy }: { classic: Classic; joint: number; xy: Point | null }) {
  const fields = useRef<(HTMLInputElement | null)[]>([null, null]);
  const typed = () => {
    const words = fields.current.map((field) => field?.value.trim() ?? "");
    const values = words.map(Number);
    if (words.includes("") || values.some((value) => !Number.isFinite(value))) return;
    if (xy && values[0] === shown(xy[0]) && values[1] === shown(xy[1])) return;
    classic.place(joint, values as Point, "type");
  };
  return (
    <>
      {[0, 1].map((axis) => (
        <td key={axis}>
          <input
            ref={(field) => {
              fields.current[axis] = field;
            }}
            inputMode="decimal"
            aria-label={`${nameOf(classic.task, joint)} ${"xy"[axis]}`}
            value={xy ? String(shown(xy[axis] as number)) : ""}
            onFocus={() => joint !== classic.joint && classic.choose(joint)}
            onChange={typed}
          />
        </td>
      ))}
    </>
  );
}

const shown = (value: number) => Math.round(value * 10) / 10;
