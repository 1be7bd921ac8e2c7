/** The name under which others see who works here, and which the journal keeps. */

import { useState } from "preact/hooks";
import type { Editor } from "../editor/editor";
import { introduce } from "../server/api";
import { Dialog } from "../widgets/dialog";

export function WhoAmI({ editor }: { editor: Editor }) {
  const [name, setName] = useState(editor.name);
  const close = () => editor.open(null);
  const keep = (event: Event) => {
    event.preventDefault();
    editor.name = name.trim();
    introduce({ name: editor.name });
    editor.keepName(editor.name);
    editor.renamed();
    close();
  };
  return (
    <Dialog title="Who are you?" name="whoami" close={close}>
      <form onSubmit={keep}>
        <label>
          Name <input value={name} maxLength={60} autocomplete="name" autofocus onInput={(event) => setName(event.currentTarget.value)} />
        </label>
        <p class="soft">Others who edit this project at the same time see it, and the journal keeps it with your actions.</p>
        <p class="foot">
          <button class="strong">Keep</button>
        </p>
      </form>
    </Dialog>
  );
}
