/**
 * The answers to commands until the server has written them down, in an append-only file: a command that is sent again
 * after a loss is answered once. A command that was cut short by a crash is not in it, and is done anew.
 */
import { appendFileSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { z } from 'zod';
import { commandAnswer, type CommandAnswer } from '../contract/control-protocol.ts';

export type Journal = {
  answerTo(id: string): CommandAnswer | undefined;
  /** The answer is kept before it is sent. */
  keep(entry: { readonly workspaceId: string; readonly answer: CommandAnswer }): void;
  /** The server has written these answers down. */
  forget(ids: readonly string[]): void;
  /** Of all others nobody asks for the answer. */
  keepOnly(ids: readonly string[]): void;
  /** The workspace is gone: no answer about it but this one matters. */
  forgetWorkspace(workspaceId: string, except: string): void;
};

const line = z.union([
  z.object({ workspace_id: z.string(), answer: commandAnswer }),
  z.object({ forget: z.array(z.string()) }),
]);
type Entry = { readonly workspaceId: string; readonly answer: CommandAnswer };

/** The file is written anew when this many of its lines say nothing any more. */
const staleLines = 200;

export function openJournal(file: string): Journal {
  const entries = new Map<string, Entry>();
  let lines = 0;

  function apply(text: string): void {
    const parsed = line.safeParse(parseJson(text)).data;
    if (!parsed) return; // cut off by a crash
    if ('forget' in parsed) for (const id of parsed.forget) entries.delete(id);
    else entries.set(parsed.answer.id, { workspaceId: parsed.workspace_id, answer: parsed.answer });
  }

  function append(text: string): void {
    appendFileSync(file, `${text}\n`, { mode: 0o600 });
    lines += 1;
    if (lines - entries.size > staleLines) compact();
  }

  function compact(): void {
    const kept = [...entries.values()].map(toLine);
    const copy = `${file}.new`;
    writeFileSync(copy, kept.map((text) => `${text}\n`).join(''), { mode: 0o600 });
    renameSync(copy, file);
    lines = kept.length;
  }

  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  for (const text of readLines(file)) apply(text);
  compact();

  function forget(ids: readonly string[]): void {
    const known = ids.filter((id) => entries.delete(id));
    if (known.length > 0) append(JSON.stringify({ forget: known }));
  }

  return {
    answerTo: (id) => entries.get(id)?.answer,
    keep(entry) {
      entries.set(entry.answer.id, entry);
      append(toLine(entry));
    },
    forget,
    keepOnly: (ids) => forget([...new Set(entries.keys()).difference(new Set(ids))]),
    forgetWorkspace(workspaceId, except) {
      forget([...entries].flatMap(([id, entry]) => (entry.workspaceId === workspaceId && id !== except ? [id] : [])));
    },
  };
}

function toLine({ workspaceId, answer }: Entry): string {
  return JSON.stringify({ workspace_id: workspaceId, answer });
}

function readLines(file: string): string[] {
  try {
    return readFileSync(file, 'utf8').split('\n').filter(Boolean);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
