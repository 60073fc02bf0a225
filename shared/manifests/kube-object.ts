/** A Kubernetes object as plain JSON: what is rendered, what is applied and what comes back. */
export interface ObjectMeta {
  readonly name: string;
  readonly namespace?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
}

export interface KubeObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: ObjectMeta;
  readonly [field: string]: unknown;
}

export interface Deployment extends KubeObject {
  readonly kind: 'Deployment';
  readonly spec: { readonly replicas: number; readonly template: { readonly metadata: { readonly annotations: Readonly<Record<string, string>> } } };
}

export function isDeployment(object: KubeObject): object is Deployment {
  return object.kind === 'Deployment';
}

/** `Kind/name`, unique within a namespace. */
export function refOf(object: Pick<KubeObject, 'kind' | 'metadata'>): string {
  return `${object.kind}/${object.metadata.name}`;
}
