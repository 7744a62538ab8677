/** The configuration of an operator in a test: beside gateways that are no pods, and with nothing of its own in the cluster. */
import type { OperatorConfiguration } from './configuration.ts';
import { DEFAULT_POD_SETTINGS } from './pods/pod-settings.ts';

export function operatorConfiguration(own: Partial<OperatorConfiguration> = {}): OperatorConfiguration {
  return {
    name: 'operator-0',
    namespace: 'pilotlight-system',
    images: { cpu: 'runtime:1', cuda: 'runtime:1' },
    url: (namespace, name) => `http://${name}.${namespace}`,
    gateways: [],
    healthPort: 0,
    healthHost: '127.0.0.1',
    runtimeLogLevel: 'info',
    runtimePods: DEFAULT_POD_SETTINGS,
    budgets: [],
    gatewayHost: undefined,
    networkPolicies: false,
    ...own,
  };
}
