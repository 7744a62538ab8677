/** A process of a test: opens the model of its first argument in the cache of its second, tells its parent the path or the error, and uses it until that disconnects. */
import { systemClock } from '../../../common/platform/clock.ts';
import { errorText } from '../node-error.ts';
import { openModel } from '../open-model.ts';

const [uri = '', directory = '', limit] = process.argv.slice(2);
const environment = { PILOTLIGHT_MODEL_CACHE_BYTES: limit };
process.once('disconnect', () => process.exit(0));
try {
  const signal = new AbortController().signal;
  const { path } = await openModel({ uri }, { directory, clock: systemClock, signal, environment });
  process.send?.({ path });
} catch (error) {
  process.send?.({ error: errorText(error) });
}
