/** All keys on one sheet; each can be changed. */

import { useState } from "preact/hooks";
import type { Editor } from "../editor/editor";
import { type Command, GROUPS, strokeOf } from "../editor/keys";
import { Dialog } from "../widgets/dialog";

const NAMES: Record<string, string> = { ArrowLeft: "←", ArrowRight: "→", ArrowUp: "↑", ArrowDown: "↓", Escape: "Esc" };
const MODIFIERS = ["Shift", "Control", "Alt", "Meta"];

const keyWords = (stroke: string) =>
  stroke
    .split(/\+(?=.)/)
    .map((part) => NAMES[part] ?? part)
    .join(" ");

export function KeySheet({ editor }: { editor: Editor }) {
  const [changing, setChanging] = useState<Command | null>(null);
  const [told, setTold] = useState("Click a key to change it.");
  const listen = (event: KeyboardEvent) => {
    if (!changing || MODIFIERS.includes(event.key)) return;
    event.preventDefault();
    event.stopPropagation();
    setChanging(null);
    if (event.key === "Escape") return setTold("Nothing was changed.");
    const before = editor.keys.choose(changing.id, strokeOf(event));
    setTold(before ? `“${before.words}” no longer has that key.` : "Changed, for this browser.");
  };
  return (
    <Dialog title="Keys" name="keysheet" close={() => editor.open(null)}>
      <div class="sheet-scroll">
        <div class="sheet" onKeyDownCapture={listen}>
        {GROUPS.map(({ title, commands }) => (
          <section key={title}>
            <h3>{title}</h3>
            <dl>
              {commands.map((command) => (
                <div key={command.id}>
                  <dt>
                    <button class="key" onClick={() => setChanging(command)}>
                      {changing === command ? "press …" : editor.keys.of(command.id).slice(0, 2).map((stroke) => <kbd key={stroke}>{keyWords(stroke)}</kbd>)}
                      {editor.keys.of(command.id).length || changing === command ? null : "none"}
                      <span class="spoken"> change the key of: {command.words}</span>
                    </button>
                  </dt>
                  <dd>{command.words}</dd>
                </div>
              ))}
            </dl>
          </section>
        ))}
        </div>
      </div>
      <p class="foot">
        <span role="status">{told}</span>
        <span>Drag a joint to move it; click to place the one that waits; the wheel zooms.</span>
        <button
          onClick={() => {
            editor.keys.reset();
            setTold("All keys are the usual ones again.");
          }}
        >
          Usual keys
        </button>
      </p>
    </Dialog>
  );
}
