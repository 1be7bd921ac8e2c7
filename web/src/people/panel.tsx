/** The people of the clip: pictures, how long they are there, and what can be said of them as a whole. */

import { useEffect, useState } from "preact/hooks";
import type { Editor } from "../editor/editor";
import { isOfPeople } from "../journal/words";
import { api } from "../server/api";
import type { Clip, ClipPeople, ListedPerson, Overlap, PeopleAsked } from "../server/types";
import { Dialog } from "../widgets/dialog";
import { PersonDot, Sign } from "../widgets/icons";
import { framesWords } from "../widgets/words";

const PICTURE = 96;

type Act = (asked: Omit<PeopleAsked, "seconds">) => void;

export function People({ editor }: { editor: Editor }) {
  const { clip, edition, note, journal } = editor;
  const [found, setFound] = useState<ClipPeople | null>(null);
  useEffect(() => {
    let wanted = true;
    void editor.attempt(api.people(clip.id)).then((people) => wanted && people && setFound(people));
    return () => void (wanted = false);
  }, [edition, clip]);
  const act: Act = (asked) => editor.corrections.changePeople(asked);
  const busy = journal.saving === "saving" || journal.saving === "retrying";
  const here = found?.people.filter((each) => !each.deleted) ?? [];
  const gone = found?.people.filter((each) => each.deleted) ?? [];
  return (
    <Dialog title={`People of ${clip.id}`} name="peopled" close={() => editor.open(null)}>
      <p class="soft">
        Whoever is deleted is left out of everything. Where an athlete is named, the others are left out of the queue, of calibration and of 3D.
      </p>
      {found?.overlaps.map((pair) => <Overlapping key={`${pair.person} ${pair.on}`} {...{ pair, busy, act }} />)}
      {found ? null : <p class="empty">Looking who is here …</p>}
      {found && !here.length ? <p class="empty">{nobodyWords(clip, gone.length)}</p> : null}
      <ul class="persons" aria-busy={busy || !found}>
        {here.map((person) => (
          <Person key={person.person} {...{ editor, clip, person, here, named: found?.athletes ?? [], busy, act }} />
        ))}
        {gone.map((person) => (
          <Gone key={person.person} {...{ clip, person, busy, act }} />
        ))}
      </ul>
      <p class="foot">
        <span class={note.bad ? "told bad" : "told"}>{note.text}</span>
        <button disabled={busy || !isOfPeople(journal.history.undo?.kind ?? "")} title={`Undo (${editor.keys.of("undo")[0]})`} onClick={() => editor.corrections.takeBack("undo")}>
          <Sign name="undo" /> Undo
        </button>
        <button class="strong" onClick={() => editor.open(null)}>
          Done
        </button>
      </p>
    </Dialog>
  );
}

/** Two people who may be one. */
function Overlapping({ pair, busy, act }: { pair: Overlap; busy: boolean; act: Act }) {
  return (
    <p class="overlap">
      <span>
        Person {pair.person} lies on person {pair.on} on {pair.inside} of {pair.frames} frames.
      </span>
      <button disabled={busy} onClick={() => act({ action: "merge", persons: [pair.person], into: pair.on })}>
        They are one person
      </button>
    </p>
  );
}

interface PersonGiven {
  editor: Editor;
  clip: Clip;
  person: ListedPerson;
  here: ListedPerson[];
  named: number[];
  busy: boolean;
  act: Act;
}

function Person({ editor, clip, person, here, named, busy, act }: PersonGiven) {
  const { person: number } = person;
  const others = here.filter((each) => each.person !== number);
  const athlete = named.includes(number);
  const athletes = athlete ? named.filter((each) => each !== number) : [...named, number];
  return (
    <li data-person={number} class={person.counts ? "" : "left-out"}>
      <Picture clip={clip} person={person} />
      <div>
        <h3>
          <PersonDot person={number} /> Person {number}
          {athlete ? <span class="state">athlete</span> : null}
        </h3>
        <p class="soft">{personWords(person, clip)}</p>
        <p class="acts">
          <button onClick={() => void show(editor, person)}>Show</button>
          <button aria-pressed={athlete} disabled={busy} onClick={() => act({ action: "athlete", persons: athletes })}>
            This is the athlete
          </button>
          {others.length ? (
            <select
              aria-label={`Person ${number} is the same as`}
              disabled={busy}
              value=""
              onChange={(event) => act({ action: "merge", persons: [number], into: Number(event.currentTarget.value) })}
            >
              <option value="" disabled>
                Is the same as …
              </option>
              {others.map((each) => (
                <option key={each.person} value={each.person}>
                  person {each.person}
                </option>
              ))}
            </select>
          ) : null}
          <button disabled={busy} aria-label={`Delete person ${number}`} onClick={() => act({ action: "delete", persons: [number] })}>
            Delete
          </button>
          {person.merged.map((merged) => (
            <button key={merged} disabled={busy} onClick={() => act({ action: "restore", persons: [merged] })}>
              Part from person {merged}
            </button>
          ))}
        </p>
      </div>
    </li>
  );
}

function Gone({ clip, person, busy, act }: Pick<PersonGiven, "clip" | "person" | "busy" | "act">) {
  return (
    <li data-person={person.person} data-deleted class="left-out">
      <Picture clip={clip} person={person} />
      <div>
        <h3>Person {person.person}</h3>
        <p class="soft">deleted; {personWords(person, clip)}</p>
        <p class="acts">
          <button disabled={busy} aria-label={`Restore person ${person.person}`} onClick={() => act({ action: "restore", persons: [person.person] })}>
            Restore
          </button>
        </p>
      </div>
    </li>
  );
}

function Picture({ clip, person }: { clip: Clip; person: ListedPerson }) {
  const [x, y, side] = person.square;
  const address = person.frames ? api.crop(clip.id, person.seen, x, y, Math.max(side, 1), 2 * PICTURE, clip.version) : "";
  return address ? <img width={PICTURE} height={PICTURE} alt={`Person ${person.person} on frame ${person.seen}`} src={address} /> : <span class="nopicture" />;
}

/** Return why the list is empty, and what can be done. */
export function nobodyWords(clip: Pick<Clip, "model">, deleted: number): string {
  if (deleted) return "Everybody who was here is deleted.";
  if (clip.model === null) return "This clip is not predicted yet: run `emc predict`.";
  return "Nobody was found in this clip. Draw a box around a person (Shift N), or predict it with another detector (`emc predict --set predict.detector=NAME`).";
}

/** Return how long a person is there, how sure the model is, and how much was placed by hand. */
export function personWords(person: ListedPerson, clip: Pick<Clip, "frames">): string {
  const where = `${person.frames} of ${clip.frames} frames (${framesWords(person)})`;
  const sure = person.confidence === null ? "not predicted" : `mean confidence ${person.confidence.toFixed(2)}`;
  const byHand = person.corrected ? `${person.corrected} joint${person.corrected === 1 ? "" : "s"} by hand` : "";
  return [person.frames ? where : "on no frame", sure, byHand].filter(Boolean).join(", ");
}

/** Go to where a person is best seen. */
async function show(editor: Editor, { seen, person }: ListedPerson): Promise<void> {
  editor.open(null);
  await editor.go(seen);
  if (!editor.poseOf(person)) return;
  editor.select(person, null);
  editor.moved("fit");
}
