/**
 * Does a parsed request suit the model? Names, datatypes, ranks and fixed dimensions are decided here and not by ONNX Runtime, because each run that
 * fails leaks a kilobyte and a client could fail as many as it likes. Element counts were checked against the shapes when the request was parsed.
 */
import { nearest } from '../../common/text/nearest.ts';
import type { ModelFacts, TensorFacts } from '../../common/wire/announcement.ts';
import type { Tensor } from '../inference.ts';
import type { ParsedRequest, RequestedOutput } from './parse-request.ts';
import { ProtocolError, quote } from './protocol-error.ts';

/** Throws ProtocolError with the first thing that does not suit. */
export function checkRequest(request: ParsedRequest, facts: Pick<ModelFacts, 'inputs' | 'outputs'>): void {
  checkNames('input', request.inputs, facts.inputs);
  for (const input of request.inputs) checkTensor(input, facts.inputs);
  const missing = facts.inputs.find((known) => !request.inputs.some(({ name }) => name === known.name));
  if (missing !== undefined) {
    throw new ProtocolError(
      `Input "${missing.name}" is missing; the model takes ${missing.datatype} of shape ${shapeText(missing.shape)}.`,
    );
  }
  if (request.outputs !== undefined) checkNames('output', request.outputs, facts.outputs);
}

function checkNames(
  kind: 'input' | 'output',
  given: readonly (Tensor | RequestedOutput)[],
  facts: readonly TensorFacts[],
): void {
  for (const [index, { name }] of given.entries()) {
    if (!facts.some((known) => known.name === name)) {
      const known = facts.map((fact) => fact.name);
      const meant = nearest(name, known);
      const hint = meant === undefined ? `it has ${known.map(quote).join(', ')}` : `did you mean ${quote(meant)}?`;
      throw new ProtocolError(`The model has no ${kind} ${quote(name)}; ${hint}`);
    }
    // At most one more than the model has is ever compared: the next one is a duplicate or unknown.
    if (given.findIndex((other) => other.name === name) < index) {
      throw new ProtocolError(`The ${kind} ${quote(name)} is given more than once.`);
    }
  }
}

function checkTensor({ name, datatype, shape }: Tensor, facts: readonly TensorFacts[]): void {
  const fact = facts.find((known) => known.name === name);
  if (fact === undefined) return;
  if (fact.datatype !== datatype) {
    throw new ProtocolError(`Input "${name}" must be ${fact.datatype} but is ${datatype}.`);
  }
  if (fact.isAnyShape === true) return;
  if (
    fact.shape.length !== shape.length ||
    fact.shape.some((wanted, index) => wanted >= 0 && wanted !== shape[index])
  ) {
    throw new ProtocolError(
      `Input "${name}" must have the shape ${shapeText(fact.shape)}, -1 being any, but has ${shapeText(shape)}.`,
    );
  }
}

function shapeText(shape: readonly number[]): string {
  return `[${shape.join(', ')}]`;
}
