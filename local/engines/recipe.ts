/**
 * What exactly is obtained: pinned versions and build flags. A slot in the cache is named by the
 * hash of everything that goes into it, so that a change here never meets an old binary.
 */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { cacheDir } from '../paths.ts';

export type EngineName = 'node' | 'postgres' | 'temporal' | 'kube' | 'directus' | 'contain';
/** Those that somebody else publishes binaries of. */
export type ReleasedEngineName = 'temporal' | 'kube';
export type GoEngineName = ReleasedEngineName | 'contain';

export const VERSIONS = {
  node: '24.21.0',
  postgres: '17.10.0-beta.17',
  temporal: '1.8.2',
  kubernetes: '1.37.2',
  etcd: '3.7.0',
  directus: '11.17.4',
  go: '1.26.8',
  contain: '1',
} as const;

export const enginesSource = dirname(fileURLToPath(import.meta.url));
export const checkout = join(enginesSource, '..', '..');

const KUBE_VERSION_FLAGS = ['k8s.io/component-base/version', 'k8s.io/client-go/pkg/version'].flatMap((pkg) => [
  `-X ${pkg}.gitVersion=v${VERSIONS.kubernetes}`,
  `-X ${pkg}.gitMajor=1`,
  `-X ${pkg}.gitMinor=37`,
  `-X ${pkg}.gitTreeState=clean`,
  `-X ${pkg}.buildDate=2026-01-01T00:00:00Z`,
]);

export interface GoRecipe {
  readonly package: string;
  readonly flags: readonly string[];
  readonly usually: string;
  /** The lowest Go that its go.mod accepts. */
  readonly minimumGo: string;
}

export const GO_RECIPES: Record<GoEngineName, GoRecipe> = {
  temporal: {
    package: 'github.com/temporalio/cli/cmd/temporal',
    flags: ['-trimpath', '-ldflags', `-s -w -X github.com/temporalio/cli/internal/temporalcli.Version=${VERSIONS.temporal}`],
    usually: 'about 4 min on two cores',
    minimumGo: '1.26.4',
  },
  kube: {
    package: '.',
    flags: ['-trimpath', '-gcflags=all=-dwarf=false', '-ldflags', ['-s -w', ...KUBE_VERSION_FLAGS].join(' ')],
    usually: 'about 5 min on two cores',
    minimumGo: '1.26.4',
  },
  contain: { package: '.', flags: ['-trimpath', '-ldflags', '-s -w'], usually: 'about 10 s', minimumGo: '1.21.0' },
};

/** Files of the checkout whose content decides what a slot holds. */
const INPUTS: Record<EngineName, readonly string[]> = {
  node: [],
  postgres: [],
  temporal: ['temporal/go.mod', 'temporal/go.sum'],
  kube: ['kube/go.mod', 'kube/go.sum', 'kube/main.go'],
  directus: ['directus/package.json', 'directus/package-lock.json'],
  contain: ['contain/go.mod', 'contain/main.go', 'contain/landlock.go', 'contain/seccomp.go'],
};

/** The file that must be there for a slot to count as usable. */
export const ENTRY: Record<EngineName, string> = {
  node: 'bin/node',
  postgres: 'bin/postgres',
  temporal: 'temporal',
  kube: 'kube',
  directus: 'node_modules/directus/package.json',
  contain: 'contain',
};

export function platformName(): string {
  return `${process.platform}-${process.arch}`;
}

export function slotName(engine: EngineName): string {
  const hash = createHash('sha256');
  hash.update(JSON.stringify([engine, platformName(), versionOf(engine)]));
  if (engine === 'temporal' || engine === 'kube' || engine === 'contain') hash.update(JSON.stringify(GO_RECIPES[engine].flags));
  // Directus is linked against this Node's ABI by its prebuilt addons.
  if (engine === 'directus') hash.update(VERSIONS.node);
  for (const file of INPUTS[engine]) hash.update(file).update(readFileSync(join(enginesSource, file)));
  return `${engine}-${hash.digest('hex').slice(0, 16)}`;
}

export function slotPath(engine: EngineName, cache: string = cacheDir()): string {
  return join(cache, 'engines', slotName(engine));
}

function versionOf(engine: EngineName): readonly string[] {
  return engine === 'kube' ? [VERSIONS.kubernetes, VERSIONS.etcd] : [VERSIONS[engine]];
}
