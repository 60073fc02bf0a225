import { expect, test } from '@jest/globals';
import { createServer } from 'node:net';
import { once } from 'node:events';
import { parseListeners, wildcardListenerOf } from '../../../local/node/listeners.ts';

test('only listening sockets on the wildcard address count', () => {
  const table = [
    '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode',
    '   0: 00000000:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 111 1 0',
    '   1: 0200C47F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 222 1 0',
    '   2: 00000000:1F91 0100007F:0016 01 00000000:00000000 00:00000000 00000000     0        0 333 1 0',
  ].join('\n');
  expect(parseListeners(table, '0.0.0.0')).toEqual([{ address: '0.0.0.0', port: 8080, inode: '111' }]);
});

test.each(['0.0.0.0', '::'] as const)('a real listener on %s is found by its process', async (host) => {
  const server = createServer().listen(0, host);
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  expect(wildcardListenerOf([process.pid])).toMatchObject({ port, address: host });
  server.close();
  await once(server, 'close');
  expect(wildcardListenerOf([process.pid])).toBeUndefined();
});
