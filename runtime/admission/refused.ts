import type { NotAdmitted } from '../../common/wire/headers.ts';

/** The pod took a request in and finds, before it began it, that it cannot: it may be sent elsewhere. */
export class Refused extends Error {
  override readonly name = 'Refused';
  readonly reason: NotAdmitted;

  constructor(reason: NotAdmitted) {
    super(`The request was not begun: ${reason}.`);
    this.reason = reason;
  }
}
