/** Reads the YAML of manifests as kubectl does, and remembers on which line each field stands. */
import {
  CORE_SCHEMA,
  EVENT_ID,
  YAMLException,
  boolYaml11Tag,
  constructFromEvents,
  getScalarValue,
  mergeTag,
  parseEvents,
} from 'js-yaml';
import { FieldLines } from './field-lines.ts';

type Event = ReturnType<typeof parseEvents>[number];

export interface YamlDocument {
  /** Undefined if it cannot be made; `faults` then says why. */
  readonly value: unknown;
  readonly lines: FieldLines;
  /** Keys that stand twice in a mapping, and values too large to be made. */
  readonly faults: readonly { readonly line: number; readonly field: string; readonly message: string }[];
}

export type YamlFile =
  | { readonly documents: readonly YamlDocument[] }
  | { readonly syntaxError: { readonly line: number; readonly message: string } };

/** kubectl's parser takes yes, no, on and off for booleans, and merges by `<<`. */
const SCHEMA = CORE_SCHEMA.withTags(boolYaml11Tag, mergeTag);

/** Documents in order, without the empty ones; or the first place where the text is no YAML. */
export function parseYaml(text: string): YamlFile {
  let events: Event[];
  try {
    events = parseEvents(text, {});
  } catch (error) {
    return { syntaxError: problem(error) };
  }
  const starts = events.flatMap((event, index) => (event.type === EVENT_ID.DOCUMENT ? [index] : []));
  const documents = starts
    .map((start, index) => events.slice(start, starts[index + 1]))
    .filter((document) => !isEmpty(text, document))
    .map((document) => toDocument(text, document));
  return { documents };
}

/** Nothing, or comments only, between two `---`. */
function isEmpty(text: string, events: readonly Event[]): boolean {
  const content = events[1];
  return (
    content === undefined ||
    content.type === EVENT_ID.POP ||
    (content.type === EVENT_ID.SCALAR && getScalarValue(text, content) === '')
  );
}

function toDocument(text: string, events: Event[]): YamlDocument {
  const lines = new FieldLines(text, events);
  const faults = [...lines.faults];
  if (lines.tooLarge) return { value: undefined, lines, faults };
  try {
    // Duplicates are among the faults already, each with its line; the parser would stop at the first.
    return { value: constructFromEvents(events, { source: text, schema: SCHEMA, json: true })[0], lines, faults };
  } catch (error) {
    faults.push({ field: '', ...problem(error) });
    return { value: undefined, lines, faults };
  }
}

function problem(error: unknown): { readonly line: number; readonly message: string } {
  if (!(error instanceof YAMLException)) throw error;
  return { line: (error.mark?.line ?? 0) + 1, message: `is not YAML: ${error.reason}` };
}
