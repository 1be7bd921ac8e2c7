/** Two people changed the same joint: both values side by side, and the question which one holds. */

import { useState } from "preact/hooks";
import type { Editor } from "../editor/editor";
import type { Conflict } from "../journal/journal";
import { api } from "../server/api";
import type { Clash, Point, Value } from "../server/types";
import { Dialog } from "../widgets/dialog";

const VISIBILITY = ["absent", "occluded", "visible"];
const CROP = 220;

export function Conflicts({ editor }: { editor: Editor }) {
  const [conflict] = editor.conflicts;
  return conflict ? <Choice key={conflict.item.token} editor={editor} conflict={conflict} /> : null;
}

function Choice({ editor, conflict }: { editor: Editor; conflict: Conflict }) {
  const { clashes } = conflict;
  const [mine, setMine] = useState<readonly Clash[]>([]);
  const all = clashes.length > 1;
  const pick = (clash: Clash, own: boolean) => setMine(own ? [...mine.filter((each) => each !== clash), clash] : mine.filter((each) => each !== clash));
  return (
    <Dialog title="Somebody else changed the same joint" name="conflict" close={null}>
      <p class="soft">Nothing of yours was stored over it. Choose which value holds{all ? ", joint by joint or for all" : ""}.</p>
      <div class="clashes">
        {clashes.slice(0, 12).map((clash) => (
          <Clashing key={`${clash.frame}/${clash.joint}`} editor={editor} clash={clash} clip={conflict.item.clip} all={all} own={mine.includes(clash)} pick={pick} />
        ))}
      </div>
      <p class="foot">
        {all ? <button onClick={() => editor.resolve(conflict, mine)}>As chosen above</button> : null}
        <button onClick={() => editor.resolve(conflict, [])}>{all ? "Keep all of theirs" : "Keep theirs"}</button>
        <button class="strong" onClick={() => editor.resolve(conflict, clashes)}>
          {all ? "Keep all of mine" : "Keep mine"}
        </button>
      </p>
    </Dialog>
  );
}

function Clashing(given: {
  editor: Editor;
  clash: Clash;
  clip: string;
  all: boolean;
  own: boolean;
  pick: (clash: Clash, own: boolean) => void;
}) {
  const { editor, clash, all, own, pick } = given;
  const { theirs, yours } = clash;
  const who = theirs.author || "somebody";
  const name = `${editor.jointName(clash.joint)}, person ${clash.person}, frame ${clash.frame}`;
  return (
    <section aria-label={name}>
      <h3>{name}</h3>
      <div class="pair">
        <Shown {...given} value={theirs} title={`Theirs: ${who}`} other={yours.xy} />
        <Shown {...given} value={yours} title="Yours" other={theirs.xy} />
      </div>
      {all ? (
        <label>
          <input type="checkbox" checked={own} onChange={(event) => pick(clash, event.currentTarget.checked)} /> keep mine
        </label>
      ) : null}
    </section>
  );
}

function Shown({ editor, clash, clip, value, title, other }: { editor: Editor; clash: Clash; clip: string; value: Value; title: string; other: Point | null }) {
  const found = editor.clipOf(clip);
  const middle = value.xy ?? other;
  const pose = editor.frames.get(clash.frame)?.poses.find((each) => each.person === clash.person);
  const apart = value.xy && other ? Math.hypot(value.xy[0] - other[0], value.xy[1] - other[1]) : 0;
  const side = Math.max(40, 0.4 * Math.max(pose?.box?.[2] ?? 0, pose?.box?.[3] ?? 0), 2.6 * apart);
  return (
    <figure>
      <figcaption>
        <b>{title}</b>{" "}
        <span class="soft">{value.xy ? `${value.xy[0].toFixed(1)}, ${value.xy[1].toFixed(1)}` : "no place"} · {VISIBILITY[value.visibility]}</span>
      </figcaption>
      {found && middle ? (
        <div class="crop">
          <img width={CROP} height={CROP} alt="" src={api.crop(clip, clash.frame, ...middle, side, CROP * 2, found.version)} />
          {value.xy ? <i class="cross" /> : null}
        </div>
      ) : (
        <p class="empty">absent</p>
      )}
    </figure>
  );
}
