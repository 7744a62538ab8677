import type { NotAdmitted } from '../../common/wire/headers.ts';

/** The pod took a request in and finds, before it began it, that it cannot: it may be sent elsewhere. */
export class Refused extends Error {
  override readonly name = 'Refused';
  readonly reason: NotAdmitted;
  /** For the client, where there is more to say than the reason. */
  readonly sentence: string | undefined;

  constructor(reason: NotAdmitted, sentence?: string) {
    super(`The request was not begun: ${reason}.`);
    this.reason = reason;
    this.sentence = sentence;
  }
}
