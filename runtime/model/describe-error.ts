/**
 * ONNX Runtime's error texts as a sentence for a client: which node, and what was wrong. Its texts carry colours, source files, C++ signatures and
 * the paths of this machine, none of which help anybody but its authors.
 *
 * `Non-zero status code returned while running Gather node. Name:'pick' Status Message: indices element out of data bounds, idx=9 …`
 * becomes `Gather node "pick": indices element out of data bounds, idx=9 …`.
 */
import { errorText } from '../node-error.ts';

const MAXIMUM_LENGTH = 500;

const COLOURS = /\u001b\[[0-9;]*m/g;
const PREFIXES = /\[ONNXRuntimeError\] : \d+ : [A-Z_]+ : |^Load model from .*? failed:|^Exception during \w+: /g;
/** `/src/a/b.h:563 void onnxruntime::Name(type, type) `, up to where the signature's outermost parentheses close. */
const SOURCE =
  /(?:\/[\w.+-]+)+\.(?:cc|cpp|cu|h|hpp|cuh):\d+ [\w:<>*&,~ \t[\]=]*?\([^()]*(?:\([^()]*\)[^()]*)*\)(?: const)?(?: \[with [^\]]*\])? ?/g;
/** The same in the short form, `matmul_helper.h:59 Compute `. */
const SHORT_SOURCE = /\b\w+\.(?:cc|cpp|cu|h|hpp|cuh):\d+ \w+ /g;
const PATHS = /(?:^|(?<=[\s"'(=]))\/(?:[\w.@+-]+\/)+[\w.@+-]*/g;
const NODE = /Non-zero status code returned while running (\S+) node\. Name:'([^']*)' Status Message: /;

export function describeError(error: unknown): string {
  const sentence = errorText(error)
    .replace(COLOURS, '')
    .replace(PREFIXES, '')
    .replace(NODE, (_, operator: string, name: string) =>
      name === '' ? `${operator} node: ` : `${operator} node "${name}": `,
    )
    .replace(SOURCE, '')
    .replace(SHORT_SOURCE, '')
    .replace(PATHS, '(file)')
    .replace(/\s+/g, ' ')
    .trim();
  return sentence.length <= MAXIMUM_LENGTH ? sentence : `${sentence.slice(0, MAXIMUM_LENGTH)} …`;
}

/** Whether a failed run speaks of the machine (memory, the device, a missing kernel) and not of the data that went in. */
export function isMachineFailure(message: string): boolean {
  return /allocate memory|out of memory|bad allocation|bad_alloc|CUDA(?: failure| error)|CUDNN|CUBLAS|TensorRT|NOT_IMPLEMENTED|not implemented/i.test(
    message,
  );
}
