/** Whether this machine can run the CUDA provider, by what is on it. */
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

export type Device = { readonly name: string } | { readonly missing: 'gpu' | 'library'; readonly why: string };

const LIBRARY = 'libonnxruntime_providers_cuda.so';

export function findDevice(): Device {
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    return {
      missing: 'gpu',
      why: `ONNX Runtime for Node has a CUDA provider for linux/x64 alone; this is ${process.platform}/${process.arch}.`,
    };
  }
  if (!existsSync('/dev/nvidia0'))
    return { missing: 'gpu', why: 'There is no NVIDIA GPU on this machine (no /dev/nvidia0).' };
  const runtime = dirname(createRequire(import.meta.url).resolve('onnxruntime-node/package.json'));
  if (!existsSync(join(runtime, 'bin', 'napi-v6', 'linux', 'x64', LIBRARY))) {
    const install = 'ONNXRUNTIME_NODE_INSTALL=cuda12 node node_modules/onnxruntime-node/script/install';
    return {
      missing: 'library',
      why: `There is an NVIDIA GPU, but no ${LIBRARY}. ${install} fetches it; it needs CUDA 12 and cuDNN 9 on LD_LIBRARY_PATH, as runtime/Dockerfile has them.`,
    };
  }
  return { name: deviceName() };
}

function deviceName(): string {
  try {
    const version = readFileSync('/proc/driver/nvidia/version', 'utf8').split('\n')[0] ?? '';
    return version.replaceAll(/\s+/g, ' ');
  } catch {
    return 'an NVIDIA GPU';
  }
}
