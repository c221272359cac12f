import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { test } from 'node:test';
import type { CliError } from './cli-error.ts';
import type { AnyCommand } from './command.ts';
import { findCommand } from './find-command.ts';
import { groupHelp } from './group-help.ts';
import { parseCommandLine } from './parse-command-line.ts';
import { registry } from './registry.ts';
import type { CommandNode } from './command-node.ts';
import type { Output } from './terminal/output.ts';

const stdout: Output = {
  write: () => undefined,
  stream: new PassThrough(),
  isTerminal: false,
  hasColor: false,
  columns: () => 80,
};

type Leaf = { words: string; node: CommandNode; definition: AnyCommand };

async function leaves(node: CommandNode, words: string): Promise<Leaf[]> {
  const own = node.load === undefined ? [] : [{ words, node, definition: await node.load() }];
  const below = await Promise.all((node.children ?? []).map((child) => leaves(child, `${words} ${child.name}`)));
  return [...own, ...below.flat()];
}

const all = await leaves(registry, 'nexus');

for (const { words, definition } of all) {
  test(`${words} has help with an example`, () => {
    const parsed = parseCommandLine(definition, { words, args: ['--nonsense', '--help'], stdout });
    assert.equal(parsed.kind, 'help');
    assert.match(parsed.kind === 'help' ? parsed.text : '', new RegExp(`^Usage: ${words}[^]*\\nExamples:\\n  \\S`));
  });

  test(`${words} refuses an unknown option`, () => {
    assert.throws(() => parseCommandLine(definition, { words, args: ['--nonsense'], stdout }), {
      exitCode: 2,
      title: `Wrong use of ${words}`,
      next: `${words} --help`,
    });
  });
}

const tooMuch: Readonly<Record<string, readonly string[]>> = {
  'nexus workspace list': ['x'],
  'nexus workspace create': ['a/b', 'c/d'],
  'nexus workspace show': ['a', 'b'],
  'nexus workspace logs': ['a', 'b', 'c'],
  'nexus workspace port': ['a', '1', '2'],
  'nexus workspace exec': ['a'],
  'nexus ssh setup': ['x'],
  'nexus ssh config': ['x'],
  'nexus ssh': ['--proxy', 'a', 'b'],
  'nexus config init': ['a', 'b'],
  'nexus config schema': ['a'],
  'nexus node setup': ['x'],
  'nexus node list': ['x'],
  'nexus node rm': ['x', 'y'],
  'nexus node teardown': [],
  'nexus server start': ['x'],
  'nexus server status': ['x'],
  'nexus agent start': ['--server', 's', '--name', 'n', 'x'],
  'nexus gateway run': ['--server', 's', '--state-dir', 'd', '--stream-port', 'x'],
  'nexus relay': ['0'],
  'nexus completion': ['tcsh'],
  'nexus version': ['x'],
  'nexus doctor': ['x'],
};
for (const [words, args] of Object.entries(tooMuch)) {
  test(`wrong use: ${words} ${args.join(' ')}`, () => {
    const leaf = all.find((one) => one.words === words);
    assert.ok(leaf);
    assert.throws(() => parseCommandLine(leaf.definition, { words, args, stdout }), { exitCode: 2 });
  });
}

const moreWrong: readonly [words: string, args: readonly string[]][] = [
  ['nexus workspace status', ['--watch', '--json']],
  ['nexus workspace logs', ['--follow', '--json']],
  ['nexus workspace exec', ['a', '--tty', '--json', 'true']],
  ['nexus workspace logs', ['a', 'b', '--service', 'c']],
  ['nexus workspace logs', ['--lines', '-1']],
  ['nexus workspace logs', ['--lines', 'many']],
  ['nexus workspace port', ['70000']],
  ['nexus workspace port', ['80:70000']],
  ['nexus workspace create', ['a/b', '--provider', 'podman']],
  ['nexus workspace create', []],
  ['nexus node setup', ['--pool-size', 'big']],
  ['nexus gateway run', ['--server', 's', '--state-dir', 'd', '--stream-port', '70000']],
];
for (const [words, args] of moreWrong) {
  test(`wrong use: ${words} ${args.join(' ')}`, () => {
    const leaf = all.find((one) => one.words === words);
    assert.ok(leaf);
    assert.throws(
      () => parseCommandLine(leaf.definition, { words, args, stdout }),
      (error: CliError) =>
        error.exitCode === 2 && error.title === `Wrong use of ${words}` && error.next === `${words} --help`,
    );
  });
}

test('words name commands, and what follows is theirs', () => {
  const found = (...args: string[]) => {
    const { words, rest } = findCommand(registry, args);
    return [words, ...rest];
  };
  assert.deepEqual(found('workspace', 'ls', '--json'), ['nexus workspace list', '--json']);
  assert.deepEqual(found('ssh', 'config'), ['nexus ssh config']);
  assert.deepEqual(found('ssh', 'my-project', '--', 'ls'), ['nexus ssh', 'my-project', '--', 'ls']);
  assert.deepEqual(found('coordination', 'start'), ['nexus coordination start']);
  assert.deepEqual(found('workspace', '--help'), ['nexus workspace', '--help']);
  assert.deepEqual(found(), ['nexus']);
});

test('a wrong word is answered with the nearest right ones', () => {
  assert.throws(() => findCommand(registry, ['workspace', 'lst']), {
    message: 'There is no command nexus workspace lst. Did you mean list or ls?',
    next: 'nexus workspace list',
    exitCode: 2,
  });
  assert.throws(() => findCommand(registry, ['zzzzzzzz']), {
    message: 'There is no command nexus zzzzzzzz.',
    next: 'nexus --help',
  });
});

test('a word that stands elsewhere is answered with where', () => {
  assert.throws(() => findCommand(registry, ['list']), {
    message: 'There is no command nexus list. Did you mean nexus workspace list or nexus node list?',
    next: 'nexus workspace list --help',
    exitCode: 2,
  });
});

for (const group of registry.children?.filter(({ children, load }) => children && !load) ?? []) {
  test(`nexus ${group.name} has help with an example`, async () => {
    assert.match(await groupHelp(group, `nexus ${group.name}`, stdout), /\nExamples:\n {2}\S/);
  });
}

test('names are unique, and hidden ones are not shown', async () => {
  const check = (node: CommandNode): void => {
    const names = (node.children ?? []).flatMap((child) => [child.name, ...(child.aliases ?? [])]);
    assert.equal(new Set(names).size, names.length, node.name);
    node.children?.forEach(check);
  };
  check(registry);
  const help = await groupHelp(registry, 'nexus', stdout);
  assert.match(help, /workspace .*\n/);
  assert.doesNotMatch(help, /gateway|relay|coordination/);
});

test('what is wrong with the command itself is not hidden', () => {
  const definition: AnyCommand = {
    description: '',
    examples: [],
    configure: (command) =>
      void command.option('--x <n>', '', () => {
        throw new TypeError('broken');
      }),
    prepare: () => assert.fail(),
  };
  assert.throws(() => parseCommandLine(definition, { words: 'nexus x', args: ['--x', '1'], stdout }), TypeError);
});

test('headings are bold on a terminal', () => {
  const [leaf] = all;
  assert.ok(leaf);
  const terminal: Output = { ...stdout, isTerminal: true, hasColor: true };
  const parsed = parseCommandLine(leaf.definition, { words: leaf.words, args: ['-h'], stdout: terminal });
  assert.ok(parsed.kind === 'help' && parsed.text.startsWith('\u001B[1mUsage:\u001B[22m'));
});
