/** The rules as they are shipped. */
import { globSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { load } from 'js-yaml';

const FOLDER = join(import.meta.dirname, '../charts/pilotlight/rules');

export interface Alert {
  readonly alert: string;
  readonly expr: string;
  readonly for?: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}

export interface RecordingRule {
  readonly record: string;
  readonly expr: string;
}

export function ruleFiles(): string[] {
  return readdirSync(FOLDER).map((file) => join(FOLDER, file));
}

/** Files for `promtool test rules`. */
export function ruleTests(): string[] {
  return globSync('*.promtool.yaml', { cwd: import.meta.dirname }).map((file) => join(import.meta.dirname, file));
}

export function readRules(): { readonly alerts: readonly Alert[]; readonly recordings: readonly RecordingRule[] } {
  const rules = ruleFiles().flatMap((file) => {
    const { groups } = load(readFileSync(file, 'utf8')) as {
      groups: readonly { readonly rules: readonly (Alert | RecordingRule)[] }[];
    };
    return groups.flatMap((group) => group.rules);
  });
  return {
    alerts: rules.filter((rule) => 'alert' in rule),
    recordings: rules.filter((rule) => 'record' in rule),
  };
}
