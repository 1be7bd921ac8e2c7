/** A list of any length of which only the rows in sight exist; pages are asked for as they come into sight.
 *
 * Another list needs another `key`: rows of two lists must never meet. Browsers cannot lay out more than some ten
 * million pixels: a longer list is drawn into a shorter one, whose bar stands for the whole. */

import type { ComponentChildren } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { QUEUE_PAGE } from "../server/queue";
import type { Page } from "../server/types";
import { compressed } from "./scroll";

const PAGE = QUEUE_PAGE;
const PAGES_KEPT = 40;
const BESIDE = 4;

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
  /** Pixels of the whole list above the sight, and the bar's place that stands for them. */
  const [at, setAt] = useState({ top: 0, bar: 0, room: 600 });
  const [, redraw] = useState(0);
  const whole = (total ?? 0) * rowHeight;
  const { tall, scale } = compressed(whole, at.room);
  const range = [Math.max(0, Math.floor(at.top / rowHeight) - BESIDE), Math.ceil((at.top + at.room) / rowHeight) + BESIDE] as const;

  const look = () => {
    const place = box.current;
    if (!place) return;
    const { scrollTop, clientHeight } = place;
    setAt((now) => {
      const moved = Math.abs(scrollTop - now.bar) > 1;
      return { top: moved ? scrollTop * scale : now.top, bar: scrollTop, room: clientHeight };
    });
  };

  const wheel = (event: WheelEvent) => {
    const place = box.current;
    if (!place || scale === 1) return;
    event.preventDefault();
    const top = Math.min(Math.max(at.top + event.deltaY, 0), whole - at.room);
    place.scrollTop = top / scale;
    setAt({ ...at, top, bar: place.scrollTop });
  };

  const ask = async (page: number) => {
    const found = await fetchPage(page * PAGE, PAGE).catch(() => null);
    if (!found) return;
    pages.current.set(page, found.rows);
    for (const old of pages.current.keys()) {
      if (pages.current.size <= PAGES_KEPT) break;
      pages.current.delete(old);
    }
    setTotal(found.total);
    redraw((count) => count + 1);
  };

  const inSight = () => {
    const [first, last] = range.map((each) => Math.floor(each / PAGE)) as [number, number];
    return Array.from({ length: last - first + 1 }, (_, i) => first + i);
  };

  useEffect(() => {
    // A sight that is passed in a moment needs no rows: only where one stays is asked for.
    const missing = inSight().filter((page) => !pages.current.has(page));
    if (!missing.length) return;
    const timer = setTimeout(() => missing.forEach((page) => void ask(page)), total === null ? 0 : 30);
    return () => clearTimeout(timer);
  }, [range[0], range[1]]);

  const told = useRef(edition);
  useEffect(() => {
    if (told.current === edition) return;
    told.current = edition;
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
    const top = scale === 1 ? i * rowHeight : at.bar + i * rowHeight - at.top;
    rows.push(
      <li key={i} style={{ top: `${top}px`, height: `${rowHeight}px` }} aria-setsize={total ?? -1} aria-posinset={i + 1}>
        {item ? row(item) : <span class="row waiting" />}
      </li>,
    );
  }
  return (
    <div class="virtual" ref={box} onScroll={look} onWheel={wheel} tabIndex={-1}>
      {total === 0 ? <p class="empty">{empty}</p> : null}
      <ul aria-label={label} style={{ height: `${tall}px` }}>
        {rows}
      </ul>
    </div>
  );
}
