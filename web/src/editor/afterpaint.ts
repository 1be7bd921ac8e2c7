/** What nobody waits for is done when the screen shows what somebody waited for: server and browser share the cores. */

/** Do something once the next frame of the screen has been handed over (at once where the page is not in sight). */
export function afterPaint(act: () => void): void {
  if (document.hidden) return void setTimeout(act);
  requestAnimationFrame(() => {
    // A message that is posted while a frame is made arrives after that frame.
    const channel = new MessageChannel();
    channel.port1.onmessage = act;
    channel.port2.postMessage(0);
  });
}
