/**
 * A request's body on its way in. A small one is collected whole before it is sent; of a larger one the beginning is, and the rest passes through, at the
 * pace of the pod. What passes is held too until the answer begins, so that all can be sent again to another pod, unless it is too much: then the
 * body can be sent once. While the request waits for a pod more of it is read and held, as far as the queue has room: only on a connection that is
 * read does it show that the client has left.
 */
import type { Readable } from 'node:stream';
import type { Holdings } from '../revision/holdings.ts';
import { BodyStream } from './body-stream.ts';
import { HeldBody } from './held-body.ts';

/** A larger body is sent before it is whole. Most inference requests are below, and a thousand held ones of this size are 256 MiB. */
export const HELD_BYTES = 256 * 1024;

/** A larger body is not held while it passes to a pod. An image as a tensor of 1 × 3 × 224 × 224 floats, 588 KiB, is below. */
const PASSING_BYTES = 1024 * 1024;

/** What one read from a connection brings at most: the beginning of a large body ends as much beyond HELD_BYTES. */
const READ_BYTES = 64 * 1024;

export interface BodyEvents {
  /** All of a small body is here, or the beginning of a large one. Called once, perhaps before `collect` returns. */
  collected(): void;
  /** The body is longer than the limit; nothing more of it will be read. */
  tooLarge(): void;
  /** The gateway has no memory for more of it; nothing more of it will be read. */
  noRoom(): void;
  /** Something came in or went on. */
  progress(): void;
  /** So many bytes more are held while no pod has the request; false: that is enough. */
  kept(bytes: number): boolean;
}

export class RequestBody {
  readonly #request: Readable;
  /** 0 if unknown. */
  readonly #declared: number;
  readonly #limit: number;
  readonly #isBeginning: ((body: HeldBody) => boolean) | undefined;
  readonly #events: BodyEvents;
  readonly #holdings: Holdings;
  #held = new HeldBody();
  /** Bytes that are counted in `holdings`: of what is held, and of what was declared and is still to come. */
  #counted = 0;
  #received = 0;
  #complete = false;
  #collecting = false;
  #isSettling = false;
  /** True as soon as something that is not held went to a pod: the body cannot be sent again. */
  #spent = false;
  #stream: BodyStream | undefined;
  /** Of the present attempt: the pod has admitted it; the stream has given what is held. */
  #mayGoOn = false;
  #isWanted = false;

  /**
   * `declaredLength` is undefined for a chunked body. `isBeginning` says of the first bytes that they are enough to begin with, though more may come: without
   * it only a body that is too large to be held begins before it is whole.
   */
  constructor(
    request: Readable,
    declaredLength: number | undefined,
    limit: number,
    holdings: Holdings,
    events: BodyEvents,
    isBeginning?: (body: HeldBody) => boolean,
  ) {
    this.#request = request;
    this.#declared = declaredLength ?? 0;
    this.#limit = limit;
    this.#holdings = holdings;
    this.#isBeginning = isBeginning;
    this.#events = events;
  }

  get heldBytes(): number {
    return this.#held.length;
  }

  /** True if all of it can be sent, also if some was sent before. */
  get isWhole(): boolean {
    return !this.#spent;
  }

