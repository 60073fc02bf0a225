import { describe, expect, test } from '@jest/globals';
import { containerEnvironment, expand, serviceVariables, type KeyValueSource } from '../../../local/node/environment.ts';
import type { Container, Pod, Service } from '../../../local/node/kube-types.ts';

const metadata = { name: 'p', uid: 'u', resourceVersion: '1', namespace: 'ns', labels: { app: 'web' }, annotations: { 'adorable.dev/tree': 'abc' } };
const service = (name: string, clusterIP: string, port = 80): Service => ({ metadata: { ...metadata, name }, spec: { clusterIP, ports: [{ port, name: 'http' }] } });
const source: KeyValueSource = {
  secret: (name) => Promise.resolve(name === 's' ? { PASSWORD: 'p$$w$(HOST)', key: 'v' } : undefined),
  configMap: (name) => Promise.resolve(name === 'c' ? { MODE: 'x' } : undefined),
};

async function envOf(container: Partial<Container>, spec: Partial<Pod['spec']> = {}): Promise<Record<string, string>> {
  const full: Container = { name: 'main', image: 'i', ...container };
  const pod: Pod = { metadata, spec: { containers: [full], ...spec } };
  return await containerEnvironment({ pod, container: full, podIP: '10.244.0.2', services: [service('neon-compute', '127.96.0.9', 5432)], source, base: { HOST: '127.196.0.2' } });
}

describe('expand', () => {
  test.each([
    ['a known name', '$(A)/x', '1/x'],
    ['an unknown name stays as written', '$(NOPE)', '$(NOPE)'],
    ['a doubled dollar is one dollar', '$$(A) $$$$', '$(A) $$'],
    ['an escaped dollar before a reference', '$$$(A)', '$1'],
    ['an unclosed reference stays', '$(A', '$(A'],
    ['names of Object.prototype are unknown', '$(constructor)', '$(constructor)'],
  ])('%s', (_, text, wanted) => {
    expect(expand(text, { A: '1' })).toBe(wanted);
  });
});

describe('containerEnvironment', () => {
  test('service variables come first, so that env can refer to them', async () => {
    const env = await envOf({ env: [{ name: 'PGHOST', value: '$(NEON_COMPUTE_SERVICE_HOST)' }, { name: 'PGPORT', value: '$(NEON_COMPUTE_SERVICE_PORT)' }] });
    expect(env).toMatchObject({ PGHOST: '127.96.0.9', PGPORT: '5432', HOST: '127.196.0.2' });
  });

  test('no service variables when service links are off', async () => {
    const env = await envOf({}, { enableServiceLinks: false });
    expect(env['NEON_COMPUTE_SERVICE_HOST']).toBeUndefined();
  });

  test('values of Secrets are taken as they are: a password may hold a dollar', async () => {
    const env = await envOf({ envFrom: [{ secretRef: { name: 's' }, prefix: 'P_' }], env: [{ name: 'X', valueFrom: { secretKeyRef: { name: 's', key: 'PASSWORD' } } }] });
    expect(env).toMatchObject({ P_PASSWORD: 'p$$w$(HOST)', X: 'p$$w$(HOST)' });
  });

  test('env overrides envFrom, a later entry sees an earlier one', async () => {
    const env = await envOf({ envFrom: [{ configMapRef: { name: 'c' } }], env: [{ name: 'MODE', value: 'y' }, { name: 'Z', value: '$(MODE)$(MODE)' }] });
    expect(env).toMatchObject({ MODE: 'y', Z: 'yy' });
  });

  test('fields of the pod', async () => {
    const field = (name: string, fieldPath: string) => ({ name, valueFrom: { fieldRef: { fieldPath } } });
    const env = await envOf({ env: [field('N', 'metadata.name'), field('I', 'status.podIP'), field('T', "metadata.annotations['adorable.dev/tree']"), field('L', "metadata.labels['none']")] });
    expect(env).toMatchObject({ N: 'p', I: '10.244.0.2', T: 'abc', L: '' });
  });

  test.each<[string, Partial<Container>, string]>([
    ['an absent Secret', { envFrom: [{ secretRef: { name: 'no' } }] }, 'Secret no does not exist'],
    ['an absent key', { env: [{ name: 'A', valueFrom: { secretKeyRef: { name: 's', key: 'no' } } }] }, 'Secret s, key no does not exist'],
    ['a Service that is not there yet', { env: [{ name: 'A', value: 'http://$(WEB_SERVICE_HOST)/' }] }, 'needs WEB_SERVICE_HOST'],
    ['an unknown field', { env: [{ name: 'A', valueFrom: { fieldRef: { fieldPath: 'spec.x' } } }] }, 'Field spec.x'],
  ])('%s is named, not skipped', async (_, container, message) => {
    await expect(envOf(container)).rejects.toThrow(message);
  });

  test('an escaped reference to a Service needs none', async () => {
    expect((await envOf({ env: [{ name: 'A', value: '$$(WEB_SERVICE_HOST)' }] }))['A']).toBe('$(WEB_SERVICE_HOST)');
  });

  test('an optional one may be absent', async () => {
    const env = await envOf({ envFrom: [{ secretRef: { name: 'no', optional: true } }], env: [{ name: 'A', valueFrom: { configMapKeyRef: { name: 'no', key: 'k', optional: true } } }] });
    expect(env['A']).toBeUndefined();
  });
});

test('a headless Service has no variables', () => {
  expect(serviceVariables([service('a-b', 'None')])).toEqual({});
  expect(serviceVariables([service('a-b', '127.96.0.1')])).toMatchObject({ A_B_SERVICE_HOST: '127.96.0.1', A_B_SERVICE_PORT_HTTP: '80' });
});
