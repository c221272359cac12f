/** Kysely's SQLite dialect on `node:sqlite`: one connection, which Kysely gives to one query or transaction at a time. */
import { DatabaseSync } from 'node:sqlite';
import type { StatementSync } from 'node:sqlite';
import { SqliteDialect } from 'kysely';
import type { SqliteStatement } from 'kysely';
import { NexusError } from '../../contract/errors.ts';

/** More different queries than the store has; a bound for lists of values, whose texts differ by their length. */
const cachedStatements = 500;

/** https://www.sqlite.org/rescode.html; the lowest byte is the primary code. */
const sqliteFull = 13;

export function openSqlite(file: string): SqliteDialect {
  const database = new DatabaseSync(file);
  database.exec('pragma busy_timeout = 5000');
  database.exec('pragma journal_mode = wal');
  database.exec('pragma synchronous = full');
  database.exec('pragma foreign_keys = on');
  const statements = new Map<string, SqliteStatement>();
  return new SqliteDialect({
    database: {
      close: () => database.close(),
      prepare(sql) {
        const known = statements.get(sql);
        if (known) return known;
        if (statements.size >= cachedStatements) statements.clear();
        // A deferred transaction that reads first can fail when it comes to write.
        const statement = statementOf(file, database.prepare(sql === 'begin' ? 'begin immediate' : sql));
        statements.set(sql, statement);
        return statement;
      },
    },
  });
}

type Values = Parameters<StatementSync['all']>;

function statementOf(file: string, statement: StatementSync): SqliteStatement {
  return {
    reader: statement.columns().length > 0,
    all: (values) => named(file, () => statement.all(...(values as Values))),
    run: (values) => named(file, () => statement.run(...(values as Values))),
    iterate: (values) => statement.iterate(...(values as Values)),
  };
}

function named<T>(file: string, run: () => T): T {
  try {
    return run();
  } catch (error) {
    const code = (error as { errcode?: unknown }).errcode;
    if (typeof code === 'number' && (code & 0xff) === sqliteFull)
      throw new NexusError('disk_full', { where: `the disk of ${file}` }, { cause: error });
    throw error;
  }
}
