/**
 * The one file that talks to TypeScript's own parser: a child process per batch, fed with texts from
 * memory and shown no file system, so that parsing a stranger's source can read nothing and, whatever
 * becomes of the child, ends with it. Nothing is resolved, checked or run.
 */
import { isBindingElement, isClassDeclaration, isEnumDeclaration, isExportAssignment, isExportDeclaration, isFunctionDeclaration, isIdentifier, isImportDeclaration, isInterfaceDeclaration, isModuleDeclaration, isNamedExports, isNamedImports, isNamespaceImport, isObjectBindingPattern, isStringLiteral, isTypeAliasDeclaration, isVariableStatement } from 'typescript/unstable/ast/is';
import { SyntaxKind } from 'typescript/unstable/ast';
import type { BindingName, Node, SourceFile, Statement } from 'typescript/unstable/ast';
import { API } from 'typescript/unstable/async';
import { AdorableError } from '../../../shared/errors.ts';
import type { FoundImport, FoundSymbol, ModuleFacts, SymbolKind } from '../module-facts.ts';

const ROOT = '/m';
const CONFIG = `${ROOT}/tsconfig.json`;
const LIMIT_MS = 60_000;

/** By the caller's keys, whose ending says the language; a text that does not parse gives what could be read of it. */
export async function parseModules(files: ReadonlyMap<string, string>): Promise<ReadonlyMap<string, ModuleFacts>> {
  if (files.size === 0) return new Map();
  const names = [...files.keys()].map((key, at) => [key, `${ROOT}/${String(at)}${key.slice(key.lastIndexOf('.'))}`] as const);
  const texts = new Map(names.map(([key, name]) => [name, files.get(key) ?? '']));
  texts.set(CONFIG, JSON.stringify({
    compilerOptions: { noLib: true, noResolve: true, allowJs: true, types: [], jsx: 'preserve', moduleDetection: 'force' },
    files: names.map(([, name]) => name),
  }));
  const api = new API({ cwd: ROOT, fs: memory(texts) });
  let limit: NodeJS.Timeout | undefined;
  try {
    return await Promise.race([
      read(api, names),
      new Promise<never>((_, reject) => {
        limit = setTimeout(() => { reject(new AdorableError('Unavailable', `The code of the apps could not be parsed within ${String(LIMIT_MS / 1000)} s.`)); }, LIMIT_MS);
      }),
    ]);
  } finally {
    clearTimeout(limit);
    await api.close();
  }
}

function memory(texts: ReadonlyMap<string, string>) {
  return {
    readFile: (name: string) => texts.get(name) ?? null,
    fileExists: (name: string) => texts.has(name),
    directoryExists: (name: string) => name === ROOT || name === '/',
    getAccessibleEntries: () => ({ files: [], directories: [] }),
    realpath: (name: string) => name,
  };
}

async function read(api: API, names: readonly (readonly [string, string])[]): Promise<ReadonlyMap<string, ModuleFacts>> {
  const snapshot = await api.updateSnapshot({ openProjects: [CONFIG] });
  const program = snapshot.getProject(CONFIG)?.program;
  if (program === undefined) throw new AdorableError('InvariantViolated', 'TypeScript opened no project: nothing was parsed.');
  const found = new Map<string, ModuleFacts>();
  for (const [key, name] of names) {
    const source = await program.getSourceFile(name);
    if (source !== undefined) found.set(key, factsOf(source));
  }
  return found;
}

function factsOf(source: SourceFile): ModuleFacts {
  const lineOf = lineFinder(source.text);
  const statements = [...source.statements];
  const later = new Set(statements.flatMap((statement) => (isExportDeclaration(statement) && statement.moduleSpecifier === undefined ? namesOf(statement, 'local') : [])));
  const symbols = statements.flatMap((statement) => symbolsOf(statement).map(({ name, kind, exported }): FoundSymbol => ({
    name, kind, line: lineOf(statement.getStart(source)), exported: exported || later.has(name),
  })));
  const named = new Map<Node, readonly string[]>(statements.flatMap((statement) => {
    const specifier = isImportDeclaration(statement) || isExportDeclaration(statement) ? statement.moduleSpecifier : undefined;
    return specifier === undefined ? [] : [[specifier, namesOf(statement, 'foreign')] as const];
  }));
  const imports = source.imports.flatMap((node): FoundImport[] => (
    isStringLiteral(node) || node.kind === SyntaxKind.NoSubstitutionTemplateLiteral
      ? [{ specifier: (node as { text: string } & Node).text, names: named.get(node) ?? ['*'], line: lineOf(node.getStart(source)) }]
      : []
  ));
  return { symbols, imports };
}

