/** The worker's settings: an embedded platform's, or the environment's, and nothing in between. */
import { describe, expect, test } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse } from 'yaml';
import { checkout } from '../../local/engines/recipe.ts';
import { readWorkerConfig } from '../../workers/config.ts';

const NOWHERE = join(tmpdir(), 'adorable-no-such-data');
const ENV = {
  TEMPORAL_ADDRESS: 'temporal:7233', TEMPORAL_NAMESPACE: 'default', PGHOST: 'postgres', PGPORT: '5432', PGUSER: 'adorable', PGPASSWORD: 'p@ss/word', PGDATABASE: 'adorable',
  KUBECONFIG: '/run/kubeconfig', NEON_PAGESERVER_URL: 'http://pageserver:9898', NEON_TOKEN: 't', ADORABLE_MASTER_KEY: '0'.repeat(64), ADORABLE_PREVIEW_DOMAIN: 'preview.example', ADORABLE_PREVIEW_PORT: '80',
};

describe('worker settings', () => {
  test('are read from the environment where no platform is', () => {
    expect(readWorkerConfig(NOWHERE, ENV)).toMatchObject({
      databaseUrl: 'postgresql://adorable:p%40ss%2Fword@postgres:5432/adorable', temporal: { address: 'temporal:7233', namespace: 'default' }, preview: { domain: 'preview.example', port: 80 },
    });
  });

  test.each(Object.keys(ENV))('name %s when it is missing', (name) => {
    expect(() => readWorkerConfig(NOWHERE, { ...ENV, [name]: '' })).toThrow(expect.objectContaining({ type: 'InvalidInput', message: expect.stringContaining(name) }));
  });

  test.each([[undefined, 3], ['1', 1], ['10', 10]])('ADORABLE_PRODUCE_ATTEMPTS %s is %s', (text, attempts) => {
    expect(readWorkerConfig(NOWHERE, { ...ENV, ...(text === undefined ? {} : { ADORABLE_PRODUCE_ATTEMPTS: text }) }).produceAttempts).toBe(attempts);
  });

  test.each(['0', '11', '-1', '3.5', 'many', ''])('ADORABLE_PRODUCE_ATTEMPTS %j is refused', (text) => {
    expect(() => readWorkerConfig(NOWHERE, { ...ENV, ADORABLE_PRODUCE_ATTEMPTS: text })).toThrow(expect.objectContaining({ type: 'InvalidInput' }));
  });

  test('are all given by docker-compose.yml', () => {
    const { services } = parse(readFileSync(join(checkout, 'docker-compose.yml'), 'utf8')) as { services: { worker: { environment: Record<string, string> } } };
    expect(Object.keys(services.worker.environment)).toEqual(expect.arrayContaining(Object.keys(ENV)));
  });
});
