/** Holds the rules to the field's conventions, and to the pages that people open when an alert comes. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { load } from 'js-yaml';
import { readPage, tableBelow } from '../docs/markdown.ts';
import { exportedMetrics } from './exported-metrics.ts';
import { metricNames } from './metric-names.ts';
import { readRules, ruleTests } from './read-rules.ts';

const { alerts, recordings } = readRules();
const names = alerts.map(({ alert }) => alert);

interface RuleTests {
  readonly tests: readonly {
    readonly alert_rule_test: readonly { readonly alertname: string; readonly exp_alerts: readonly unknown[] }[];
  }[];
}

/** What the tests for promtool expect of an alert at each time. */
function expectations(name: string): (readonly unknown[])[] {
  const tests = ruleTests().flatMap((file) => (load(readFileSync(file, 'utf8')) as RuleTests).tests);
  const expected = tests.flatMap((one) => one.alert_rule_test);
  return expected.filter(({ alertname }) => alertname === name).map(({ exp_alerts: alerts }) => alerts);
}

describe.each(alerts)('$alert', ({ alert, expr, labels, annotations, for: duration }) => {
  test('has a name, a severity and a time that it must hold', () => {
    expect(alert).toMatch(/^Pilotlight([A-Z][a-z]+)+$/);
    expect(['critical', 'warning', 'info']).toContain(labels['severity']);
    expect(duration).toMatch(/^\d+m$/);
  });

  test('says what is so in a sentence that stays, the particulars beside it, and where to read on', () => {
    const { summary, description, runbook_url: runbook, ...rest } = annotations;
    expect(rest).toEqual({});
    expect(summary).toMatch(/^[A-Z][^{]*\.$/);
    expect(description).toMatch(/\.$/);
    expect(runbook).toBe(`https://pilotlight.dev/runbooks/${alert}`);
  });

  test('has a page that says what it means, harms, comes from, and what to do', () => {
    const page = readPage(`runbooks/${alert}.md`);
    expect(page).toMatch(new RegExp(`^# ${alert}\n`));
    expect([...page.matchAll(/^## (.*)$/gm)].map(([, heading]) => heading)).toEqual([
      'Meaning',
      'Impact',
      'Diagnosis',
      'Mitigation',
    ]);
  });

  test('asks only for metrics that are exported or recorded', () => {
    const known = exportedMetrics();
    const recorded = new Set(recordings.map(({ record }) => record));
    expect(metricNames(expr).filter((name) => !known.has(name) && !recorded.has(name))).toEqual([]);
  });

  test('is seen to fire by the tests for promtool', () => {
    expect(expectations(alert).some((alerts) => alerts.length > 0)).toBe(true);
  });
});

test('there is no other page of an alert, and the guide lists each with its severity', () => {
  const pages = readdirSync(join(import.meta.dirname, '../docs/runbooks'));
  expect(pages.sort()).toEqual(names.map((name) => `${name}.md`).sort());
  const listed = tableBelow(readPage('how-to/monitor.md'), '## Alerts').map(([name = '', severity = '']) => [
    /^\[(\w+)\]/.exec(name)?.[1],
    severity,
  ]);
  expect(listed.sort()).toEqual(alerts.map(({ alert, labels }) => [alert, labels['severity']]).sort());
});

test.each(recordings)('$record is named level:metric:operations, and is used', ({ record, expr }) => {
  expect(record).toMatch(/^[a-z_]+:[a-z_]+:[a-z0-9_]+$/);
  expect(metricNames(expr).filter((name) => !exportedMetrics().has(name))).toEqual([]);
  expect(alerts.some((alert) => metricNames(alert.expr).includes(record))).toBe(true);
});
