/**
 * Reads what a chart's values.yaml says of its keys: a comment that begins with `# --`, and the lines right under it, describe the key that follows. It
 * knows block mappings only; what lies below a described key that has no descriptions of its own is that key's value.
 */

export interface DocumentedValue {
  /** `gateway.ingress.hosts`. */
  readonly path: string;
  /** One line of Markdown. */
  readonly description: string;
}

const KEY = /^( *)([A-Za-z]\w*):/;
const COMMENT = /^ *# ?(.*)$/;

/** In the order of the file. Throws an Error that names the line of a description that belongs to no key. */
export function documentedValues(text: string): DocumentedValue[] {
  const found: DocumentedValue[] = [];
  const keys: { readonly indent: number; readonly name: string }[] = [];
  let description: string[] | undefined;
  for (const [index, line] of text.split('\n').entries()) {
    const comment = COMMENT.exec(line)?.[1];
    if (comment?.startsWith('-- ')) description = [comment.slice(3)];
    else if (comment !== undefined) description?.push(comment);
    else {
      const [, spaces = '', name] = KEY.exec(line) ?? [];
      if (name !== undefined) {
        while ((keys.at(-1)?.indent ?? -1) >= spaces.length) keys.pop();
        keys.push({ indent: spaces.length, name });
      }
      if (description === undefined) continue;
      if (name === undefined) throw new Error(`Line ${index + 1} must be the key that the comment above it describes.`);
      found.push({ path: keys.map((key) => key.name).join('.'), description: description.join(' ') });
      description = undefined;
    }
  }
  return found;
}
