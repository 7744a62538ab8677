/** A board as Grafana imports it: rows of panels, laid out from left to right, with the variables that every board has. */
import { DATASOURCE, type Panel } from './panel.ts';

const COLUMNS = 24;

export interface Row {
  readonly title: string;
  readonly panels: readonly Panel[];
}

export interface Variable {
  readonly name: string;
  readonly label: string;
  /** Its values: `label_values(metric, label)`. */
  readonly query: string;
}

export interface DashboardContent {
  /** Part of its address, so it stays for ever. */
  readonly uid: string;
  readonly title: string;
  readonly description: string;
  readonly variables: readonly Variable[];
  readonly rows: readonly Row[];
}

/** Boards with this tag link to one another. */
const TAG = 'pilotlight';

export function makeDashboard({ uid, title, description, variables, rows }: DashboardContent): object {
  return {
    uid,
    title,
    description,
    tags: [TAG],
    // Of Grafana 10.0; later ones migrate it by themselves.
    schemaVersion: 38,
    version: 1,
    editable: true,
    graphTooltip: 1,
    refresh: '30s',
    time: { from: 'now-1h', to: 'now' },
    timezone: 'browser',
    links: [
      {
        type: 'dashboards',
        title: 'Pilotlight',
        tags: [TAG],
        asDropdown: false,
        includeVars: true,
        keepTime: true,
        targetBlank: false,
      },
    ],
    templating: {
      list: [
        { name: 'datasource', label: 'Data source', type: 'datasource', query: 'prometheus', refresh: 1, hide: 0 },
        ...variables.map(variable),
      ],
    },
    annotations: { list: [] },
    panels: layOut(rows),
  };
}

function variable({ name, label, query }: Variable): object {
  return {
    name,
    label,
    type: 'query',
    datasource: DATASOURCE,
    definition: query,
    query: { query, refId: name },
    // When the time range changes: functions come and go.
    refresh: 2,
    sort: 1,
    multi: true,
    includeAll: true,
    allValue: '.*',
    current: { text: ['All'], value: ['$__all'] },
    hide: 0,
  };
}

function layOut(rows: readonly Row[]): object[] {
  const placed: object[] = [];
  let y = 0;
  for (const { title, panels } of rows) {
    placed.push({
      id: placed.length + 1,
      type: 'row',
      title,
      collapsed: false,
      panels: [],
      gridPos: { x: 0, y, w: COLUMNS, h: 1 },
    });
    y += 1;
    let x = 0;
    let lineHeight = 0;
    for (const { width, height, ...panel } of panels) {
      if (x + width > COLUMNS) {
        x = 0;
        y += lineHeight;
        lineHeight = 0;
      }
      placed.push({ id: placed.length + 1, ...panel, gridPos: { x, y, w: width, h: height } });
      x += width;
      lineHeight = Math.max(lineHeight, height);
    }
    y += lineHeight;
  }
  return placed;
}
