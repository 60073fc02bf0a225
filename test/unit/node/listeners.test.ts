import { expect, test } from '@jest/globals';
import { createServer } from 'node:net';
import { once } from 'node:events';
import { isWildcard, parseListeners, strayListenerOf } from '../../../local/node/listeners.ts';

test('listening sockets, with their addresses as people write them', () => {
  const table = [
    '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode',
    '   0: 00000000:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 111 1 0',
    '   1: 0200C47F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 222 1 0',
    '   2: 0000000000000000FFFF00000100007F:1F90 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 444 1 0',
    '   3: 00000000:1F91 0100007F:0016 01 00000000:00000000 00:00000000 00000000     0        0 333 1 0',
  ].join('\n');
  const found = parseListeners(table);
  expect(found).toEqual([
    { address: '0.0.0.0', port: 8080, inode: '111' }, { address: '127.196.0.2', port: 8080, inode: '222' }, { address: '127.0.0.1', port: 8080, inode: '444' },
  ]);
  expect(found.map(isWildcard)).toEqual([true, false, false]);
});

test.each(['0.0.0.0', '::', '127.0.0.1'])('a real listener on %s is not on the own address', async (host) => {
  const server = createServer().listen(0, host);
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  expect(strayListenerOf([process.pid], '127.196.0.2')).toMatchObject({ port, address: host });
  expect(strayListenerOf([process.pid], host)).toBeUndefined();
  server.close();
  await once(server, 'close');
  expect(strayListenerOf([process.pid], '127.196.0.2')).toBeUndefined();
});
