/** `queue;dur=812.4, pod;dur=1.2` (W3C Server-Timing) as milliseconds by phase. */
export function parseServerTiming(header: string | null): Record<string, number> {
  const phases: Record<string, number> = {};
  for (const [, name = '', duration] of (header ?? '').matchAll(/(?:^|,)\s*([\w-]+)\s*;[^,]*?\bdur=([\d.]+)/g)) {
    phases[name] = Number(duration);
  }
  return phases;
}
