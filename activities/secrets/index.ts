/** The secret store's public face, for the composition root. */
export { createProjectSecrets, type EnvTarget, type ProjectSecrets, type ProjectSecretsDeps } from './project-secrets.ts';
export { createSeal, type Seal } from './seal.ts';
export { createSecretStore, type SecretStore } from './secret-store.ts';
