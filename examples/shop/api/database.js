import pg from 'pg';

const database = new pg.Pool({
  host: process.env.NEXUS_SERVICE_DB_HOST ?? '127.0.0.1',
  port: Number(process.env.NEXUS_SERVICE_DB_PORT ?? 5432),
  user: 'shop',
  database: 'shop',
});
// A connection that breaks while idle is replaced by the next query's.
database.on('error', (error) => console.error(`database: ${error.message}`));

const firstProducts = [
  ['Notebook, ruled', 640],
  ['Fountain pen', 3200],
  ['Desk lamp', 5900],
];

/** Makes the table, and fills it when it is new. */
export async function prepareDatabase() {
  await database.query(`
    CREATE TABLE IF NOT EXISTS products (
      id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
      name text NOT NULL,
      price_cents integer NOT NULL CHECK (price_cents >= 0),
      created_at timestamptz NOT NULL DEFAULT now()
    )`);
  const { rows } = await database.query('SELECT count(*)::integer AS count FROM products');
  if (rows[0].count > 0) return;
  for (const [name, priceCents] of firstProducts) await createProduct({ name, price_cents: priceCents });
}

export async function listProducts() {
  const { rows } = await database.query('SELECT id, name, price_cents, created_at FROM products ORDER BY id');
  return rows;
}

export async function createProduct({ name, price_cents: priceCents }) {
  const { rows } = await database.query(
    'INSERT INTO products (name, price_cents) VALUES ($1, $2) RETURNING id, name, price_cents, created_at',
    [name, priceCents],
  );
  return rows[0];
}

export async function checkDatabase() {
  await database.query('SELECT 1');
}
