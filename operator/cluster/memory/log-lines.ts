/** Cuts a program's output into lines. One that is longer than the limit comes in pieces, so that no program can fill this process's memory. */
import { StringDecoder } from 'node:string_decoder';

export class LogLines {
  readonly #onLine: (line: string) => void;
  readonly #maxCharacters: number;
  readonly #decoder = new StringDecoder('utf8');
  #rest = '';

  constructor(onLine: (line: string) => void, maxCharacters: number) {
    this.#onLine = onLine;
    this.#maxCharacters = maxCharacters;
  }

  write(chunk: Buffer): void {
    const lines = (this.#rest + this.#decoder.write(chunk)).split('\n');
    const last = lines.pop() ?? '';
    for (const line of lines) this.#onLine(this.#emitPieces(line));
    this.#rest = this.#emitPieces(last);
  }

  /** What is left without an end of line. */
  end(): void {
    const rest = this.#rest + this.#decoder.end();
    this.#rest = '';
    if (rest !== '') this.#onLine(rest);
  }

  /** Emits all but the last piece, which is returned. */
  #emitPieces(line: string): string {
    let rest = line;
    while (rest.length > this.#maxCharacters) {
      this.#onLine(rest.slice(0, this.#maxCharacters));
      rest = rest.slice(this.#maxCharacters);
    }
    return rest;
  }
}
