/** Which of many files is the model: Triton's layout, a folder with one ONNX file, or such a folder in another. It only looks at names. */

export type Choice = { readonly path: string } | { readonly problem: string };

/** An archive of a folder has it as its only entry; more than a few levels of that are a mistake. */
const MOST_WRAPPERS = 3;

/**
 * | files                                        | model           |
 * | -------------------------------------------- | --------------- |
 * | 1/model.onnx, 12/model.onnx, config.pbtxt    | 12/model.onnx   |
 * | weights.bin, net.onnx                        | net.onnx        |
 * | model.onnx, model_quantized.onnx             | model.onnx      |
 * | onnx/model.onnx, config.json                 | onnx/model.onnx |
 * | digits/1/model.onnx                          | digits/1/model.onnx |
 * | a.onnx, b.onnx                               | none: ambiguous |
 */
export function chooseModel(paths: readonly string[]): Choice {
  return chooseBelow(
    '',
    paths.filter((path) => !isJunk(path)),
    MOST_WRAPPERS,
  );
}

function chooseBelow(folder: string, paths: readonly string[], wrappers: number): Choice {
  const own = paths.filter((path) => !path.includes('/'));
  const models = own.filter((path) => /\.onnx$/i.test(path));
  const [model] = models;
  if (models.length === 1 && model !== undefined) return { path: folder + model };
  if (models.includes('model.onnx')) return { path: `${folder}model.onnx` };
  if (models.length > 1) {
    return {
      problem: `${folder === '' ? 'it' : folder} has several ONNX files (${list(models)}); name one in the URI`,
    };
  }
  const folders = [...new Set(paths.flatMap((path) => (path.includes('/') ? [path.slice(0, path.indexOf('/'))] : [])))];
  const into = (name: string): Choice => {
    const below = paths.filter((path) => path.startsWith(`${name}/`)).map((path) => path.slice(name.length + 1));
    return chooseBelow(`${folder}${name}/`, below, wrappers - 1);
  };
  const versions = folders
    .filter((name) => /^[1-9]\d{0,14}$/.test(name))
    .filter((name) => paths.some((path) => path.startsWith(`${name}/`) && /^[^/]+\/[^/]+\.onnx$/i.test(path)));
  const [newest] = versions.sort((a, b) => Number(b) - Number(a));
  if (newest !== undefined) return into(newest);
  const next = folders.includes('onnx') ? 'onnx' : folders.length === 1 ? folders[0] : undefined;
  if (next !== undefined && wrappers > 0) return into(next);
  return { problem: paths.length === 0 ? 'it is empty' : `it has no ONNX file (${list(paths)})` };
}

/** What macOS puts into archives. */
function isJunk(path: string): boolean {
  return /(?:^|\/)(?:__MACOSX\/|\._|\.DS_Store$)/.test(path);
}

function list(names: readonly string[]): string {
  const shown = names.slice(0, 5).join(', ');
  return names.length > 5 ? `${shown} and ${names.length - 5} more` : shown;
}
