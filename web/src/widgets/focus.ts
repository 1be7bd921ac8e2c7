/** The keyboard focus goes back to the picture, where most keys work. */

export function focusPicture(): void {
  document.getElementById("picture")?.focus({ preventScroll: true });
}
