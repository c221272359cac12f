/**
 * YAML text to data with the position of each part, made for files of strangers: whatever the text, it ends soon
 * and throws nothing but config_invalid.
 */
import {
  CST,
  isAlias,
  isMap,
  isNode,
  isScalar,
  isSeq,
  Lexer,
  LineCounter,
  parseDocument,
  type Document,
  type Node,
  type YAMLError,
  type YAMLMap,
} from 'yaml';
import { NexusError, type ErrorDetails } from '../../contract/errors.ts';

export type Position = { readonly line: number; readonly column: number };
export type YamlPath = readonly PropertyKey[];
export type PositionedProblem = ErrorDetails<'config_invalid'>['problems'][number];

export type YamlFile = {
  readonly file: string;
  /** Null when the file is empty. */
  readonly data: unknown;
  /** Where the value at the path is, or the nearest part around it that is there. */
  valueAt(path: YamlPath): Position;
  /** Where its key is. */
  keyAt(path: YamlPath): Position;
  /** The number at the path as it was written (`0755`, `1.10`). */
  sourceAt(path: YamlPath): string | undefined;
};

/** Whoever reads such a file reads one byte more than this at most: what is longer is refused. */
export const maxYamlBytes = 256 * 1024;
const maxTokens = 50_000;
const maxDepth = 32;
const maxAliases = 100;
const mostProblems = 50;
const tooDeep = 'is nested too deeply';

/** @throws config_invalid */
export function readYaml(text: string, file: string): YamlFile {
  if (Buffer.byteLength(text) > maxYamlBytes) {
    throw invalidConfig(file, [
      { path: '(file)', problem: `is larger than ${maxYamlBytes / 1024} KiB`, line: 1, column: 1 },
    ]);
  }
  const lines = new LineCounter();
  const positionOf = (offset: number): Position => {
    const { line, col } = lines.linePos(offset);
    return { line: Math.max(line, 1), column: Math.max(col, 1) };
  };
  const document = parseSafely(text, file, lines);
  const found = [...document.errors, ...document.warnings];
  if (found.length > 0) {
    const problems = found.map((error) => ({ path: 'YAML', problem: problemOf(error), ...positionOf(error.pos[0]) }));
    throw invalidConfig(file, problems);
  }
  const flaws = structureFlaws(document.contents);
  if (flaws.length > 0) {
    throw invalidConfig(
      file,
      flaws.map(({ path, problem, offset }) => ({ path, problem, ...positionOf(offset) })),
    );
  }
  return {
    file,
    data: toData(document, file),
    valueAt: (path) => positionOf(offsetOf(walk(document, path).value)),
    keyAt: (path) => positionOf(offsetOf(walk(document, path).key)),
    sourceAt: (path) => {
      const { value } = walk(document, path);
      return isScalar(value) && typeof value.value === 'number' ? value.source : undefined;
    },
  };
}

/** config_invalid with at most 50 problems, in the order of the file. */
export function invalidConfig(file: string, problems: readonly PositionedProblem[]): NexusError<'config_invalid'> {
  const place = ({ line = Infinity, column = 0 }: PositionedProblem): number => line * 1e6 + column;
  const sorted = [...problems].sort((a, b) => (place(a) < place(b) ? -1 : 1));
  const rest = sorted.length - mostProblems;
  const more = rest > 0 ? [{ path: '(file)', problem: `has ${rest} more problems` }] : [];
  return new NexusError('config_invalid', { file, problems: [...sorted.slice(0, mostProblems), ...more] });
}

function parseSafely(text: string, file: string, lineCounter: LineCounter): Document {
  const refused = refusedBeforeParsing(text);
  if (refused) {
    const before = text.slice(0, refused.offset).split('\n');
    const position = { line: before.length, column: (before.at(-1)?.length ?? 0) + 1 };
    throw invalidConfig(file, [{ path: 'YAML', problem: refused.problem, ...position }]);
  }
  try {
    // Repeated keys are looked for below: the parser compares each key with each other one.
    return parseDocument(text, { lineCounter, uniqueKeys: false, prettyErrors: false, logLevel: 'error' });
  } catch (cause) {
    throw unreadable(file, cause);
  }
}

