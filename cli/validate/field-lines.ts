/** Where the fields of a YAML document stand. */
import { EVENT_ID, getScalarValue, type parseEvents } from 'js-yaml';
import { fieldOf, itemOf } from '../../common/api/admission/field-path.ts';

type Event = ReturnType<typeof parseEvents>[number];

interface Fault {
  readonly line: number;
  readonly field: string;
  readonly message: string;
}

/** Nodes of a document with every alias written out: `&a [*b, *b]` doubles at each step, so a few lines could mean terabytes. */
const MAX_NODES = 100_000;

export class FieldLines {
  readonly faults: Fault[] = [];
  readonly #text: string;
  readonly #events: readonly Event[];
  /** Offsets of line starts. */
  readonly #lineStarts: readonly number[];
  /** By path; of a mapping's field, the line of its key. */
  readonly #lines = new Map<string, number>();
  readonly #anchorSizes = new Map<string, number>();
  #next = 1;
  #size = 0;

  /** @param events Of one document, its own first. */
  constructor(text: string, events: readonly Event[]) {
    this.#text = text;
    this.#events = events;
    this.#lineStarts = [0, ...[...text.matchAll(/\n/g)].map(({ index }) => index + 1)];
    this.#size = this.#visit('');
    if (this.tooLarge) {
      const message = `must have at most ${MAX_NODES} values with every alias written out`;
      this.faults.push({ line: this.line(''), field: '', message });
    }
  }

  get tooLarge(): boolean {
    return this.#size > MAX_NODES;
  }

  /** The line, from 1, of the field or else of the closest one around it. Map keys may be in brackets: `limits[cpu]`. */
  line(field: string): number {
    let path = field.replaceAll(/\[([^\]]*[^\]\d][^\]]*)\]/g, '.$1');
    while (path !== '' && !this.#lines.has(path))
      path = path.slice(0, Math.max(path.lastIndexOf('.'), path.lastIndexOf('['), 0));
    return this.#lines.get(path) ?? 1;
  }

  /** Reads one node with all below it, and gives how many nodes it stands for. */
  #visit(path: string): number {
    const event = this.#events[this.#next++];
    switch (event?.type) {
      case EVENT_ID.MAPPING:
        this.#lines.set(path, this.#lines.get(path) ?? this.#lineAt(event.start));
        return this.#anchored(event, this.#visitMapping(path));
      case EVENT_ID.SEQUENCE:
        this.#lines.set(path, this.#lines.get(path) ?? this.#lineAt(event.start));
        return this.#anchored(event, this.#visitSequence(path));
      case EVENT_ID.ALIAS:
        return this.#anchorSizes.get(this.#text.slice(event.anchorStart, event.anchorEnd)) ?? 1;
      case EVENT_ID.SCALAR:
        return this.#anchored(event, 1);
      default:
        return 0;
    }
  }

  #visitMapping(path: string): number {
    const keys = new Set<string>();
    let size = 1;
    for (let key = this.#peek(); key !== undefined && key.type !== EVENT_ID.POP; key = this.#peek()) {
      const name = key.type === EVENT_ID.SCALAR ? getScalarValue(this.#text, key) : '?';
      const field = fieldOf(path, name);
      if (key.type === EVENT_ID.SCALAR) {
        const line = this.#lineAt(key.valueStart);
        if (keys.has(name))
          this.faults.push({ line, field, message: `stands twice, first on line ${this.line(field)}` });
        else this.#lines.set(field, line);
        keys.add(name);
      }
      size += this.#visit('?') + this.#visit(field);
    }
    this.#next++;
    return size;
  }

  #visitSequence(path: string): number {
    let size = 1;
    for (let index = 0; this.#peek() !== undefined && this.#peek()?.type !== EVENT_ID.POP; index++) {
      const item = itemOf(path, index);
      const event = this.#peek();
      if (event?.type === EVENT_ID.SCALAR) this.#lines.set(item, this.#lineAt(event.valueStart));
      if (event?.type === EVENT_ID.ALIAS) this.#lines.set(item, this.#lineAt(event.anchorStart));
      size += this.#visit(item);
    }
    this.#next++;
    return size;
  }

  #peek(): Event | undefined {
    return this.#events[this.#next];
  }

  #anchored(event: { readonly anchorStart: number; readonly anchorEnd: number }, size: number): number {
    if (event.anchorStart >= 0) this.#anchorSizes.set(this.#text.slice(event.anchorStart, event.anchorEnd), size);
    return size;
  }

  #lineAt(offset: number): number {
    let [low, high] = [0, this.#lineStarts.length];
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if ((this.#lineStarts[middle] ?? Infinity) <= offset) low = middle;
      else high = middle;
    }
    return low + 1;
  }
}
