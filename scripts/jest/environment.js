import { TestEnvironment } from 'jest-environment-node';

// The test realm gets the outer realm's binary types: native addons and Node's own APIs make buffers there, and
// onnxruntime-node compares constructors by identity ("data must be type of function Float32Array()", jest#11864).
const SHARED = [
  'ArrayBuffer',
  'SharedArrayBuffer',
  'Uint8Array',
  'Int8Array',
  'Uint8ClampedArray',
  'Uint16Array',
  'Int16Array',
  'Uint32Array',
  'Int32Array',
  'BigUint64Array',
  'BigInt64Array',
  'Float16Array',
  'Float32Array',
  'Float64Array',
];

export default class Environment extends TestEnvironment {
  constructor(config, context) {
    super(config, context);
    for (const name of SHARED) if (globalThis[name]) this.global[name] = globalThis[name];
  }

  /** A fixture that knows more of a failure than the assertion says puts `onTestFailure` into the global scope. */
  async handleTestEvent({ name }) {
    if (name === 'test_fn_failure' || name === 'hook_failure') await this.global.onTestFailure?.();
  }
}
