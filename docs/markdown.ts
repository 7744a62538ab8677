/** Reads what a Markdown page holds, for the tests that hold pages against the code. It knows no more of the language than these pages use. */
import { readFileSync } from 'node:fs';

export interface CodeBlock {
  /** `sh`, `yaml`, `text`, …; empty without one. */
  readonly language: string;
  readonly text: string;
}

/** A page of this folder, by its path in it. */
export function readPage(path: string): string {
  return readFileSync(new URL(path, import.meta.url), 'utf8');
}

export function codeBlocks(page: string): CodeBlock[] {
  return [...page.matchAll(/^( *)```(\w*)\n([\s\S]*?)^\1```$/gm)].map(([, indent = '', language = '', text = '']) => ({
    language,
    text: text.replaceAll(new RegExp(`^${indent}`, 'gm'), ''),
  }));
}

/** What a page tells its reader to type, each with what is then to be seen. */
export interface Step {
  readonly commands: string;
  readonly expected: readonly string[];
  readonly needsCluster: boolean;
}

export function steps(page: string): Step[] {
  const found: (Step & { expected: string[] })[] = [];
  for (const { language, text } of codeBlocks(page)) {
    if (language === 'sh') found.push({ commands: text, expected: [], needsCluster: /^(?:kubectl|helm) /m.test(text) });
    if (language === 'text') found.at(-1)?.expected.push(text);
  }
  return found;
}

/** Targets of links and images, outside of code. */
export function linkTargets(page: string): string[] {
  const prose = page.replaceAll(/^( *)```[\s\S]*?^\1```$/gm, '').replaceAll(/`[^`\n]*`/g, '');
  return [...prose.matchAll(/\]\(([^)\s]+)\)/g)].map(([, target = '']) => target);
}

/** What a link can name behind `#`: headings as GitHub writes them. */
export function anchors(page: string): string[] {
  const prose = page.replaceAll(/^( *)```[\s\S]*?^\1```$/gm, '');
  return [...prose.matchAll(/^#+ +(.+)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  );
}

/** Cells of the first table below the heading, without its own first two lines; the marks of code are taken off cells that are code alone. */
export function tableBelow(page: string, heading: string): string[][] {
  const start = page.indexOf(`\n${heading}\n`);
  if (start === -1) throw new Error(`The page has no heading "${heading}".`);
  const table = /(?:^\|.*\|\n)+/m.exec(page.slice(start))?.[0] ?? '';
  const rows = table.trimEnd().split('\n').slice(2);
  return rows.map((row) =>
    row
      .slice(1, -1)
      .split(/(?<!\\)\|/)
      .map((cell) =>
        cell
          .trim()
          .replaceAll('\\|', '|')
          .replace(/^`([^`]*)`$/, '$1'),
      ),
  );
}