  /** Makes sure of memory for what was declared and is to be collected, before any of it comes; false if there is none. */
  reserve(): boolean {
    const expected = Math.min(this.#declared, HELD_BYTES + READ_BYTES);
    if (!this.#holdings.take(expected)) return false;
    this.#counted = expected;
    return true;
  }

  collect(): void {
    this.#collecting = true;
    this.#request.on('data', this.#onData);
    this.#request.on('end', this.#onEnd);
  }

  /** What is here is the beginning, and enough to look for a pod with. */
  settle(): void {
    if (!this.#collecting) return;
    this.#request.pause();
    this.#collecting = false;
    this.#events.collected();
  }

  /** The request waits for a pod. */
  readOn(): void {
    if (!this.#complete && this.#holdings.hasPlenty) this.#request.resume();
  }

  /** It is being answered, so that nobody needs what is held for another attempt. */
  forget(): void {
    this.#spent = true;
    this.#letGo();
  }

  /**
   * An attempt has failed: its stream ends here, before anything more comes in. Otherwise the rest of the body could get into the next attempt's
   * stream before its beginning, or be lost with this one's.
   */
  takeBack(): void {
    this.#stream?.destroy();
  }

  /** The pod admitted the request: what is not held follows. */
  goOn(): void {
    this.#mayGoOn = true;
    this.#flow();
  }

  /** For one attempt: the bytes themselves, or a stream that stops after what is held until `goOn`, if more will come. Ask `isWhole` first, and `takeBack` after an attempt that failed. */
  send(): Buffer | Readable | null {
    if (this.#complete && this.#stream === undefined) return this.#held.length === 0 ? null : this.#held.join();
    // Until the pod wants more: what comes in now would get into the stream before its beginning.
    this.#request.pause();
    this.#mayGoOn = false;
    this.#isWanted = false;
    this.#stream = new BodyStream(this.#held.pieces, {
      wanted: () => {
        this.#isWanted = true;
        this.#flow();
      },
      dropped: (stream) => this.#dropped(stream),
    });
    return this.#stream;
  }

  /** The request is over; lets go of everything. */
  discard(): void {
    this.#stopReading();
    this.#stream?.destroy();
    this.#letGo();
  }

  readonly #onData = (chunk: Buffer): void => {
    this.#received += chunk.length;
    if (this.#received > this.#limit) {
      this.#stopReading();
      this.#events.tooLarge();
      return;
    }
    this.#events.progress();
    if (this.#collecting) {
      const more = this.#held.length + chunk.length - this.#counted;
      if (more > 0 && !this.#holdings.take(more)) {
        this.#stopReading();
        this.#events.noRoom();
        return;
      }
      this.#counted += Math.max(0, more);
      this.#held.add(chunk);
      if (this.#held.length > HELD_BYTES) this.settle();
      else if (!this.#isSettling && this.#isBeginning?.(this.#held) === true) {
        // Its end usually comes with it, and a whole body is cheaper to send.
        this.#isSettling = true;
        setImmediate(() => this.settle());
      }
      return;
    }
    if (this.#stream === undefined) {
      this.#hold(chunk);
      if (!this.#events.kept(chunk.length) || !this.#holdings.hasPlenty) this.#request.pause();
      return;
    }
    if (!this.#spent) this.#keep(chunk);
    if (!this.#stream.push(chunk)) this.#request.pause();
  };

  readonly #onEnd = (): void => {
    this.#complete = true;
    if (this.#collecting) {
      this.#collecting = false;
      this.#events.collected();
      return;
    }
    this.#flow();
  };

  /** It goes to a pod now, and would be missing in the next attempt. */
  #keep(chunk: Buffer): void {
    const isSmall = Math.max(this.#declared, this.#received) <= PASSING_BYTES;
    if (isSmall && this.#holdings.hasPlenty) this.#hold(chunk);
    else this.forget();
  }

  #hold(chunk: Buffer): void {
    this.#held.add(chunk);
    const more = Math.max(0, this.#held.length - this.#counted);
    this.#holdings.add(more);
    this.#counted += more;
  }

  #stopReading(): void {
    this.#collecting = false;
    this.#request.off('data', this.#onData);
    this.#request.off('end', this.#onEnd);
  }

  #letGo(): void {
    if (this.#held.length > 0) this.#held = new HeldBody();
    this.#holdings.give(this.#counted);
    this.#counted = 0;
  }

  /** What is not held follows, once the pod has admitted the request and got what is: before, it would get into the stream before its beginning. */
  #flow(): void {
    if (!this.#mayGoOn || !this.#isWanted) return;
    if (this.#complete) this.#stream?.push(null);
    else this.#request.resume();
  }

  /** The attempt is over; the rest of the body waits for the next one, if there is one. */
  #dropped(stream: BodyStream): void {
    if (this.#stream !== stream) return;
    this.#stream = undefined;
    this.#request.pause();
  }
}
