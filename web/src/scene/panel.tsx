/** The 3D panel: the lifted pose of the chosen person, turned by dragging, and where 2D and 3D disagree. */

import { useEffect, useRef, useState } from "preact/hooks";
import { DISAGREES } from "../canvas/overlay";
import type { Editor } from "../editor/editor";
import { api, Refused } from "../server/api";
import { AngleCurve } from "./curve";
import { Scene } from "./scene";

export function ScenePanel({ editor }: { editor: Editor }) {
  const place = useRef<HTMLDivElement>(null);
  const scene = useRef<Scene | null>(null);
  const [told, setTold] = useState("lifting …");
  const [shown, setShown] = useState({ trails: true, ground: true, earlier: false });
  const { clip, frame, person, edition, lifted } = editor;
  // While two models are compared, before is the older one; else what the model said before it was corrected.
  const earlier = shown.earlier ? (editor.compared?.sides.before?.run ?? "current") : "";

  useEffect(() => {
    let open = true;
    void import("./scene").then(({ Scene }) => {
      if (!open || !place.current) return;
      try {
        scene.current = new Scene(place.current);
        if (editor.lifted) scene.current.show(editor.lifted);
        scene.current.with(shown.trails, shown.ground);
      } catch {
        setTold("this browser cannot show 3D (no WebGL)");
      }
    });
    return () => {
      open = false;
      scene.current?.close();
      scene.current = null;
    };
  }, []);

  useEffect(() => {
    if (person === null) return;
    let current = true;
    const timer = setTimeout(() => {
      api.lifted(clip.id, frame, person, earlier).then(
        (found) => {
          if (!current) return;
          editor.lifted = found;
          editor.playback.lifted = frame;
          setTold("");
          scene.current?.show(found);
          editor.changed();
        },
        (error: unknown) => {
          if (!current) return;
          editor.lifted = null;
          setTold(error instanceof Refused ? error.message : "the server does not answer");
          editor.changed();
        },
      );
    }, editor.playback.playing ? 0 : 60);
    return () => {
      current = false;
      clearTimeout(timer);
    };
  }, [clip, frame, person, edition, earlier]);

  useEffect(() => scene.current?.with(shown.trails, shown.ground), [shown, lifted]);

  const worst = [...(lifted?.joints2d ?? [])].filter(({ share }) => share >= DISAGREES).sort((a, b) => b.off - a.off);
  return (
    <section class="scene" aria-label="3D pose">
      <div class="room" ref={place} role="img" aria-label="The lifted pose; drag to turn it" data-shown={lifted ? "yes" : "no"} />
      <div class="scene-tools" role="group" aria-label="What the 3D panel shows">
        <button aria-pressed={shown.trails} title="The trajectories of hands and feet over the frames before" onClick={() => setShown({ ...shown, trails: !shown.trails })}>
          Trails
        </button>
        <button aria-pressed={shown.ground} onClick={() => setShown({ ...shown, ground: !shown.ground })}>
          Ground
        </button>
        <button
          aria-pressed={shown.earlier}
          title="Dashed: what the model said before corrections; while before and after are compared (K): the model before"
          onClick={() => setShown({ ...shown, earlier: !shown.earlier })}
        >
          Before
        </button>
        <button aria-pressed={editor.playback.playing} title="Play the clip, or stop (Space)" onClick={() => editor.playback.toggle()}>
          Play
        </button>
        {(["camera", "side", "above"] as const).map((name) => (
          <button key={name} title={`Look from ${name === "above" ? "above" : `the ${name}`}`} onClick={() => scene.current?.lookFrom(name)}>
            {name === "camera" ? "Camera" : name === "side" ? "Side" : "Above"}
          </button>
        ))}
      </div>
      {lifted ? <AngleCurve lifted={lifted} frame={frame} go={(to) => void editor.go(to)} /> : null}
      {told ? <p class="soft">{told}</p> : null}
      {worst.length ? (
        <ul aria-label="Where 2D and 3D disagree">
          {worst.slice(0, 3).map(({ joint, off }) => (
            <li key={joint}>
              <button onClick={() => person !== null && editor.select(person, joint, true, "suspect")}>
                {editor.jointName(joint)} <small>{off.toFixed(0)} px off its 3D place</small>
              </button>
            </li>
          ))}
        </ul>
      ) : lifted ? (
        <p class="soft">2D and 3D agree on every joint.</p>
      ) : null}
    </section>
  );
}
