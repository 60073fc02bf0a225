/**
 * docker-compose.yml against the compose specification's own JSON schema (dclint carries a copy of
 * it), and against what a schema cannot say: loopback ports only, healthchecks, no secret inline (I7).
 */
import { describe, expect, test } from '@jest/globals';
import { Ajv } from 'ajv';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';

const ROOT = join(import.meta.dirname, '..', '..');
const SCHEMA = join(ROOT, 'node_modules', 'dclint', 'schemas', 'compose.schema.json');

interface Service {
  readonly image?: string;
  readonly build?: unknown;
  readonly ports?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly healthcheck?: { readonly test: readonly string[] };
  readonly volumes?: readonly string[];
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>;
}

interface Compose {
  readonly services: Readonly<Record<string, Service>>;
  readonly volumes: Readonly<Record<string, unknown>>;
}

const text = readFileSync(join(ROOT, 'docker-compose.yml'), 'utf8');
const compose = parse(text) as Compose;
const services = Object.entries(compose.services);

function validator() {
  const { $schema: _draft, ...schema } = JSON.parse(readFileSync(SCHEMA, 'utf8')) as Record<string, unknown>;
  // Formats such as `duration` are compose's own; strict mode refuses the keywords of older drafts.
  return new Ajv({ strict: false, validateFormats: false, allErrors: true }).compile(schema);
}

describe('docker-compose.yml', () => {
  test('is valid by the compose specification', () => {
    const validate = validator();
    validate(compose);
    expect(validate.errors ?? []).toEqual([]);
  });

  test('the schema is one that refuses: an unknown key and a wrong type are found', () => {
    const validate = validator();
    expect(validate({ services: { x: { imagee: 'y' } } })).toBe(false);
    expect(validate({ services: { x: { image: 7 } } })).toBe(false);
  });

  test('names the parts of the system', () => {
    expect(Object.keys(compose.services).sort()).toEqual(['garage', 'postgres', 'temporal', 'worker']);
    expect(compose.services['postgres']?.image).toBe('postgres:17');
  });

  test.each(services)('%s: pinned, with a healthcheck, on loopback, volumes declared', (_name, service) => {
    expect(service.image === undefined ? service.build : /:v?\d/.test(service.image)).toBeTruthy();
    expect(service.healthcheck?.test[0]).toBe('CMD');
    for (const port of service.ports ?? []) expect(port).toMatch(/^127\.0\.0\.1:\d+:\d+$/);
    for (const volume of service.volumes ?? []) expect(Object.keys(compose.volumes)).toContain(volume.split(':')[0]);
    for (const [other, { condition }] of Object.entries(service.depends_on ?? {})) {
      expect(compose.services[other]).toBeDefined();
      expect(condition).toBe('service_healthy');
    }
  });

  test('every secret is required from outside, and the model\'s settings are nothing unless they are set there', () => {
    const all = services.flatMap(([, { environment }]) => Object.entries(environment ?? {}));
    for (const [key, value] of all.filter(([name]) => name.startsWith('ADORABLE_MODEL_'))) expect(value).toBe(`\${${key}:-}`);
    const named = all.filter(([key]) => /PASSWORD|SECRET|TOKEN|KEY/.test(key) && !key.startsWith('ADORABLE_MODEL_'));
    expect(named.length).toBeGreaterThan(4);
    for (const [, value] of named) expect(value).toMatch(/^\$\{[A-Z_]+:\?[^}]+\}$/);
    for (const [, value] of text.matchAll(/\$\{([^}]+)\}/g)) expect(value).toMatch(/^([A-Z_]+:\?.+|VAR:\?|ADORABLE_MODEL_[A-Z]+:-)$/);
  });
});
