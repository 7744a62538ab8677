/** The names of metrics in a PromQL expression: every identifier that is no function, keyword or label. */

const STRINGS = /"(?:[^"\\]|\\.)*"/g;
/** `{…}` has labels and `[…]` durations; `by (…)` and the like have labels too. */
const LABELS = /\{[^}]*\}|\[[^\]]*\]|\b(?:by|without|on|ignoring|group_left|group_right)\s*\([^)]*\)/g;
/** What a parenthesis follows is a function. */
const IDENTIFIER = /(?<![\w:.])[a-z_:][\w:]*(?![\w:]|\s*\()/gi;
const KEYWORDS = new Set(['and', 'or', 'unless', 'bool', 'offset', 'group_left', 'group_right']);

export function metricNames(expression: string): string[] {
  const bare = expression.replaceAll(STRINGS, '').replaceAll(LABELS, ' ');
  const names = [...bare.matchAll(IDENTIFIER)].map(([name]) => name);
  return [...new Set(names)].filter((name) => !KEYWORDS.has(name));
}
