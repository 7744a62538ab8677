import { writeFileSync } from 'node:fs';
import { TERMINATION_MESSAGE_BYTES, type StartFailure } from '../common/wire/runtime-environment.ts';

/** The reason as JSON, its message cut so that the whole is no longer than the kubelet keeps: cut JSON would be no reason at all. */
export function startFailureText({ reason, message }: StartFailure): string {
  let kept = message;
  for (;;) {
    const text = JSON.stringify({ reason, message: kept } satisfies StartFailure);
    const over = Buffer.byteLength(text) - TERMINATION_MESSAGE_BYTES;
    if (over <= 0) return text;
    kept = `${kept.slice(0, Math.max(0, kept.length - Math.ceil(over / 6) - 1))}…`;
  }
}

/** Leaves the reason where the kubelet, or local mode, reads it. Throws what the file system says. */
export function writeStartFailure(path: string, failure: StartFailure): void {
  writeFileSync(path, startFailureText(failure));
}
