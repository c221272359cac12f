import { createServer } from 'node:http';
import { checkDatabase, createProduct, listProducts, prepareDatabase } from './database.js';

const port = Number(process.env.PORT ?? 4000);
const maxBodyBytes = 64 * 1024;

class BadRequest extends Error {}

const routes = {
  'GET /health': async () => {
    await checkDatabase();
    return { status: 200, body: { status: 'ok' } };
  },
  'GET /products': async () => ({ status: 200, body: { products: await listProducts() } }),
  'POST /products': async (request) => ({ status: 201, body: await createProduct(readProduct(await readJson(request))) }),
};

function readProduct({ name, price_cents: priceCents } = {}) {
  if (typeof name !== 'string' || name.trim() === '' || name.length > 100) {
    throw new BadRequest('name must be a text of 1 to 100 characters');
  }
  if (!Number.isInteger(priceCents) || priceCents < 0 || priceCents > 100_000_000) {
    throw new BadRequest('price_cents must be a whole number from 0 to 100000000');
  }
  return { name: name.trim(), price_cents: priceCents };
}

async function readJson(request) {
  const chunks = [];
  let length = 0;
  for await (const chunk of request) {
    length += chunk.length;
    if (length > maxBodyBytes) throw new BadRequest('the body is too large');
    chunks.push(chunk);
  }
  try {
    return JSON.parse(Buffer.concat(chunks).toString()) ?? {};
  } catch {
    throw new BadRequest('the body must be JSON');
  }
}

async function answer(request) {
  const { pathname } = new URL(request.url, 'http://shop');
  const route = routes[`${request.method} ${pathname}`];
  if (!route) return { status: 404, body: { error: 'there is nothing here' } };
  try {
    return await route(request);
  } catch (error) {
    if (error instanceof BadRequest) return { status: 400, body: { error: error.message } };
    console.error(error);
    return { status: 500, body: { error: 'the database does not answer' } };
  }
}

const server = createServer(async (request, response) => {
  const { status, body } = await answer(request);
  response.writeHead(status, { 'content-type': 'application/json' }).end(`${JSON.stringify(body)}\n`);
});

await prepareDatabase();
server.listen(port, () => console.log(`api: http://localhost:${port}/products`));
process.on('SIGTERM', () => process.exit(0));
