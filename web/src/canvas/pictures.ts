/** Frames as bitmaps, decoded ahead; a few are kept. */

const MOST = 24;
const BYTES = 256 * 1024 * 1024;

export class Pictures {
  private readonly kept = new Map<string, Promise<ImageBitmap>>();
  private most = MOST;

  /** Keep as many pictures of this size as memory has room for. */
  sized(width: number, height: number): void {
    this.most = Math.min(Math.max(Math.floor(BYTES / (4 * width * height)), 5), MOST);
  }

  /** Return a frame's picture; asking again for one that failed tries again. */
  get(address: string): Promise<ImageBitmap> {
    const held = this.kept.get(address);
    if (held) {
      this.kept.delete(address);
      this.kept.set(address, held);
      return held;
    }
    const asked = load(address);
    this.kept.set(address, asked);
    asked.catch(() => this.kept.delete(address));
    this.tidy();
    return asked;
  }

  private tidy(): void {
    for (const [address, picture] of this.kept) {
      if (this.kept.size <= this.most) return;
      this.kept.delete(address);
      picture.then((bitmap) => bitmap.close()).catch(() => {});
    }
  }
}

async function load(address: string): Promise<ImageBitmap> {
  const answer = await fetch(address);
  if (!answer.ok) {
    const told = (await answer.json().catch(() => null)) as { error?: string } | null;
    throw new Error(told?.error ?? `the frame cannot be shown (${answer.status})`);
  }
  return createImageBitmap(await answer.blob());
}
