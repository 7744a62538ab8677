/** A model's inputs and outputs as a type, so that a wrong name, datatype or rank does not compile. `pilotlight client-types` prints it. */
import type { Datatype, InputTensor, OutputTensor, Shape } from './tensors.ts';

/** One input or output. `shape` may be left out, which takes any. */
export interface TensorSchema {
  readonly datatype: Datatype;
  readonly shape?: Shape;
}

/**
 * What a model takes and gives.
 *
 * @example
 * type Digits = {
 *   inputs: { pixels: { datatype: 'FP32'; shape: [number, 64] } };
 *   outputs: { label: { datatype: 'INT64'; shape: [number] }; probabilities: { datatype: 'FP32'; shape: [number, 10] } };
 * };
 * const digits = client.model<Digits>('digits');
 */
export interface ModelSchema {
  readonly inputs: Readonly<Record<string, TensorSchema>>;
  readonly outputs: Readonly<Record<string, TensorSchema>>;
}

type ShapeOf<T extends TensorSchema> = T extends { readonly shape: infer S extends Shape } ? Readonly<S> : Shape;

/** The inputs of an inference, by name. */
export type Inputs<M extends ModelSchema> = {
  readonly [Name in keyof M['inputs']]: InputTensor<M['inputs'][Name]['datatype'], ShapeOf<M['inputs'][Name]>>;
};

export type OutputName<M extends ModelSchema> = keyof M['outputs'] & string;

/** The outputs of an inference, by name. */
export type Outputs<M extends ModelSchema, Name extends OutputName<M> = OutputName<M>> = {
  readonly [Key in Name]: OutputTensor<M['outputs'][Key]['datatype'], ShapeOf<M['outputs'][Key]>>;
};