interface Declaration {
  readonly name: string;
  readonly kind: SymbolKind;
  readonly exported: boolean;
}

function symbolsOf(statement: Statement): Declaration[] {
  const exported = has(statement, SyntaxKind.ExportKeyword);
  const own = (kind: SymbolKind, name: string | undefined): Declaration[] => [{ name: name ?? 'default', kind, exported }];
  if (isFunctionDeclaration(statement)) return own('function', statement.name?.text);
  if (isClassDeclaration(statement)) return own('class', statement.name?.text);
  if (isInterfaceDeclaration(statement)) return own('interface', statement.name.text);
  if (isTypeAliasDeclaration(statement)) return own('type', statement.name.text);
  if (isEnumDeclaration(statement)) return own('enum', statement.name.text);
  if (isModuleDeclaration(statement)) return isIdentifier(statement.name) ? own('namespace', statement.name.text) : [];
  if (isVariableStatement(statement)) {
    return [...statement.declarationList.declarations].flatMap(({ name }) => boundNames(name).map((text): Declaration => ({ name: text, kind: 'variable', exported })));
  }
  if (isExportAssignment(statement)) return [{ name: 'default', kind: 'export', exported: true }];
  // `export { a as b }` and `export … from`: the name under which others find it.
  if (isExportDeclaration(statement)) return namesOf(statement, 'exported').filter((name) => name !== '*').map((name) => ({ name, kind: 'export', exported: true }));
  return [];
}

function has(statement: Statement, keyword: SyntaxKind): boolean {
  const { modifiers } = statement as Statement & { readonly modifiers?: Iterable<Node> };
  return [...(modifiers ?? [])].some(({ kind }) => kind === keyword);
}

function boundNames(name: BindingName): string[] {
  if (isIdentifier(name)) return [name.text];
  const elements: readonly Node[] = isObjectBindingPattern(name) ? [...name.elements] : [...name.elements];
  return elements.flatMap((element) => (isBindingElement(element) && element.name !== undefined ? boundNames(element.name) : []));
}

/** Of an import or export: as it is called here (`local`), there (`foreign`), or to others (`exported`). */
function namesOf(statement: Statement, side: 'local' | 'foreign' | 'exported'): string[] {
  if (isExportDeclaration(statement)) {
    const { exportClause } = statement;
    if (exportClause === undefined) return ['*'];
    if (!isNamedExports(exportClause)) return side === 'exported' ? [exportClause.name.text] : ['*'];
    return [...exportClause.elements].map(({ name, propertyName }) => (side === 'exported' ? name : (propertyName ?? name)).text);
  }
  if (!isImportDeclaration(statement) || statement.importClause === undefined) return [];
  const { name, namedBindings } = statement.importClause;
  const bindings = namedBindings === undefined ? []
    : isNamespaceImport(namedBindings) ? ['*']
      : isNamedImports(namedBindings) ? [...namedBindings.elements].map((element) => (element.propertyName ?? element.name).text) : [];
  return [...(name === undefined ? [] : ['default']), ...bindings];
}

function lineFinder(text: string): (offset: number) => number {
  const starts = [0];
  for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) starts.push(at + 1);
  return (offset) => {
    let low = 0;
    let high = starts.length - 1;
    while (low < high) {
      const middle = Math.ceil((low + high) / 2);
      if ((starts[middle] ?? 0) <= offset) low = middle;
      else high = middle - 1;
    }
    return low + 1;
  };
}
