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
} from 'yaml';
import { NexusError, type FieldProblem } from '../../contract/errors.ts';

export type Position = { readonly line: number; readonly column: number };
export type YamlPath = readonly PropertyKey[];
export type PositionedProblem = FieldProblem & Partial<Position>;

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

const maxFileBytes = 256 * 1024;
const maxAliases = 100;
const mostProblems = 50;

/** @throws config_invalid */
export function readYaml(text: string, file: string): YamlFile {
  if (Buffer.byteLength(text) > maxFileBytes) {
    throw invalidConfig(file, [
      { path: '(file)', problem: `is larger than ${maxFileBytes / 1024} KiB`, line: 1, column: 1 },
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
    const problems = found.map((error) => ({
      path: 'YAML',
      problem: firstLine(error.message),
      ...positionOf(error.pos[0]),
    }));
    throw invalidConfig(file, problems);
  }
  const repeated = repeatedKeys(document.contents);
  if (repeated.length > 0) {
    throw invalidConfig(
      file,
      repeated.map(({ name, offset }) => ({ path: name, problem: 'is there twice', ...positionOf(offset) })),
    );
  }
  return {
    file,
    data: toData(document, file),
    valueAt: (path) => positionOf(walk(document, path).value?.range?.[0] ?? 0),
    keyAt: (path) => positionOf(walk(document, path).key?.range?.[0] ?? 0),
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
  const explicitKey = offsetOfExplicitKey(text);
  if (explicitKey !== undefined) {
    const before = text.slice(0, explicitKey).split('\n');
    const position = { line: before.length, column: (before.at(-1)?.length ?? 0) + 1 };
    throw invalidConfig(file, [{ path: 'YAML', problem: 'A key that begins with ? is not taken', ...position }]);
  }
  try {
    // Repeated keys are looked for below: the parser compares each key with each other one.
    return parseDocument(text, { lineCounter, uniqueKeys: false, prettyErrors: false, logLevel: 'error' });
  } catch (cause) {
    throw unreadable(file, cause);
  }
}

/** Nested `? ? ?` keys take the parser minutes, and no configuration needs one. */
function offsetOfExplicitKey(text: string): number | undefined {
  let offset = 0;
  let scalarFollows = false;
  for (const token of new Lexer().lex(text)) {
    const isMark = token === CST.DOCUMENT || token === CST.FLOW_END || token === CST.SCALAR;
    if (!isMark && !scalarFollows && CST.tokenType(token) === 'explicit-key-ind') return offset;
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

function firstLine(message: string): string {
  return message.split('\n', 1)[0] ?? message;
}

function repeatedKeys(root: unknown): { name: string; offset: number }[] {
  const repeated: { name: string; offset: number }[] = [];
  const pending: unknown[] = [root];
  for (let node = pending.pop(); node !== undefined; node = pending.pop()) {
    if (isSeq(node)) pending.push(...node.items);
    if (!isMap(node)) continue;
    const seen = new Set<string>();
    for (const { key, value } of node.items) {
      const name = keyText(key);
      if (seen.has(name)) repeated.push({ name, offset: (isNode(key) ? key.range?.[0] : undefined) ?? 0 });
      seen.add(name);
      pending.push(value);
    }
  }
  return repeated;
}

function keyText(key: unknown): string {
  return String(isScalar(key) ? key.value : key);
}

type Found = { key: Node | undefined; value: Node | undefined };

/** Follows the path as far as it goes. */
function walk(document: Document, path: YamlPath): Found {
  let found: Found = { key: undefined, value: document.contents ?? undefined };
  for (const segment of path) {
    const node = isAlias(found.value) ? found.value.resolve(document) : found.value;
    const next = isMap(node)
      ? node.items.find((pair) => keyText(pair.key) === String(segment))
      : isSeq(node)
        ? { key: node.items[Number(segment)], value: node.items[Number(segment)] }
        : undefined;
    if (next === undefined) break;
    const key = isNode(next.key) ? next.key : found.key;
    found = { key, value: isNode(next.value) ? next.value : key };
  }
  return found;
}
