#!/usr/bin/env node
// Plain JavaScript of 2019: whatever Node the machine has must be able to run this file, which then starts the Node that comes with the project.
'use strict';
const { spawn } = require('node:child_process');
const { existsSync } = require('node:fs');
const { join } = require('node:path');

const REQUIRED_MAJOR = 24;
const root = join(__dirname, '..', '..');
const program = join(root, 'dist', 'pilotlight.js');

function node() {
  if (Number(process.versions.node.split('.')[0]) >= REQUIRED_MAJOR) return process.execPath;
  for (const name of ['node', 'node.exe']) {
    const own = join(root, 'node_modules', 'node', 'bin', name);
    if (existsSync(own)) return own;
  }
  fail(
    'Pilotlight needs Node ' +
      REQUIRED_MAJOR +
      ' or newer; this is ' +
      process.version +
      '. `npm ci` in ' +
      root +
      ' brings the right one.',
  );
}

function fail(message) {
  process.stderr.write(message + '\n');
  process.exit(1);
}

if (!existsSync(program)) fail('Pilotlight is not built yet. Run `npm run build` in ' + root + '.');
const child = spawn(node(), [program, ...process.argv.slice(2)], { stdio: 'inherit' });
// A terminal signals the whole group, so the child gets its own; this process only waits and passes on what came to it alone.
process.on('SIGINT', () => {});
process.on('SIGTERM', () => child.kill('SIGTERM'));
child.on('error', (error) => fail('Node could not be started: ' + error.message));
child.on('exit', (code, signal) => {
  if (signal === null) process.exit(code);
  process.removeAllListeners(signal);
  process.kill(process.pid, signal);
});