/**
 * What takes the parser long: a great many parts, and nested `? ? ?` keys (256 KiB of them take it minutes). No
 * configuration needs either. Reading the tokens takes a time that grows with the length only.
 */
function refusedBeforeParsing(text: string): { offset: number; problem: string } | undefined {
  let offset = 0;
  let count = 0;
  let scalarFollows = false;
  for (const token of new Lexer().lex(text)) {
    const isMark = token === CST.DOCUMENT || token === CST.FLOW_END || token === CST.SCALAR;
    if (!isMark && !scalarFollows && CST.tokenType(token) === 'explicit-key-ind') {
      return { offset, problem: 'A key that begins with ? is not taken' };
    }
    if (++count > maxTokens) return { offset, problem: 'The file has more parts than are taken' };
    scalarFollows = token === CST.SCALAR;
    if (!isMark) offset += token.length;
  }
  return undefined;
}

function toData(document: Document, file: string): unknown {
  try {
    return document.toJS({ maxAliasCount: maxAliases });
  } catch (cause) {
    throw unreadable(file, cause);
  }
}

function unreadable(file: string, cause: unknown): NexusError {
  const problem = cause instanceof Error ? firstLine(cause.message) : 'cannot be read';
  return new NexusError(
    'config_invalid',
    { file, problems: [{ path: 'YAML', problem, line: 1, column: 1 }] },
    { cause },
  );
}

function problemOf({ code, message }: YAMLError): string {
  return code === 'RESOURCE_EXHAUSTION' ? tooDeep : firstLine(message);
}

function firstLine(message: string): string {
  return message.split('\n', 1)[0] ?? message;
}

type Flaw = { readonly path: string; readonly problem: string; readonly offset: number };

/** Keys that are there twice or are no text, and what is nested too deeply for whoever walks through the data. */
function structureFlaws(root: unknown): Flaw[] {
  const flaws: Flaw[] = [];
  const pending: { node: unknown; depth: number }[] = [{ node: root, depth: 0 }];
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    const { node, depth } = next;
    const children = isMap(node) ? node.items.map(({ value }) => value) : isSeq(node) ? node.items : [];
    if (children.length > 0 && depth >= maxDepth)
      flaws.push({ path: 'YAML', problem: tooDeep, offset: offsetOf(node) });
    else for (const child of children) pending.push({ node: child, depth: depth + 1 });
    if (isMap(node)) flaws.push(...keyFlaws(node));
  }
  return flaws;
}

function keyFlaws(map: YAMLMap): Flaw[] {
  const seen = new Set<string>();
  return map.items.flatMap(({ key }) => {
    const offset = offsetOf(key);
    if (!isScalar(key)) return [{ path: 'YAML', problem: 'A key must be text', offset }];
    const name = String(key.value);
    if (seen.has(name)) return [{ path: name, problem: 'is there twice', offset }];
    seen.add(name);
    return [];
  });
}

function offsetOf(node: unknown): number {
  return (isNode(node) ? node.range?.[0] : undefined) ?? 0;
}

type Found = { key: Node | undefined; value: Node | undefined };

/** Follows the path as far as it goes. */
function walk(document: Document, path: YamlPath): Found {
  let found: Found = { key: undefined, value: document.contents ?? undefined };
  for (const segment of path) {
    const node = isAlias(found.value) ? found.value.resolve(document) : found.value;
    const next = isMap(node)
      ? node.items.find(({ key }) => isScalar(key) && String(key.value) === String(segment))
      : isSeq(node)
        ? { key: node.items[Number(segment)], value: node.items[Number(segment)] }
        : undefined;
    if (next === undefined) break;
    const key = isNode(next.key) ? next.key : found.key;
    found = { key, value: isNode(next.value) ? next.value : key };
  }
  return found;
}
