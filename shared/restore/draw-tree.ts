/**
 * The tree of moments as lines: the branch that the project is on runs straight down, oldest
 * first; branches that were left stand beside it. A restore's own node is no place of its own: it
 * is folded into the moment that it went back to.
 */
export interface TreeEntry {
  readonly id: string;
  readonly parentId: string | null;
  readonly aliasOf: string | null;
  readonly current: boolean;
}

export interface TreeLine<Entry extends TreeEntry> {
  /** Branch marks before the entry's own mark. */
  readonly prefix: string;
  readonly entry: Entry;
  /** Nodes of restores that went here. */
  readonly aliases: readonly Entry[];
  readonly current: boolean;
}

/** `entries` in order of recording. */
export function drawTree<Entry extends TreeEntry>(entries: readonly Entry[]): readonly TreeLine<Entry>[] {
  const byId = new Map(entries.map((entry) => [entry.id, entry]));
  const placeOf = (id: string): string => {
    for (let entry = byId.get(id); ; entry = byId.get(entry.aliasOf)) {
      if (entry === undefined || entry.aliasOf === null || !byId.has(entry.aliasOf)) return entry?.id ?? id;
    }
  };
  const places = entries.filter((entry) => placeOf(entry.id) === entry.id);
  const aliases = groupBy(entries.filter((entry) => placeOf(entry.id) !== entry.id), (entry) => placeOf(entry.id));
  const children = groupBy(places, (entry) => (entry.parentId === null ? '' : byId.has(entry.parentId) ? placeOf(entry.parentId) : ''));
  const current = entries.findLast((entry) => entry.current);
  const here = current === undefined ? undefined : placeOf(current.id);
  const onTheWay = new Set<string>();
  for (let at = here; at !== undefined && !onTheWay.has(at);) {
    onTheWay.add(at);
    const parent: string | null | undefined = byId.get(at)?.parentId;
    at = parent == null ? undefined : placeOf(parent);
  }

  const lines: TreeLine<Entry>[] = [];
  const walk = (start: Entry, first: string, indent: string): void => {
    let prefix = first;
    for (let at: Entry | undefined = start; at !== undefined; prefix = indent) {
      lines.push({ prefix, entry: at, aliases: aliases.get(at.id) ?? [], current: at.id === here });
      const below: readonly Entry[] = children.get(at.id) ?? [];
      const straight: Entry | undefined = below.find((child) => onTheWay.has(child.id)) ?? (onTheWay.has(at.id) && below.length > 1 ? undefined : below.at(-1));
      for (const side of below) if (side !== straight) walk(side, `${indent}├─`, `${indent}│ `);
      at = straight;
    }
  };
  for (const root of children.get('') ?? []) walk(root, '', '');
  return lines;
}

function groupBy<Entry>(entries: readonly Entry[], keyOf: (entry: Entry) => string): ReadonlyMap<string, readonly Entry[]> {
  const groups = new Map<string, Entry[]>();
  for (const entry of entries) groups.set(keyOf(entry), [...(groups.get(keyOf(entry)) ?? []), entry]);
  return groups;
}
