/** The operator may do with the API what it does, and no more; the gateway nothing. */
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import * as resources from '../../operator/cluster/resources.ts';
import { LEASE_NAME } from '../../operator/leadership/lease-record.ts';
import { render, type Manifest } from './support/chart.ts';
import { deployment, environment, find } from './support/workloads.ts';

const ROOT = join(import.meta.dirname, '../..');
const SOURCES = globSync('operator/**/*.ts', { cwd: ROOT }).filter(
  (file) => !/test|fixture|conformance|operator\/cluster\/memory/.test(file),
);

/** How code asks for something, the resource being the group; and the verbs that it takes, with the subresource. */
const CALLS: readonly (readonly [RegExp, readonly string[]])[] = [
  [/\bcluster\.get\(\s*([A-Z][A-Z_]+)\b/g, ['get']],
  [/\bcluster\.list\(\s*([A-Z][A-Z_]+)\b/g, ['list']],
  [/\bcluster\.create\(\s*([A-Z][A-Z_]+)\b/g, ['create']],
  [/\bcluster\.update\(\s*([A-Z][A-Z_]+)\b/g, ['update']],
  [/\bcluster\.delete\(\s*([A-Z][A-Z_]+)\b/g, ['delete']],
  [/\bcluster\.patchStatus\(\s*([A-Z][A-Z_]+)\b/g, ['patch /status']],
  [/\bcluster\.scale\(\s*([A-Z][A-Z_]+)\b/g, ['patch /scale']],
  // The election creates or updates its Lease.
  [/\bcluster\[write\]\(\s*([A-Z][A-Z_]+)\b/g, ['create', 'update']],
  // It looks who is there after a conflict.
  [/\bdeleteExactly\(\s*\S+\s*([A-Z][A-Z_]+)\b/g, ['delete', 'get']],
  [/\bstillExists\(\s*\S+\s*([A-Z][A-Z_]+)\b/g, ['get']],
  // A cache lists, watches, and looks whether what it missed for long is there.
  [/\bcache\(\s*([A-Z][A-Z_]+)\b/g, ['get', 'list', 'watch']],
  [/\bresource: ([A-Z][A-Z_]+)\b/g, ['get', 'list', 'watch']],
];

/** What no call shows: an owner that blocks its own deletion may be named only by who could set the owner's finalizers, where the API server cares. */
const BLOCKING = ['update modelfunctions/finalizers', 'update modelrevisions/finalizers'];

interface Rule {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly resourceNames?: readonly string[];
  readonly verbs: readonly string[];
}

const manifests = render();

function rules(kind: 'ClusterRole' | 'Role'): Rule[] {
  const roles = manifests.filter((one) => one.kind === kind && one.metadata.name.startsWith('pilotlight-operator'));
  return roles.flatMap((role) => role['rules'] as Rule[]);
}

/** `get pods` of each. */
function permissions(all: readonly Rule[]): string[] {
  const each = all.flatMap((rule) => rule.resources.flatMap((of) => rule.verbs.map((verb) => `${verb} ${of}`)));
  return [...new Set(each)].sort();
}

function used(): string[] {
  const found = SOURCES.flatMap((file) => {
    const text = readFileSync(join(ROOT, file), 'utf8');
    return CALLS.flatMap(([call, verbs]) =>
      [...text.matchAll(call)].flatMap(([, name = '']) =>
        verbs.map((verb) => {
          const resource = (resources as Record<string, { readonly plural: string } | undefined>)[name];
          if (resource === undefined) throw new Error(`${file} asks for ${name}, which is no resource.`);
          const [action, subresource = ''] = verb.split(' ');
          return `${action} ${resource.plural}${subresource}`;
        }),
      ),
    );
  });
  return [...new Set([...found, ...BLOCKING])].sort();
}

describe('the operator', () => {
  test('may do what its code does, and nothing else', () => {
    expect(permissions([...rules('ClusterRole'), ...rules('Role')])).toEqual(used());
  });

  test('has no wildcard', () => {
    for (const rule of [...rules('ClusterRole'), ...rules('Role')]) {
      expect([...rule.apiGroups, ...rule.resources, ...rule.verbs]).not.toContain('*');
    }
  });

  test('sees Secrets and Leases only of its own namespace, and only by name', () => {
    expect(permissions(rules('ClusterRole')).filter((one) => /secrets|leases/.test(one))).toEqual([]);
    const named = rules('Role').filter((rule) => /secrets|leases/.test(rule.resources.join()));
    for (const { verbs, resourceNames } of named) expect(resourceNames === undefined).toBe(verbs.join() === 'create');
    const names = named.flatMap(({ resourceNames = [] }) => resourceNames);
    expect(names.sort()).toEqual(['pilotlight-control', LEASE_NAME].sort());
  });

  test('is who is bound', () => {
    const bindings = manifests.filter(({ kind }) => kind.endsWith('RoleBinding'));
    const roles = manifests.filter(
      ({ kind, metadata }) => kind.endsWith('Role') && metadata.name.startsWith('pilotlight-operator'),
    );
    expect(bindings.map(({ roleRef }) => (roleRef as { name: string }).name).sort()).toEqual(
      roles.map(({ metadata }) => metadata.name).sort(),
    );
    for (const binding of bindings) {
      expect(binding['subjects']).toEqual([
        { kind: 'ServiceAccount', name: 'pilotlight-operator', namespace: 'pilotlight-system' },
      ]);
    }
  });
});

describe('the gateway', () => {
  test('has an account that nobody bound to anything, and not even its token', () => {
    const gateway = deployment(manifests, 'gateway').spec.template.spec;
    expect(gateway).toMatchObject({ serviceAccountName: 'pilotlight-gateway', automountServiceAccountToken: false });
    expect(gateway).not.toHaveProperty('volumes');
    expect(find(manifests, 'ServiceAccount', 'pilotlight-gateway')['automountServiceAccountToken']).toBe(false);
  });

  test('gets the control token and not the signing keys', () => {
    const secrets = Object.values(environment(deployment(manifests, 'gateway'))).filter(
      (value) => typeof value !== 'string',
    );
    expect(secrets).toEqual([
      { fieldRef: { fieldPath: 'metadata.name' } },
      { secretKeyRef: { name: 'pilotlight-control', key: 'token' } },
    ]);
  });
});

describe('people', () => {
  const aggregated = (name: string): { to: string[]; may: string[] } => {
    const role: Manifest = find(manifests, 'ClusterRole', name);
    const labels = Object.keys(role.metadata.labels ?? {});
    return {
      to: labels.flatMap((label) => /\/aggregate-to-(\w+)$/.exec(label)?.[1] ?? []),
      may: permissions(role['rules'] as Rule[]),
    };
  };

  test('who view may see functions and revisions', () => {
    expect(aggregated('pilotlight-view')).toEqual({
      to: ['view', 'edit', 'admin'],
      may: ['get', 'list', 'watch'].flatMap((verb) => [`${verb} modelfunctions`, `${verb} modelrevisions`]),
    });
  });

  test('who edit may change functions, not revisions, and no status', () => {
    expect(aggregated('pilotlight-edit')).toEqual({
      to: ['edit', 'admin'],
      may: ['create', 'delete', 'deletecollection', 'patch', 'update'].map((verb) => `${verb} modelfunctions`),
    });
  });

  test('get nothing where the values say so', () => {
    const without = render({ rbac: { aggregateToDefaultRoles: false } });
    expect(without.filter(({ metadata }) => /^pilotlight-(view|edit)$/.test(metadata.name))).toEqual([]);
  });
});
