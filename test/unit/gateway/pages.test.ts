import { expect, test } from '@jest/globals';
import type { IncomingMessage } from 'node:http';
import { answer, noReadyPod, restoring, restoringSince, unknownHost } from '../../../local/gateway/pages.ts';

const asking = (accept: string) => ({ headers: { accept } }) as IncomingMessage;

test('people get a page that asks again by itself, programs get JSON with a type', () => {
  const page = answer(asking('text/html,*/*'), restoring);
  expect(page).toMatchObject({ status: 503, headers: { 'retry-after': '2', 'content-type': 'text/html; charset=utf-8' } });
  expect(page.body).toContain('<meta http-equiv="refresh" content="2">');
  const json = answer(asking('application/json'), restoring);
  expect(JSON.parse(json.body)).toMatchObject({ type: 'Unavailable' });
});

test('nothing that a pod says becomes markup', () => {
  expect(answer(asking('text/html'), noReadyPod('<script>x</script>')).body).not.toContain('<script>');
});

test('an unknown host is not asked for again', () => {
  expect(answer(asking('text/html'), unknownHost).headers).not.toHaveProperty('retry-after');
});

test('a restore that is held up says so, and since when; a quick one does not', () => {
  const since = Date.parse('2026-01-01T12:34:56Z');
  expect(restoringSince(since, since + 59_000)).toBe(restoring);
  const held = answer(asking('application/json'), restoringSince(since, since + 60_000));
  expect(held).toMatchObject({ status: 503, headers: { 'retry-after': '10' } });
  expect(JSON.parse(held.body)).toMatchObject({ details: { stuckSince: '2026-01-01T12:34:56.000Z' }, message: expect.stringContaining('since 12:34 UTC') });
});
