/** A dialog: keeps the focus, closes by Escape, by its button and by a click beside it. */

import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { focusPicture } from "./focus";
import { Sign } from "./icons";

export function Dialog(given: { title: string; name: string; close: (() => void) | null; children: ComponentChildren }) {
  const dialog = useRef<HTMLDialogElement>(null);
  const { close } = given;
  useEffect(() => {
    dialog.current?.showModal();
    return () => focusPicture();
  }, []);
  return (
    <dialog
      ref={dialog}
      class={given.name}
      aria-label={given.title}
      onCancel={(event) => {
        event.preventDefault();
        close?.();
      }}
      onClick={(event) => event.target === dialog.current && close?.()}
    >
      <div class="dialog-head">
        <h2>{given.title}</h2>
        {close ? (
          <button class="tool" aria-label="Close" title="Close (Esc)" onClick={close}>
            <Sign name="close" />
          </button>
        ) : null}
      </div>
      {given.children}
    </dialog>
  );
}
