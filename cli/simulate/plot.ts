/** Draws panels of lines over time as SVG. Pure. Colours follow the reader's light or dark scheme. */
import { axis, timeUnit } from './axis.ts';

export interface Series {
  readonly label: string;
  /** An area is filled down to the axis, over those of the series before it. */
  readonly colour: 'blue' | 'orange' | 'ink' | 'red';
  readonly kind: 'area' | 'line';
  /** A value for each second from 0 on; it holds until the next one. */
  readonly values: readonly number[];
}

export interface Panel {
  readonly title: string;
  /** Of the vertical axis. */
  readonly unit: string;
  readonly series: readonly Series[];
}

const WIDTH = 960;
const LEFT = 70;
const RIGHT = 20;
const TOP = 50;
const PANEL = 150;
/** Between panels, for the title and the legend of the next one. */
const GAP = 56;
const COLUMNS = WIDTH - LEFT - RIGHT;

const STYLE = `
svg { --paper: #fff; --ink: #1f2328; --faint: #d1d9e0; --blue: #0969da; --orange: #bc4c00; --red: #cf222e;
  --blue-fill: #a7c8ee; --orange-fill: #e8bfa2; --red-fill: #f0aeb2; font: 13px system-ui, sans-serif; }
@media (prefers-color-scheme: dark) {
  svg { --paper: #0d1117; --ink: #f0f6fc; --faint: #3d444d; --blue: #4493f8; --orange: #f0883e; --red: #f85149;
    --blue-fill: #20395c; --orange-fill: #573a26; --red-fill: #5a2a2e; }
}
.paper { fill: var(--paper); } text { fill: var(--ink); } .title { font-size: 16px; font-weight: 600; } .panel { font-weight: 600; }
.grid { stroke: var(--faint); } .axis { stroke: var(--ink); } .line { fill: none; stroke-width: 1.5; } .area { stroke-width: 1; }
.blue { --c: var(--blue); --f: var(--blue-fill); } .orange { --c: var(--orange); --f: var(--orange-fill); }
.red { --c: var(--red); --f: var(--red-fill); } .ink { --c: var(--ink); stroke-dasharray: 5 3; }
.line, .area { stroke: var(--c); } .area { fill: var(--f); }`;

export function plot(title: string, seconds: number, panels: readonly Panel[]): string {
  const height = TOP + panels.length * (PANEL + GAP);
  const bodies = panels.map((panel, index) => drawPanel(panel, seconds, TOP + index * (PANEL + GAP) + 24));
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" role="img" aria-label="${escaped(title)}">`,
    `<title>${escaped(title)}</title>`,
    `<style>${STYLE}</style>`,
    `<rect class="paper" width="${WIDTH}" height="${height}"/>`,
    `<text class="title" x="${LEFT}" y="26">${escaped(title)}</text>`,
    ...bodies,
    '</svg>',
    '',
  ].join('\n');
}

function drawPanel({ title, unit, series }: Panel, seconds: number, top: number): string {
  const most = series.reduce((peak, { values }) => values.reduce((a, b) => Math.max(a, b), peak), 0);
  const vertical = axis(most, 4, most <= 4 ? 1 : 0);
  const time = timeUnit(seconds);
  const horizontal = axis(seconds / time.seconds, 10);
  const bottom = top + PANEL;
  const y = (value: number): string => (bottom - (PANEL * value) / vertical.end).toFixed(1);
  const x = (at: number): string => (LEFT + (COLUMNS * at) / (horizontal.end * time.seconds)).toFixed(1);
  return [
    `<text class="panel" x="${LEFT}" y="${top - 10}">${escaped(`${title} (${unit})`)}</text>`,
    ...legend(series, top - 10),
    ...vertical.ticks.flatMap((tick) => [
      `<line class="grid" x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${y(tick)}" y2="${y(tick)}"/>`,
      `<text text-anchor="end" dominant-baseline="middle" x="${LEFT - 8}" y="${y(tick)}">${tick}</text>`,
    ]),
    ...series.map((each) => drawSeries(each, x, y, horizontal.end * time.seconds)),
    `<path class="axis line" d="M${LEFT} ${top}V${bottom}H${WIDTH - RIGHT}"/>`,
    ...horizontal.ticks.map((tick, index) => {
      const isLast = index === horizontal.ticks.length - 1;
      const label = isLast ? `${tick} ${time.name}` : String(tick);
      return `<text text-anchor="${isLast ? 'end' : 'middle'}" x="${x(tick * time.seconds)}" y="${bottom + 17}">${label}</text>`;
    }),
  ].join('\n');
}

/** From the right, in the line of the panel's title. */
function legend(series: readonly Series[], y: number): string[] {
  const places = series.map(({ label }) => 34 + label.length * 7.5);
  return series.flatMap(({ label, colour, kind }, index) => {
    const x = WIDTH - RIGHT - places.slice(index).reduce((sum, width) => sum + width, 0);
    const mark = kind === 'area' ? `M${x} ${y - 9}h18v9h-18z` : `M${x} ${y - 4}h18`;
    return [`<path class="${kind} ${colour}" d="${mark}"/>`, `<text x="${x + 24}" y="${y}">${escaped(label)}</text>`];
  });
}

/** A step for each column of the picture that has another value: a week has more seconds than a screen has dots. */
function drawSeries(
  { colour, kind, values }: Series,
  x: (at: number) => string,
  y: (value: number) => string,
  span: number,
): string {
  const perColumn = Math.max(1, Math.floor(span / COLUMNS));
  const steps: string[] = [];
  let before: number | undefined;
  for (let at = 0; at < values.length; at += perColumn) {
    const value = values.slice(at, at + perColumn).reduce((a, b) => Math.max(a, b), 0);
    if (value !== before) steps.push(steps.length === 0 ? `M${x(at)} ${y(value)}` : `H${x(at)}V${y(value)}`);
    before = value;
  }
  if (steps.length === 0) return '';
  const end = x(values.length - 1);
  const closed = kind === 'area' ? `V${y(0)}H${x(0)}Z` : '';
  return `<path class="${kind} ${colour}" d="${steps.join('')}H${end}${closed}"/>`;
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}
