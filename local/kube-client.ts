/**
 * The one adapter of @kubernetes/client-node for the embedded platform and `activities/infra`:
 * typed APIs and raw requests over ONE HTTP/2 connection (the library opens a TLS connection per
 * request otherwise), and its answers translated to our failure types.
 */
import {
  ApiException, AppsV1Api, CoordinationV1Api, CoreV1Api, CustomObjectsApi, DiscoveryV1Api, HttpMethod,
  IsomorphicFetchHttpLibrary, KubeConfig, NetworkingV1Api, RequestContext, type ResponseContext,
} from '@kubernetes/client-node';
import { AdorableError, type FailureType } from '../shared/errors.ts';

interface Closable { close(): Promise<void> }

class OneConnectionKubeConfig extends KubeConfig {
  dispatcher: Closable | undefined;

  constructor() {
    super();
    // createDispatcher is private in the library's types, so it is replaced on the instance.
    const create = Reflect.get(KubeConfig.prototype, 'createDispatcher') as (...args: unknown[]) => Closable;
    Object.defineProperty(this, 'createDispatcher', {
      value: (...args: unknown[]) => (this.dispatcher ??= create.apply(this, args)),
    });
  }
}

export type PatchType = 'application/merge-patch+json' | 'application/json-patch+json' | 'application/apply-patch+yaml';

export interface KubeRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** Absolute path, e.g. `/api/v1/namespaces/x/pods`. */
  readonly path: string;
  readonly query?: Readonly<Record<string, string | number | boolean | undefined>>;
  readonly body?: unknown;
  readonly patch?: PatchType;
  readonly signal?: AbortSignal;
}

export interface KubeClient {
  readonly config: KubeConfig;
  readonly core: CoreV1Api;
  readonly apps: AppsV1Api;
  readonly networking: NetworkingV1Api;
  readonly discovery: DiscoveryV1Api;
  readonly coordination: CoordinationV1Api;
  readonly custom: CustomObjectsApi;
  /** Plain JSON in, plain JSON out (no Date objects, no dropped fields); throws AdorableError. */
  request<T>(request: KubeRequest): Promise<T>;
  /** The JSON lines of a watch; ends when the server closes it. */
  lines(request: KubeRequest): AsyncGenerator<string>;
  close(): Promise<void>;
}

