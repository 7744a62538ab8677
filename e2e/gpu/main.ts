/**
 * Runs the suite of this folder on a GPU and then prints its figures. Where there is none it says so and ends with 0, because nothing is wrong with
 * the project; where there is one that cannot be used, it ends with 1. PROVIDER=CPU tries the suite itself without a GPU.
 */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { findDevice } from './device.ts';

const ROOT = join(import.meta.dirname, '..', '..');

const device =
  process.env['PROVIDER'] === 'CPU' ? { name: 'CPU in place of a GPU, which says nothing of one' } : findDevice();
if ('missing' in device) {
  const say = device.missing === 'gpu' ? console.log : console.error;
  say(`No GPU test ran. ${device.why}`);
  process.exit(device.missing === 'gpu' ? 0 : 1);
}
console.log(`On ${device.name}`);
const node = ['--experimental-vm-modules', '--disable-warning=ExperimentalWarning', 'node_modules/jest/bin/jest.js'];
for (const args of [
  [...node, '--runInBand', '--testMatch=**/*.gpu.test.ts', '--testPathIgnorePatterns=/node_modules/'],
  ['e2e/gpu/figures.ts'],
]) {
  const { status } = spawnSync(process.execPath, args, { cwd: ROOT, stdio: 'inherit' });
  if (status !== 0) process.exit(1);
}
