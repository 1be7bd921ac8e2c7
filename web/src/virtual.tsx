/** A list of any length of which only the rows in sight exist; pages are asked for as they come into sight.
 *
 * Another list needs another `key`: rows of two lists must never meet. */

import { useEffect, useRef, useState } from "preact/hooks";
import type { ComponentChildren } from "preact";
import type { Page } from "./types";

const PAGE = 60;

interface Properties<T> {
  label: string;
  /** Grows when the rows must be asked for again. */
  edition: number;
  rowHeight: number;
  fetchPage: (offset: number, limit: number) => Promise<Page<T>>;
  row: (item: T) => ComponentChildren;
  empty: string;
}

export function VirtualList<T>({ label, edition, rowHeight, fetchPage, row, empty }: Properties<T>) {
  const box = useRef<HTMLDivElement>(null);
  const pages = useRef(new Map<number, T[]>());
  const [total, setTotal] = useState<number | null>(null);
  const [range, setRange] = useState<[number, number]>([0, 20]);
  const [, redraw] = useState(0);

  const look = () => {
    const place = box.current;
    if (!place) return;
    const first = Math.max(0, Math.floor(place.scrollTop / rowHeight) - 4);
    setRange([first, Math.ceil((place.scrollTop + place.clientHeight) / rowHeight) + 4]);
  };

  const ask = async (page: number) => {
    const found = await fetchPage(page * PAGE, PAGE).catch(() => null);
    if (!found) return;
    pages.current.set(page, found.rows);
    setTotal(found.total);
    redraw((count) => count + 1);
  };

  const inSight = () => {
    const [first, last] = [Math.floor(range[0] / PAGE), Math.floor(range[1] / PAGE)];
    return Array.from({ length: last - first + 1 }, (_, i) => first + i);
  };

  useEffect(() => {
    for (const page of inSight()) if (!pages.current.has(page)) void ask(page);
  }, [range]);

  useEffect(() => {
    const timer = setTimeout(() => {
      const seen = new Set(inSight());
      for (const page of [...pages.current.keys()]) if (!seen.has(page)) pages.current.delete(page);
      for (const page of seen) void ask(page);
    }, 120);
    return () => clearTimeout(timer);
  }, [edition]);

  useEffect(() => {
    const observer = new ResizeObserver(look);
    if (box.current) observer.observe(box.current);
    return () => observer.disconnect();
  }, []);

  const rows = [];
  for (let i = range[0]; i < Math.min(range[1], total ?? 0); i += 1) {
    const item = pages.current.get(Math.floor(i / PAGE))?.[i % PAGE];
    rows.push(
      <li key={i} style={{ top: `${i * rowHeight}px`, height: `${rowHeight}px` }} aria-setsize={total ?? -1} aria-posinset={i + 1}>
        {item ? row(item) : <span class="row waiting" />}
      </li>,
    );
  }
  return (
    <div class="virtual" ref={box} onScroll={look} tabIndex={-1}>
      {total === 0 ? <p class="empty">{empty}</p> : null}
      <ul aria-label={label} style={{ height: `${(total ?? 0) * rowHeight}px` }}>
        {rows}
      </ul>
    </div>
  );
}
