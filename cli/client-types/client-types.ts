/** `pilotlight client-types`: asks a server what a model takes and gives, and prints it as a type for `pilotlight/client`. */
import { InferenceClient } from '../../client/inference-client.ts';
import { UsageError, type Command } from '../command.ts';
import { modelType } from './model-type.ts';

export const clientTypes: Command = {
  name: 'client-types',
  summary: 'Prints the inputs and outputs of a model as a TypeScript type.',
  positionals: 'URL MODEL',
  options: {
    version: { value: 'VERSION', description: 'version of the model (default the one that the server chooses)' },
  },
  async run(positionals, options, terminal) {
    const [url, model, ...rest] = positionals;
    if (url === undefined || model === undefined || rest.length > 0) {
      throw new UsageError('Name the address of a server and one of its models.');
    }
    if (!URL.canParse(url)) throw new UsageError(`${url} is no address; give one like http://digits.default.`);
    const client = new InferenceClient(url);
    terminal.out(modelType(await client.model(model, options['version']).metadata({ signal: terminal.interrupted })));
    return 0;
  },
};
