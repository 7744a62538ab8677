/** Holds the boards to what Grafana needs and does not check, and to what makes a board good. That their queries give data is shown on a cluster. */
import { describe, expect, test } from '@jest/globals';
import { exportedMetrics } from './exported-metrics.ts';
import { metricNames } from './metric-names.ts';
import { readDashboards, type DashboardPanel, type DashboardVariable } from './read-dashboards.ts';

const DASHBOARDS = readDashboards();
const GRAFANAS_OWN = ['__rate_interval', '__range'];
const DATASOURCE = '${datasource}';

/** Of the operator as a whole: pods announce their phases without saying whose they are. */
const OF_NO_FUNCTION = ['pilotlight_start_phase_seconds_sum', 'pilotlight_start_phase_seconds_count'];

test('there are two boards, each with an address of its own', () => {
  expect(DASHBOARDS.map(({ uid, title }) => [uid, title]).sort()).toEqual([
    ['pilotlight-control-plane', 'Pilotlight / Control plane'],
    ['pilotlight-functions', 'Pilotlight / Functions'],
  ]);
});

describe.each(DASHBOARDS)('$title', ({ templating, panels, links, tags }) => {
  const content = panels.filter(({ type }) => type !== 'row');
  const targets = content.flatMap(({ title, targets = [] }) => targets.map((target) => ({ title, ...target })));

  test('lets its data source be chosen first, and takes it everywhere', () => {
    expect(templating.list[0]).toMatchObject({ name: 'datasource', type: 'datasource' });
    const users: readonly Pick<DashboardVariable, 'datasource'>[] = [
      ...content,
      ...targets,
      ...templating.list.slice(1),
    ];
    expect(users.filter(({ datasource }) => datasource?.uid !== DATASOURCE)).toEqual([]);
  });

  test('links to the boards of its tag', () => {
    expect(links).toMatchObject([{ type: 'dashboards', tags }]);
  });

  test('has panels that do not overlap and stay within 24 columns', () => {
    expect(panels.filter(({ gridPos: { x, w } }) => x < 0 || w < 1 || x + w > 24)).toEqual([]);
    const pairs = panels.flatMap((one, index) => panels.slice(index + 1).map((other) => [one, other] as const));
    expect(pairs.filter(([one, other]) => overlap(one, other)).map((pair) => pair.map(({ title }) => title))).toEqual(
      [],
    );
  });

  test('has panels of ids of their own, and queries of refIds of their own in a panel', () => {
    expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
    for (const panel of content) {
      const refIds = panel.targets?.map(({ refId }) => refId) ?? [];
      expect(refIds).not.toEqual([]);
      expect(new Set(refIds).size).toBe(refIds.length);
    }
  });

  test('says of each panel what it shows, in which unit, under which legend', () => {
    const silent = content.filter(
      ({ title, description = '', fieldConfig }) =>
        title === '' || description.length < 20 || (fieldConfig?.defaults.unit ?? '') === '',
    );
    expect(silent.map(({ title }) => title)).toEqual([]);
    expect(targets.filter(({ legendFormat }) => legendFormat === '')).toEqual([]);
  });

  test('stacks nothing that cannot be added up', () => {
    const stacked = content.filter(({ fieldConfig }) => fieldConfig?.defaults.custom?.stacking.mode === 'normal');
    const quantiles = stacked.filter(({ targets = [] }) => targets.some(({ expr }) => expr.includes('quantile')));
    expect(quantiles.map(({ title }) => title)).toEqual([]);
  });

  test('has thresholds that rise', () => {
    for (const { fieldConfig } of content) {
      const values = (fieldConfig?.defaults.thresholds?.steps ?? []).map(({ value }) => value ?? -Infinity);
      expect(values).toEqual(values.toSorted((a, b) => a - b));
    }
  });

  test('uses only variables that there are, and every one of them', () => {
    const own = templating.list.map(({ name }) => name);
    const queries = [...targets.map(({ expr }) => expr), ...templating.list.map(({ definition = '' }) => definition)];
    const used = new Set(queries.flatMap((query) => [...query.matchAll(/\$\{?(\w+)/g)].map(([, name = '']) => name)));
    expect([...used].filter((name) => !own.includes(name) && !GRAFANAS_OWN.includes(name))).toEqual([]);
    expect(own.filter((name) => name !== 'datasource' && !used.has(name))).toEqual([]);
  });

  test('takes rates over what the interval of scrapes and the zoom ask for', () => {
    const ranges = targets.flatMap(({ expr }) => [...expr.matchAll(/\[([^\]]*)\]/g)].map(([, range = '']) => range));
    expect(ranges.filter((range) => range !== '$__rate_interval' && range !== '$__range')).toEqual([]);
  });

  test('asks only for metrics that are exported', () => {
    const exported = exportedMetrics();
    const asked = [...targets.map(({ expr }) => expr), ...labelSources(templating.list)].flatMap(metricNames);
    expect(asked.filter((name) => !exported.has(name))).toEqual([]);
  });
});

test('variables of one name mean the same on each board, for links carry them over', () => {
  const meanings = new Map<string, Set<string>>();
  for (const { name, definition = '' } of DASHBOARDS.flatMap(({ templating }) => templating.list)) {
    meanings.set(name, (meanings.get(name) ?? new Set()).add(definition));
  }
  expect([...meanings].filter(([, definitions]) => definitions.size > 1)).toEqual([]);
});

test('every query of the functions board keeps to the chosen functions', () => {
  const board = DASHBOARDS.find(({ uid }) => uid === 'pilotlight-functions');
  const targets = board?.panels.flatMap(({ targets = [] }) => targets) ?? [];
  const selectors = targets.flatMap(({ expr }) =>
    metricNames(expr).flatMap((name) =>
      [...expr.matchAll(new RegExp(`\\b${name}\\b(\\{[^}]*\\})?`, 'g'))].map(([, labels = '']) => ({ name, labels })),
    ),
  );
  const free = selectors.filter(
    ({ labels }) => !/namespace=~"\$namespace", (function|model)=~"\$function"/.test(labels),
  );
  expect(new Set(free.map(({ name }) => name))).toEqual(new Set(OF_NO_FUNCTION));
});

function overlap({ gridPos: a }: DashboardPanel, { gridPos: b }: DashboardPanel): boolean {
  return a.x < b.x + b.w && b.x < a.x + a.w && a.y < b.y + b.h && b.y < a.y + a.h;
}

function labelSources(variables: readonly DashboardVariable[]): string[] {
  return variables.flatMap(({ definition = '' }) => /^label_values\((.*), \w+\)$/.exec(definition)?.[1] ?? []);
}
