/** Grafana's panels as far as these boards use them: what is said here differs from panel to panel, the rest is the same for all. */

/** The data source is chosen on the board. */
export const DATASOURCE = { type: 'prometheus', uid: '${datasource}' } as const;

export interface Query {
  readonly expr: string;
  /** Of each series, with `{{label}}`s. */
  readonly legend: string;
}

/** Where colours begin, from below. */
export interface Thresholds {
  readonly from: 'green' | 'red';
  readonly steps: readonly { readonly at: number; readonly color: 'green' | 'yellow' | 'red' }[];
}

export interface PanelContent {
  readonly title: string;
  /** What it shows, and what to conclude from it. */
  readonly description: string;
  /** Grafana's identifier of a unit: `s`, `bytes`, `reqps`, `percentunit`, `short`. */
  readonly unit: string;
  readonly queries: readonly Query[];
  readonly thresholds?: Thresholds;
  /** Of 24 columns. */
  readonly width?: number;
  /** In rows of 30 pixels. */
  readonly height?: number;
}

/** A panel without its place on the board. */
export interface Panel extends Readonly<Record<string, unknown>> {
  readonly title: string;
  readonly width: number;
  readonly height: number;
}

export interface TimeSeriesContent extends PanelContent {
  /**
   * `area` and `bars` are stacked, so only for what can be added up, bars where it is rare; `points` for values that are there only now and then;
   * `steps` for what holds until it changes.
   */
  readonly draw?: 'line' | 'area' | 'bars' | 'points' | 'steps';
  /** Fixed colours of series by their legend. */
  readonly colors?: Readonly<Record<string, string>>;
}

export function timeSeries(content: TimeSeriesContent): Panel {
  const { draw = 'line', colors = {}, thresholds } = content;
  const isStacked = draw === 'area' || draw === 'bars';
  const custom = {
    drawStyle: draw === 'bars' || draw === 'points' ? draw : 'line',
    lineInterpolation: draw === 'steps' ? 'stepAfter' : 'linear',
    lineWidth: 1,
    pointSize: 6,
    fillOpacity: isStacked ? 40 : 0,
    showPoints: 'auto',
    stacking: { mode: isStacked ? 'normal' : 'none', group: 'A' },
    thresholdsStyle: { mode: thresholds === undefined ? 'off' : 'dashed' },
  };
  return {
    ...common('timeseries', content, { range: true }),
    width: content.width ?? 8,
    height: content.height ?? 8,
    fieldConfig: {
      defaults: {
        unit: content.unit,
        min: 0,
        color: { mode: 'palette-classic' },
        custom,
        ...(thresholds === undefined ? {} : { thresholds: steps(thresholds) }),
      },
      overrides: Object.entries(colors).map(([name, fixedColor]) => ({
        matcher: { id: 'byName', options: name },
        properties: [{ id: 'color', value: { mode: 'fixed', fixedColor } }],
      })),
    },
    options: {
      legend: { displayMode: 'table', placement: 'bottom', showLegend: true, calcs: ['lastNotNull', 'max'] },
      tooltip: { mode: 'multi', sort: 'desc' },
    },
  };
}

/** One number, as it is at the end of the board's time range. */
export function stat(content: PanelContent): Panel {
  return {
    ...common('stat', content, { instant: true }),
    width: content.width ?? 4,
    height: content.height ?? 4,
    fieldConfig: { defaults: coloured(content), overrides: [] },
    options: {
      reduceOptions: { calcs: ['lastNotNull'], fields: '', values: false },
      colorMode: 'value',
      graphMode: 'none',
      textMode: content.queries.length > 1 ? 'value_and_name' : 'value',
    },
  };
}

/** One bar for each series, as they are at the end of the board's time range. */
export function barGauge(content: PanelContent): Panel {
  return {
    ...common('bargauge', content, { instant: true }),
    width: content.width ?? 8,
    height: content.height ?? 8,
    fieldConfig: { defaults: { ...coloured(content), min: 0 }, overrides: [] },
    options: {
      reduceOptions: { calcs: ['lastNotNull'], fields: '', values: false },
      orientation: 'horizontal',
      displayMode: 'gradient',
    },
  };
}

/** The labels of each series of one query as a row. */
export function table(content: PanelContent & { readonly columns: readonly string[] }): Panel {
  return {
    ...common('table', content, { instant: true, format: 'table' }),
    width: content.width ?? 8,
    height: content.height ?? 8,
    fieldConfig: { defaults: coloured(content), overrides: [] },
    options: { showHeader: true },
    transformations: [
      { id: 'filterFieldsByName', options: { include: { names: content.columns } } },
      {
        id: 'organize',
        options: { indexByName: Object.fromEntries(content.columns.map((column, index) => [column, index])) },
      },
    ],
  };
}

interface Common {
  readonly type: string;
  readonly title: string;
  readonly description: string;
  readonly datasource: typeof DATASOURCE;
  readonly targets: readonly object[];
}

/** @param kind of question: over the time range, or once */
function common(type: string, { title, description, queries }: PanelContent, kind: object): Common {
  const targets = queries.map(({ expr, legend }, index) => ({
    refId: String.fromCharCode('A'.charCodeAt(0) + index),
    datasource: DATASOURCE,
    editorMode: 'code',
    expr,
    legendFormat: legend,
    ...kind,
  }));
  return { type, title, description, datasource: DATASOURCE, targets };
}

function coloured({ unit, thresholds = { from: 'green', steps: [] } }: PanelContent): object {
  return { unit, color: { mode: 'thresholds' }, thresholds: steps(thresholds) };
}

function steps({ from, steps: above }: Thresholds): object {
  return {
    mode: 'absolute',
    steps: [{ color: from, value: null }, ...above.map(({ at, color }) => ({ color, value: at }))],
  };
}
