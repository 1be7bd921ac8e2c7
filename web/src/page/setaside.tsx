/** Actions that could not be stored: what each would do, why it is not stored, and what becomes of it. */

import type { Editor } from "../editor/editor";
import type { Item } from "../journal/outbox";
import { actionWords } from "../journal/words";
import { Dialog } from "../widgets/dialog";

export function SetAside({ editor }: { editor: Editor }) {
  const { setAside } = editor.journal;
  const close = () => editor.open(null);
  const done = (act: (item: Item) => void, items: readonly Item[]) => {
    for (const item of [...items]) act(item);
    if (!editor.journal.setAside.length) close();
    editor.changed();
  };
  const send = (item: Item) => editor.journal.sendAgain(item);
  const drop = (item: Item) => editor.journal.giveUp(item);
  return (
    <Dialog title="Not stored" name="aside" close={close}>
      <p class="soft">The server could not store these actions; everything after them is stored. They are kept in this browser until you send or drop them.</p>
      <ul class="set-aside">
        {setAside.map((item) => (
          <li key={item.token}>
            <b>{actionWords(item, jointsOf(editor, item.clip))}</b>
            <span class="soft">{item.aside}</span>
            <button onClick={() => done(send, [item])}>Send again</button>
            <button onClick={() => done(drop, [item])}>Drop</button>
          </li>
        ))}
      </ul>
      <p class="foot">
        <button onClick={() => done(drop, setAside)}>Drop all</button>
        <button class="strong" onClick={() => done(send, setAside)}>
          Send all again
        </button>
      </p>
    </Dialog>
  );
}

const jointsOf = (editor: Editor, clip: string) => editor.project.skeletons[editor.clipOf(clip)?.skeleton ?? ""]?.joints ?? [];
