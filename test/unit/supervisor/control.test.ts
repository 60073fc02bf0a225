/** The supervisor's socket outlives whoever connects to it. */
import { mkdtempSync, rmSync } from 'node:fs';
import { createConnection } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from '@jest/globals';
import { control, ControlSocket } from '../../../local/supervisor/control.ts';
import type { ControlEvent } from '../../../local/supervisor/control.ts';

test('clients that hang up with something unread end nothing: the next one is answered', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'adorable-control-'));
  const path = join(folder, 'sock');
  const socket = new ControlSocket();
  await socket.listen(path, { stop: () => Promise.resolve() });
  for (let n = 0; n < 50; n++) socket.emit({ part: 'worker', state: 'ready', ms: n });
  for (let n = 0; n < 20; n++) {
    const client = createConnection(path);
    client.pause();
    await new Promise((resolve) => client.once('connect', resolve));
    client.write('watch\n');
    await sleep(5);
    // What it was sent lies unread: its end is a reset.
    client.destroy();
  }
  socket.emit({ part: 'worker', state: 'ready', ms: 51 });
  const heard: ControlEvent[] = [];
  await control(path, 'ping', (event) => heard.push(event));
  expect(heard).toEqual([{ part: 'platform', state: 'alive', ms: 0 }]);
  socket.close();
  rmSync(folder, { recursive: true, force: true });
});