const READY = '/readyz';
/** How the API server begins the refusal of a ValidatingAdmissionPolicy. */
const POLICY_REFUSAL = /ValidatingAdmissionPolicy '[^']+' with binding '[^']+' denied request/;

export function connectKube(kubeconfig: string): KubeClient {
  const config = new OneConnectionKubeConfig();
  config.loadFromFile(kubeconfig);
  const library = new IsomorphicFetchHttpLibrary();

  async function send(request: KubeRequest): Promise<ResponseContext> {
    const cluster = config.getCurrentCluster();
    if (!cluster) throw new AdorableError('InvalidInput', `${kubeconfig} names no cluster: choose a current-context in it.`);
    const url = new URL(cluster.server + request.path);
    for (const [key, value] of Object.entries(request.query ?? {})) {
      if (value !== undefined) url.searchParams.set(key, String(value));
    }
    const context = new RequestContext(url.toString(), HttpMethod[request.method]);
    context.setHeaderParam('Accept', 'application/json');
    if (request.body !== undefined) {
      context.setHeaderParam('Content-Type', request.patch ?? 'application/json');
      context.setBody(JSON.stringify(request.body));
    }
    if (request.signal) context.setSignal(request.signal);
    const subject = `${request.method} ${request.path}`;
    try {
      await config.applySecurityAuthentication(context);
      const response = await library.send(context).toPromise();
      if (response.httpStatusCode < 300) return response;
      throw statusFailure(response.httpStatusCode, await response.body.text(), subject);
    } catch (error) {
      const failure = kubeFailure(error, subject);
      // A server that has just started denies everybody until it has read its roles. A policy's refusal is an answer: it has read them.
      if (failure.type === 'Denied' && !POLICY_REFUSAL.test(failure.message) && request.path !== READY && !(await isReady())) throw new AdorableError('Unavailable', `${subject}: the Kubernetes API is still starting.`, { cause: failure });
      throw failure;
    }
  }

  async function isReady(): Promise<boolean> {
    try {
      await send({ method: 'GET', path: READY });
      return true;
    } catch {
      // Whatever the reason: it does not say that it is ready.
      return false;
    }
  }

  return {
    config,
    core: config.makeApiClient(CoreV1Api),
    apps: config.makeApiClient(AppsV1Api),
    networking: config.makeApiClient(NetworkingV1Api),
    discovery: config.makeApiClient(DiscoveryV1Api),
    coordination: config.makeApiClient(CoordinationV1Api),
    custom: config.makeApiClient(CustomObjectsApi),
    request: async <T>(request: KubeRequest) => JSON.parse(await (await send(request)).body.text()) as T,
    async *lines(request) {
      const response = await send(request);
      const stream = (response.body as unknown as { stream(): AsyncIterable<Uint8Array> }).stream();
      const decoder = new TextDecoder();
      let rest = '';
      for await (const chunk of stream) {
        rest += decoder.decode(chunk, { stream: true });
        const lines = rest.split('\n');
        rest = lines.pop() ?? '';
        yield* lines.filter((line) => line !== '');
      }
    },
    close: async () => { await config.dispatcher?.close(); },
  };
}

interface Status {
  readonly reason?: string;
  readonly message?: string;
  readonly details?: { readonly causes?: readonly unknown[]; readonly kind?: string; readonly name?: string };
}

function statusFailure(code: number, body: unknown, subject: string): AdorableError {
  const status = parseStatus(body);
  const message = `${subject} answered ${String(code)}${status.message ? `: ${status.message}` : ''}`;
  return new AdorableError(typeOf(code, status), message, {
    details: { code, reason: status.reason ?? '', ...(status.details?.causes ? { causes: status.details.causes } : {}) },
  });
}

/** Undeclared answer codes (404, 409, 422, 500) arrive as a string of JSON, declared ones as an object. */
function parseStatus(body: unknown): Status {
  if (typeof body !== 'string') return (body ?? {}) as Status;
  try {
    return JSON.parse(body) as Status;
  } catch {
    return { message: body.slice(0, 500) };
  }
}

function typeOf(code: number, status: Status): FailureType {
  if (code === 404) return 'NotFound';
  if (code === 401) return 'Denied';
  // Mends itself when the namespace is gone: whoever needs it makes it again.
  if (code === 403 && status.details?.causes?.some((cause) => (cause as { reason?: string }).reason === 'NamespaceTerminating')) return 'Contended';
  if (code === 403) return /exceeded quota/.test(status.message ?? '') ? 'QuotaExceeded' : 'Denied';
  if (code === 409) return status.details?.causes?.length ? 'OwnershipConflict' : 'Contended';
  if (code === 410) return 'Unreachable';
  if (code === 429) return 'RateLimited';
  if (code === 400 || code === 415 || code === 422) return 'InvalidInput';
  // A server-side apply of an unknown field answers 500: our bug, no retry mends it.
  if (code === 500 && /not declared in schema/.test(status.message ?? '')) return 'InvalidInput';
  return code >= 500 ? 'Unavailable' : 'Unclassified';
}

/** Any error of a Kubernetes call as one of our failures; `subject` says what was attempted. */
export function kubeFailure(error: unknown, subject: string): AdorableError {
  if (error instanceof AdorableError) return error;
  if (error instanceof ApiException) return statusFailure(error.code, error.body, subject);
  if (error instanceof Error && error.name === 'AbortError') return new AdorableError('Cancelled', `${subject} was cancelled.`, { cause: error });
  return new AdorableError('Unavailable', `${subject} could not reach the Kubernetes API: is the platform up?`, { cause: error });
}

/** The HTTP code of a failed Kubernetes call, when it was answered at all. */
export function kubeCode(error: unknown): number | undefined {
  return error instanceof AdorableError && typeof error.details['code'] === 'number' ? error.details['code'] : undefined;
}
