/**
 * What the gateway itself answers: a page for people, JSON for programs. No page names another
 * project, a pod or an address (I8).
 */
import type { IncomingMessage } from 'node:http';

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

interface Content {
  readonly status: number;
  readonly type: 'Unavailable' | 'NotFound';
  readonly title: string;
  readonly message: string;
  /** Asked for again by the page itself, and by programs that honour Retry-After. */
  readonly retrySeconds?: number;
  readonly details?: Readonly<Record<string, string>>;
}

export const restoring: Content = {
  status: 503, type: 'Unavailable', title: 'Restoring', retrySeconds: 2,
  message: 'This project is being moved to another moment. The page comes back by itself.',
};

/** Longer than a restore takes: an outage holds it up, and it goes on by itself when that ends. */
const LONG_MS = 60_000;

/** `since`: when the project was first seen closed. */
export function restoringSince(since: number, now: number): Content {
  if (now - since < LONG_MS) return restoring;
  const at = new Date(since).toISOString();
  return {
    ...restoring, retrySeconds: 10, details: { stuckSince: at },
    message: `This project is being moved to another moment, and that has been held up since ${at.slice(11, 16)} UTC. It is tried again until it succeeds; the page comes back by itself.`,
  };
}

export const unknownHost: Content = {
  status: 404, type: 'NotFound', title: 'Nothing here',
  message: 'No app answers at this address. Look at the addresses that `adorable projects` prints.',
};

export function noReadyPod(reason: string): Content {
  return {
    status: 502, type: 'Unavailable', title: 'Not running', retrySeconds: 2, details: { reason },
    message: `This app has no pod that is ready: ${reason}.`,
  };
}

export function answer(request: IncomingMessage, content: Content): Answer {
  const { status, type, title, message, retrySeconds } = content;
  const headers = { 'cache-control': 'no-store', ...(retrySeconds ? { 'retry-after': String(retrySeconds) } : {}) };
  if (!request.headers.accept?.includes('text/html')) {
    return {
      status, headers: { ...headers, 'content-type': 'application/json' },
      body: `${JSON.stringify({ type, message, ...(content.details ? { details: content.details } : {}) })}\n`,
    };
  }
  const refresh = retrySeconds ? `<meta http-equiv="refresh" content="${String(retrySeconds)}">` : '';
  return {
    status, headers: { ...headers, 'content-type': 'text/html; charset=utf-8' },
    body: `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">${refresh}<title>${escape(title)}</title><style>
body{margin:0;min-height:100vh;display:grid;place-items:center;background:#f6f5f2;color:#22211f;font:16px/1.5 system-ui,sans-serif}
main{max-width:32rem;padding:2rem;text-align:center}h1{font-size:1.5rem;margin:0 0 .5rem}p{margin:0;color:#5c5a55}
.dot{width:.75rem;height:.75rem;border-radius:50%;background:#c96442;margin:0 auto 1.25rem;animation:b 1.6s ease-in-out infinite}
@keyframes b{50%{opacity:.25}}@media(prefers-reduced-motion:reduce){.dot{animation:none}}@media(prefers-color-scheme:dark){body{background:#1b1a18;color:#eceae4}p{color:#a8a59d}}
</style></head><body><main>${retrySeconds ? '<div class="dot"></div>' : ''}<h1>${escape(title)}</h1><p>${escape(message)}</p></main></body></html>\n`,
  };
}

function escape(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${String(character.charCodeAt(0))};`);
}
