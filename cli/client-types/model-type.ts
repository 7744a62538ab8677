/** A model's metadata as the TypeScript type that `pilotlight/client` takes. Pure. */
import { isDatatype } from '../../client/datatypes.ts';
import type { ModelMetadata, TensorMetadata } from '../../client/metadata.ts';

const IDENTIFIER = /^[A-Za-z_$][\w$]*$/;

/** The source of `export type Name = {…};`. Throws for a datatype that the client does not know. */
export function modelType({ name, inputs, outputs }: ModelMetadata): string {
  return [
    `/** What ${JSON.stringify(name).replaceAll('*/', '*\\/')} takes and gives, for \`client.model<${typeName(name)}>(…)\` of pilotlight/client. */`,
    `export type ${typeName(name)} = {`,
    ...members('inputs', inputs),
    ...members('outputs', outputs),
    '};',
  ].join('\n');
}

function members(side: 'inputs' | 'outputs', tensors: readonly TensorMetadata[]): string[] {
  if (tensors.length === 0) return [`  ${side}: Record<never, never>;`];
  return [`  ${side}: {`, ...tensors.map((tensor) => `    ${member(tensor)}`), '  };'];
}

function member({ name, datatype, shape }: TensorMetadata): string {
  if (!isDatatype(datatype)) {
    throw new Error(`${JSON.stringify(name)} has the datatype ${JSON.stringify(datatype)}, which the client lacks.`);
  }
  const key = IDENTIFIER.test(name) ? name : JSON.stringify(name);
  // Nothing of a stranger's server but integers goes into the source.
  const dimensions = shape.map((dimension) => (Number.isInteger(dimension) && dimension >= 0 ? dimension : 'number'));
  return `${key}: { datatype: '${datatype}'; shape: [${dimensions.join(', ')}] };`;
}

/** `voice-activity` is VoiceActivity. */
function typeName(model: string): string {
  const words = model.split(/[^A-Za-z0-9]+/).filter((word) => word !== '');
  const name = words.map((word) => word.slice(0, 1).toUpperCase() + word.slice(1)).join('');
  return /^[A-Za-z]/.test(name) ? name : `Model${name}`;
}
