/** `doctor` as a person types it: what it finds on this machine, on one without anything, and where it must not run. */
import { afterAll, expect, test } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DoctorResult } from '../../../cli/platform/doctor.ts';
import { checkout } from '../../../local/engines/recipe.ts';
import { obtain } from '../../../local/engines/obtain.ts';
import { isRoot } from '../../../local/uids.ts';
import { containHelper } from '../../support/containment.ts';

const dir = mkdtempSync(join(tmpdir(), 'adorable-doctor-'));
chmodSync(dir, 0o711);
afterAll(() => rmSync(dir, { recursive: true, force: true }));

function doctor(data: string, env: Record<string, string> = {}): { code: number | null; result: DoctorResult } {
  const { status, stdout } = spawnSync(process.execPath, [join(checkout, 'cli', 'main.ts'), 'doctor', '--json', '--data', data], {
    encoding: 'utf8', env: { ...process.env, NODE_OPTIONS: '--disable-warning=ExperimentalWarning', ...env },
  });
  return { code: status, result: JSON.parse(stdout) as DoctorResult };
}

const stateOf = ({ findings }: DoctorResult, check: string) => findings.find((finding) => finding.check === check)?.state;

test('this machine: every finding is one of three states, a mended one says how, and containment was tried', async () => {
  const helper = await containHelper();
  await obtain('node');
  const data = join(dir, 'new', 'data');
  const { code, result } = doctor(data);
  expect(code).toBe(result.ok ? 0 : 1);
  expect(result.findings.filter(({ state, todo }) => !['ok', 'warning', 'failed'].includes(state) || (state !== 'ok') !== (todo !== undefined))).toEqual([]);
  expect([stateOf(result, 'node'), stateOf(result, 'git'), stateOf(result, 'data directory')]).toEqual(['ok', 'ok', 'ok']);
  expect(stateOf(result, 'user IDs')).toBe(isRoot ? 'ok' : 'warning');
  expect(stateOf(result, 'containment')).toBe(helper === undefined ? 'warning' : 'ok');
  if (helper !== undefined) expect(result.findings.find(({ check }) => check === 'containment')?.detail).toContain('reads a file outside: refused');
  expect(existsSync(join(dir, 'new'))).toBe(false);
}, 60_000);

test('a machine without Go, git and npm, with an empty cache: what can be had later is a warning, what cannot fails', () => {
  const bin = join(dir, 'bin');
  mkdirSync(bin);
  symlinkSync('/bin/cp', join(bin, 'cp'));
  const { code, result } = doctor(join(dir, 'data'), { PATH: bin, ADORABLE_CACHE: join(dir, 'cache') });
  expect(code).toBe(1);
  expect([stateOf(result, 'git'), stateOf(result, 'npm'), stateOf(result, 'go'), stateOf(result, 'engine contain'), stateOf(result, 'containment')]).toEqual(['failed', 'failed', 'warning', 'warning', 'warning']);
  expect(result.contained).toBe(false);
  expect(existsSync(join(dir, 'cache'))).toBe(false);
}, 60_000);

test('a directory that is somebody else\'s fails and is left alone', () => {
  const foreign = join(dir, 'foreign');
  mkdirSync(foreign);
  writeFileSync(join(foreign, 'letter'), '');
  const { code, result } = doctor(foreign);
  expect(code).toBe(1);
  expect(stateOf(result, 'data directory')).toBe('failed');
  expect(readdirSync(foreign)).toEqual(['letter']);
}, 60_000);
