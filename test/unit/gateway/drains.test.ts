import { describe, expect, test } from '@jest/globals';
import { once } from 'node:events';
import { PassThrough } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { createDrains } from '../../../local/gateway/drains.ts';

describe('a drain', () => {
  test('closes WebSockets at once, requests only when their time is over, and other projects never', async () => {
    const drains = createDrains(500);
    const [request, webSocket, other] = [new PassThrough(), new PassThrough(), new PassThrough()];
    request.once('close', drains.request('a', request));
    drains.webSocket('a', webSocket);
    drains.webSocket('b', other);
    expect(drains.inFlight('a')).toBe(2);
    const closed = [once(request, 'close'), once(webSocket, 'close')];
    const began = Date.now();
    drains.drain('a');
    expect([webSocket.destroyed, request.destroyed]).toEqual([true, false]);
    await closed[1];
    expect(drains.inFlight('a')).toBe(1);
    await closed[0];
    expect(Date.now() - began).toBeGreaterThanOrEqual(490);
    expect([request.destroyed, drains.inFlight('a')]).toEqual([true, 0]);
    expect([other.destroyed, drains.inFlight('b')]).toEqual([false, 1]);
  });

  test('opened again in time, it ends nothing', async () => {
    const drains = createDrains(50);
    const request = new PassThrough();
    drains.request('a', request);
    drains.drain('a');
    drains.open('a');
    await sleep(100);
    expect(request.destroyed).toBe(false);
  });
});
