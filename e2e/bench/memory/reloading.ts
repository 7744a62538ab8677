/** Loads the model at the given path and lets it go, as often as told, in this one process; prints its resident memory in MiB after each. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '../../../common/platform/clock.ts';
import { createLogger } from '../../../common/platform/logging.ts';
import { loadModel } from '../../../runtime/model/load-model.ts';
import { defaultSpecification } from '../../server/start-runtime.ts';

const [path = '', count = ''] = process.argv.slice(2);
const directory = mkdtempSync(join(tmpdir(), 'pilotlight-reload-'));
const logger = createLogger('bench', 'error');
for (let load = 0; load < Number(count); load++) {
  const { signal } = new AbortController();
  const specification = defaultSpecification({ name: 'mlp', path });
  const model = await loadModel(specification, { directory, clock: systemClock, logger, signal });
  await model.close();
  console.log(process.memoryUsage.rss() / 2 ** 20);
}
rmSync(directory, { recursive: true });
