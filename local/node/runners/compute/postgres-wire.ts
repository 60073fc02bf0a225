/**
 * Just enough of PostgreSQL's wire protocol for the compute's own private socket: simple queries,
 * text rows, no passwords. The runner is copied without node_modules, so it brings its own.
 */
import { connect, type Socket } from 'node:net';

export type Row = readonly (string | null)[];

export interface WireConnection {
  query(sql: string): Promise<Row[]>;
  close(): void;
}

interface Waiting {
  rows: Row[];
  error: Error | undefined;
  resolve(rows: Row[]): void;
  reject(error: Error): void;
}

export async function connectWire(socketPath: string, user: string, database: string): Promise<WireConnection> {
  const socket: Socket = connect(socketPath);
  let waiting: Waiting | undefined;
  let pending = Buffer.alloc(0);

  const expectReady = () =>
    new Promise<Row[]>((resolve, reject) => {
      if (waiting) throw new Error('One query at a time');
      waiting = { rows: [], error: undefined, resolve, reject };
    });

  const fail = (error: Error) => {
    waiting?.reject(error);
    waiting = undefined;
  };

  socket.on('error', fail);
  socket.on('close', () => { fail(new Error('PostgreSQL closed the connection')); });
  socket.on('data', (chunk: Buffer) => {
    pending = Buffer.concat([pending, chunk]);
    while (pending.length >= 5 && pending.length >= 1 + pending.readUInt32BE(1)) {
      const length = pending.readUInt32BE(1);
      receive(String.fromCharCode(pending[0] ?? 0), pending.subarray(5, 1 + length));
      pending = pending.subarray(1 + length);
    }
  });

  function receive(type: string, body: Buffer): void {
    if (!waiting) return;
    if (type === 'D') waiting.rows.push(rowOf(body));
    else if (type === 'E') waiting.error = new Error(errorText(body));
    else if (type === 'R' && body.readInt32BE(0) !== 0) waiting.error = new Error('PostgreSQL asked for a password on the private socket');
    if (type !== 'Z' && !(type === 'E' && /\bFATAL\b/.test(waiting.error?.message ?? ''))) return;
    const { rows, error, resolve, reject } = waiting;
    waiting = undefined;
    if (error) reject(error);
    else resolve(rows);
  }

  socket.on('connect', () => {
    const parameters = Buffer.from(`user\0${user}\0database\0${database}\0application_name\0compute\0\0`);
    const head = Buffer.alloc(8);
    head.writeInt32BE(8 + parameters.length, 0);
    head.writeInt32BE(196_608, 4);
    socket.write(Buffer.concat([head, parameters]));
  });
  await expectReady();

  return {
    async query(sql) {
      const text = Buffer.from(`${sql}\0`);
      const head = Buffer.alloc(5);
      head.write('Q');
      head.writeInt32BE(4 + text.length, 1);
      const answer = expectReady();
      socket.write(Buffer.concat([head, text]));
      return await answer;
    },
    close() { socket.end(Buffer.from([0x58, 0, 0, 0, 4])); },
  };
}

function rowOf(body: Buffer): Row {
  const row: (string | null)[] = [];
  let at = 2;
  for (let column = body.readInt16BE(0); column > 0; column--) {
    const length = body.readInt32BE(at);
    at += 4;
    row.push(length < 0 ? null : body.toString('utf8', at, at + length));
    at += Math.max(length, 0);
  }
  return row;
}

function errorText(body: Buffer): string {
  const fields = new Map(body.toString('utf8').split('\0').map((field) => [field.slice(0, 1), field.slice(1)]));
  return `${fields.get('S') ?? 'ERROR'} ${fields.get('C') ?? ''}: ${fields.get('M') ?? ''}`;
}
