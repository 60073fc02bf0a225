import { expect, test } from '@jest/globals';
import type { IncomingMessage } from 'node:http';
import { answer, noReadyPod, restoring, unknownHost } from '../../../local/gateway/pages.ts';

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
