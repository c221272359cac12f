import { createServer } from 'node:http';
import { renderPage } from './page.js';

const port = Number(process.env.PORT ?? 3000);
const api = process.env.NEXUS_SERVICE_API_URL ?? 'http://127.0.0.1:4000';
const maxFormBytes = 64 * 1024;

async function callApi(path, options) {
  const response = await fetch(`${api}${path}`, { ...options, signal: AbortSignal.timeout(5_000) });
  const body = await response.json();
  return response.ok ? body : { problem: body.error };
}

async function showProducts(problem) {
  const { products = [], problem: apiProblem } = await callApi('/products');
  const status = apiProblem ? 502 : problem ? 400 : 200;
  return { status, headers: { 'content-type': 'text/html; charset=utf-8' }, body: renderPage({ products, problem: problem ?? apiProblem }) };
}

async function addProduct(request) {
  const form = await readForm(request);
  const product = { name: form.get('name'), price_cents: Math.round(Number(form.get('price')) * 100) };
  const headers = { 'content-type': 'application/json' };
  const { problem } = await callApi('/products', { method: 'POST', headers, body: JSON.stringify(product) });
  return problem ? showProducts(problem) : { status: 303, headers: { location: '/' }, body: '' };
}

async function readForm(request) {
  let text = '';
  for await (const chunk of request) {
    text += chunk;
    if (text.length > maxFormBytes) break;
  }
  return new URLSearchParams(text);
}

const routes = {
  'GET /': () => showProducts(),
  'POST /products': addProduct,
  'GET /health': () => ({ status: 200, headers: {}, body: 'ok\n' }),
};

async function answer(request) {
  const { pathname } = new URL(request.url, 'http://shop');
  const route = routes[`${request.method} ${pathname}`];
  if (!route) return { status: 404, headers: {}, body: 'There is nothing here.\n' };
  try {
    return await route(request);
  } catch (error) {
    console.error(error);
    return { status: 502, headers: {}, body: 'The API does not answer.\n' };
  }
}

const server = createServer(async (request, response) => {
  const { status, headers, body } = await answer(request);
  response.writeHead(status, headers).end(body);
});
server.listen(port, () => console.log(`web: http://localhost:${port}`));
process.on('SIGTERM', () => process.exit(0));
