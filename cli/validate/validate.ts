/** `pilotlight validate`: checks manifests against the API, offline. */
import { type Command, UsageError } from '../command.ts';
import { readManifestFiles } from '../local/manifest-files.ts';
import { formatFinding, validateManifests } from './validate-manifests.ts';

export const validate: Command = {
  name: 'validate',
  summary: 'Check manifests against the API, with line numbers',
  positionals: 'PATH...',
  options: {},
  run: async (paths, _options, terminal) => {
    if (paths.length === 0) throw new UsageError('Name at least one file or folder of manifests.');
    const findings = validateManifests(await readManifestFiles(paths));
    for (const finding of findings) terminal.out(formatFinding(finding));
    return findings.some(({ severity }) => severity === 'error') ? 1 : 0;
  },
};
