/**
 * A container's environment with the kubelet's semantics: service variables, then envFrom, then
 * env in order, `$(VAR)` expanded against what was defined before. Nothing is inherited from the
 * node's own process (I10); secret values exist only in the child's environment (I7).
 */
import { AdorableError } from '../../shared/errors.ts';
import type { Container, EnvVar, Pod, Service } from './kube-types.ts';

export interface KeyValueSource {
  /** Decoded entries, or undefined when the object does not exist. */
  secret(name: string): Promise<Readonly<Record<string, string>> | undefined>;
  configMap(name: string): Promise<Readonly<Record<string, string>> | undefined>;
}

interface EnvironmentInput {
  readonly pod: Pod;
  readonly container: Container;
  readonly podIP: string;
  readonly services: readonly Service[];
  readonly source: KeyValueSource;
  /** Defined first, so that manifests can refer to them and override them. */
  readonly base: Readonly<Record<string, string>>;
}

export async function containerEnvironment(input: EnvironmentInput): Promise<Record<string, string>> {
  const { pod, container, source } = input;
  const env: Record<string, string> = { ...input.base };
  if (pod.spec.enableServiceLinks !== false) Object.assign(env, serviceVariables(input.services));
  for (const from of container.envFrom ?? []) {
    const reference = from.secretRef ?? from.configMapRef;
    if (!reference) continue;
    const kind = from.secretRef ? 'Secret' : 'ConfigMap';
    const values = from.secretRef ? await source.secret(reference.name) : await source.configMap(reference.name);
    if (!values && !reference.optional) throw missing(kind, reference.name);
    // Not expanded, as in the kubelet: a password may hold `$$` or `$(`.
    for (const [key, value] of Object.entries(values ?? {})) env[(from.prefix ?? '') + key] = value;
  }
  for (const variable of container.env ?? []) {
    requireServices(variable, env);
    const value = await valueOf(variable, env, input);
    if (value !== undefined) env[variable.name] = value;
  }
  return env;
}

async function valueOf(variable: EnvVar, env: Record<string, string>, input: EnvironmentInput): Promise<string | undefined> {
  const from = variable.valueFrom;
  if (!from) return expand(variable.value ?? '', env);
  if (from.fieldRef) return fieldValue(from.fieldRef.fieldPath, input);
  const reference = from.secretKeyRef ?? from.configMapKeyRef;
  if (!reference) throw new AdorableError('InvalidInput', `Variable ${variable.name} has a source that the process node does not know.`);
  const kind = from.secretKeyRef ? 'Secret' : 'ConfigMap';
  const values = from.secretKeyRef ? await input.source.secret(reference.name) : await input.source.configMap(reference.name);
  const value = values?.[reference.key];
  if (value === undefined && !reference.optional) throw missing(kind, values ? `${reference.name}, key ${reference.key}` : reference.name);
  return value;
}

/**
 * Stricter than the kubelet, which would start the program with the text `$(X_SERVICE_HOST)`: a
 * Service may be seen a moment after the pod, so the container waits for it (I4).
 */
function requireServices({ name, value = '' }: EnvVar, env: Readonly<Record<string, string>>): void {
  for (const [, reference = ''] of value.replaceAll('$$', '').matchAll(/\$\(([A-Z0-9_]+_SERVICE_(?:HOST|PORT)[A-Z0-9_]*)\)/g)) {
    if (Object.hasOwn(env, reference)) continue;
    throw new AdorableError('PreconditionFailed', `Variable ${name} needs ${reference}, but no Service of this namespace provides it: create the Service and the container starts by itself.`);
  }
}

function missing(kind: string, name: string): AdorableError {
  return new AdorableError('PreconditionFailed', `${kind} ${name} does not exist: create it and the container starts by itself.`);
}

function fieldValue(path: string, { pod, podIP }: EnvironmentInput): string {
  const subscript = /^metadata\.(annotations|labels)\['([^']+)'\]$/.exec(path);
  if (subscript) return pod.metadata[subscript[1] as 'annotations' | 'labels']?.[subscript[2] ?? ''] ?? '';
  switch (path) {
    case 'metadata.name': return pod.metadata.name;
    case 'metadata.namespace': return pod.metadata.namespace ?? '';
    case 'metadata.uid': return pod.metadata.uid;
    case 'status.podIP':
    case 'status.podIPs': return podIP;
    case 'status.hostIP': return '127.0.0.1';
    case 'spec.nodeName': return pod.spec.nodeName ?? '';
    default: throw new AdorableError('InvalidInput', `Field ${path} is not one that the process node can put in the environment.`);
  }
}

/** `$(NAME)` → its value; unknown names stay as written; `$$` → `$` (so `$$(NAME)` stays `$(NAME)`). */
export function expand(text: string, env: Readonly<Record<string, string>>): string {
  return text.replace(/\$\$|\$\(([^()]*)\)/g, (match, name: string | undefined) => {
    if (match === '$$') return '$';
    return name !== undefined && Object.hasOwn(env, name) ? (env[name] ?? '') : match;
  });
}

/** X_SERVICE_HOST, X_SERVICE_PORT, one X_SERVICE_PORT_NAME per named port, and the docker-link forms. */
export function serviceVariables(services: readonly Service[]): Record<string, string> {
  const env: Record<string, string> = {};
  for (const service of services) {
    const host = service.spec.clusterIP;
    const first = service.spec.ports?.[0];
    if (!host || host === 'None' || !first) continue;
    const name = variableName(service.metadata.name);
    env[`${name}_SERVICE_HOST`] = host;
    env[`${name}_SERVICE_PORT`] = String(first.port);
    env[`${name}_PORT`] = `tcp://${host}:${String(first.port)}`;
    for (const port of service.spec.ports ?? []) {
      const protocol = (port.protocol ?? 'TCP').toLowerCase();
      if (port.name) env[`${name}_SERVICE_PORT_${variableName(port.name)}`] = String(port.port);
      const link = `${name}_PORT_${String(port.port)}_${protocol.toUpperCase()}`;
      env[link] = `${protocol}://${host}:${String(port.port)}`;
      env[`${link}_PROTO`] = protocol;
      env[`${link}_PORT`] = String(port.port);
      env[`${link}_ADDR`] = host;
    }
  }
  return env;
}

function variableName(name: string): string {
  return name.toUpperCase().replaceAll('-', '_');
}
