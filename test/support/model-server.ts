/** An OpenAI-compatible server that plays what a test recorded, in order or by what it is asked, and keeps what it was asked. */
import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { ModelSettings } from '../../activities/model/settings.ts';

export const KEY = 'sk-test-0123456789abcdef';

export interface Asked {
  readonly authorization: string | undefined;
  readonly path: string;
  readonly body: { readonly model: string; readonly max_tokens: number; readonly messages: readonly Message[]; readonly tools?: readonly unknown[]; readonly response_format?: { readonly type: string } };
}

export interface Message { readonly role: string; readonly content: unknown; readonly tool_calls?: unknown }

export type Played = (response: ServerResponse) => void;

const head = { id: 'c1', object: 'chat.completion.chunk', created: 1_700_000_000, model: 'recorded' };
const chunk = (delta: object, finish: string | null = null): object => ({ ...head, choices: [{ index: 0, delta, finish_reason: finish }] });

function stream(response: ServerResponse, chunks: readonly unknown[], ended = true): void {
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  for (const one of chunks) response.write(`data: ${typeof one === 'string' ? one : JSON.stringify(one)}\n\n`);
  response.end(ended ? 'data: [DONE]\n\n' : undefined);
}

const usage = (tokens: number): object => ({ ...head, choices: [], usage: { prompt_tokens: tokens - 1, completion_tokens: 1, total_tokens: tokens } });

/** In pieces, as servers send it; of a huge text in larger ones. */
function pieces(text: string): string[] {
  const size = Math.max(40, Math.ceil(text.length / 200));
  return Array.from({ length: Math.ceil(text.length / size) }, (_, at) => text.slice(at * size, (at + 1) * size));
}

export const says = (text: string, tokens = 100): Played => (response) => {
  stream(response, [chunk({ role: 'assistant', content: '' }), ...pieces(text).map((content) => chunk({ content })), chunk({}, 'stop'), usage(tokens)]);
};

export const calls = (tools: readonly { readonly name: string; readonly input: unknown }[], tokens = 100): Played => (response) => {
  const begun = tools.flatMap(({ name, input }, index) => [
    chunk({ tool_calls: [{ index, id: `call_${String(index)}_${name}`, type: 'function', function: { name, arguments: '' } }] }),
    ...pieces(typeof input === 'string' ? input : JSON.stringify(input)).map((text) => chunk({ tool_calls: [{ index, function: { arguments: text } }] })),
  ]);
  stream(response, [chunk({ role: 'assistant', content: null }), ...begun, chunk({}, 'tool_calls'), usage(tokens)]);
};

export const call = (name: string, input: unknown = {}): Played => calls([{ name, input }]);

/** The answer ends in a sentence, as if the server had died politely. */
export const cutOff: Played = (response) => { stream(response, [chunk({ role: 'assistant', content: 'I will now' })], false); };

/** The connection breaks in the middle of a call. */
export const broken: Played = (response) => {
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  response.write(`data: ${JSON.stringify(chunk({ tool_calls: [{ index: 0, id: 'c', type: 'function', function: { name: 'write', arguments: '{"path":"src/app.tsx","con' } }] }))}\n\n`);
  setTimeout(() => { response.destroy(); }, 20);
};

export const garbage: Played = (response) => { stream(response, ['{"choices": [{"delta": ', '<html>']); };
export const tooLong: Played = (response) => { stream(response, [chunk({ role: 'assistant', content: 'and' }), chunk({}, 'length'), usage(100)]); };
export const uncounted = (text: string): Played => (response) => { stream(response, [chunk({ role: 'assistant', content: text }), chunk({}, 'stop')]); };
/** Counts what it was asked, and not what it answered. */
export const halfCounted = (text: string): Played => (response) => { stream(response, [chunk({ role: 'assistant', content: text }), chunk({}, 'stop'), { ...head, choices: [], usage: { prompt_tokens: 10, total_tokens: 10 } }]); };
export const silent: Played = () => undefined;

/** Servers quote the key that they refuse. */
export const status = (code: number, headers: Record<string, string> = {}): Played => (response) => {
  response.writeHead(code, { 'content-type': 'application/json', ...headers });
  response.end(JSON.stringify({ error: { message: `No: ${KEY} may not`, type: 'refused', code: null } }));
};

export interface ModelServer {
  readonly asked: Asked[];
  readonly settings: ModelSettings;
  play(...answers: readonly Played[]): void;
  /** What was recorded and never asked for. */
  left(): number;
  close(): Promise<void>;
}

/** `respond` chooses the answer where none is recorded. */
export async function startModelServer(rest: Partial<ModelSettings> = {}, respond?: (asked: Asked) => Promise<Played>): Promise<ModelServer> {
  const asked: Asked[] = [];
  let recorded: Played[] = [];
  const server = createServer((request, response) => {
    void readBody(request).then(async (body) => {
      const question: Asked = { authorization: request.headers.authorization, path: request.url ?? '', body: JSON.parse(body) as Asked['body'] };
      asked.push(question);
      const next = recorded.shift() ?? await respond?.(question);
      if (next === undefined) response.writeHead(418).end();
      else next(response);
    }).catch((error: unknown) => { response.writeHead(500).end(String(error)); });
  });
  await new Promise<void>((resolve) => { server.listen(0, '127.0.0.1', resolve); });
  return {
    asked,
    settings: { url: `http://127.0.0.1:${String((server.address() as AddressInfo).port)}/v1`, key: KEY, name: 'recorded', tokens: 100_000, callMs: 90_000, ...rest },
    play: (...answers) => { asked.length = 0; recorded = [...answers]; },
    left: () => recorded.length,
    close: async () => { server.closeAllConnections(); await new Promise((resolve) => { server.close(resolve); }); },
  };
}

async function readBody(request: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part as Buffer);
  return Buffer.concat(parts).toString('utf8');
}
