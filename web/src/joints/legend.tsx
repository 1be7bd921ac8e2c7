/** What the markers mean. */

import type { Mark } from "../pose/mark";
import { MarkIcon } from "../widgets/icons";

const LEGEND: [Mark, string][] = [
  ["disc", "sure"],
  ["triangle", "low"],
  ["cross", "lost"],
  ["hexagon", "repaired"],
  ["square", "by hand"],
  ["diamond", "confirmed"],
];

export function Legend() {
  return (
    <ul class="legend" aria-label="Legend">
      {LEGEND.map(([mark, words]) => (
        <li key={mark}>
          <MarkIcon mark={mark} colour="var(--legend)" /> {words}
        </li>
      ))}
      <li>
        <MarkIcon mark="disc" colour="var(--legend)" hollow /> occluded
      </li>
      <li>
        <span class="dash" /> left side
      </li>
      <li>
        <span class="ring" /> flagged
      </li>
    </ul>
  );
}
