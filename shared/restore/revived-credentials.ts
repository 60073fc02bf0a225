/**
 * Credentials that a branch brings back: the roles inside it hold verifiers of that time, while
 * secrets stay current. The compute re-asserts them before it takes connections; the plan names them.
 */
export interface RevivedCredential {
  /** `app <slug>`, `service <id>` or `compute`, with the secret's name. */
  readonly secret: string;
  readonly then: number;
  readonly now: number;
}

export type SecretVersions = Readonly<Record<string, number>>;

export function revivedCredentials(now: SecretVersions, then: SecretVersions, slugs: ReadonlyMap<string, string>): readonly RevivedCredential[] {
  return Object.entries(then).flatMap(([name, version]) => {
    const current = now[name];
    if (current === undefined || current === version) return [];
    const [kind = '', owner = '', variable] = name.split('/');
    const secret = variable === undefined ? `${kind} ${owner}` : `${kind} ${slugs.get(owner) ?? owner} ${variable}`;
    return [{ secret, then: version, now: current }];
  }).sort((a, b) => (a.secret < b.secret ? -1 : 1));
}
