/** What can be chosen of the queue: its orders, and filters that leave something out. */

import type { QueueQuery } from "../server/queue";

export const ORDERS: [QueueQuery["order"], boolean, string][] = [
  ["value", true, "most gain first"],
  ["severity", true, "most probably wrong first"],
  ["frames", true, "longest runs first"],
  ["seconds", false, "quickest first"],
  ["frame", false, "by clip and frame"],
  ["reason", false, "by reason"],
  ["joint", false, "by joint"],
  ["person", false, "by person"],
];

/** Return the number of filters that leave something out. */
export const narrowed = ({ clip, reason, joint, person }: QueueQuery) =>
  clip.length + reason.length + joint.length + person.length;

/** Return a list with `value` taken out where it is in, else put in. */
export function toggled<T>(list: readonly T[], value: T): T[] {
  return list.includes(value) ? list.filter((each) => each !== value) : [...list, value];
}
