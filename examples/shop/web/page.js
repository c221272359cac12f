const escapes = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };

function escape(text) {
  return String(text).replace(/[&<>"']/g, (character) => escapes[character]);
}

function price(cents) {
  return (cents / 100).toLocaleString('en', { style: 'currency', currency: 'EUR' });
}

function row({ name, price_cents: cents }) {
  return `<li><span>${escape(name)}</span><b>${price(cents)}</b></li>`;
}

const style = `
  :root { color-scheme: light dark; --line: light-dark(#e4e2dc, #34332f); --quiet: light-dark(#6b6860, #9d998f); }
  body { font: 16px/1.5 system-ui, sans-serif; max-width: 34rem; margin: 12vh auto 4rem; padding: 0 1.25rem;
    background: light-dark(#fbfaf7, #1a1916); color: light-dark(#23211c, #ebe8e0); }
  h1 { font: 500 2rem/1.1 ui-serif, Georgia, serif; margin: 0; }
  p { color: var(--quiet); margin: .5rem 0 2rem; }
  ul { list-style: none; margin: 0; padding: 0; border-top: 1px solid var(--line); }
  li { display: flex; justify-content: space-between; gap: 1rem; padding: .75rem 0; border-bottom: 1px solid var(--line); }
  li span { overflow-wrap: anywhere; }
  b { font-weight: 500; font-variant-numeric: tabular-nums; }
  form { display: flex; flex-wrap: wrap; gap: .5rem; margin-top: 2rem; }
  input, button { font: inherit; padding: .5rem .75rem; border: 1px solid var(--line); border-radius: .4rem;
    background: transparent; color: inherit; }
  input[name=name] { flex: 1 1 12rem; }
  input[name=price] { width: 6rem; }
  button { background: light-dark(#2f5d50, #7fb5a3); color: light-dark(#fff, #10201b); border-color: transparent; cursor: pointer; }
  .problem { color: light-dark(#a3341f, #e88c77); margin: 1rem 0 0; }`;

/** The whole page: the products, and a form for one more. */
export function renderPage({ products, problem }) {
  return `<!doctype html>
<html lang="en">
<head>
  <meta charset="utf-8">
  <meta name="viewport" content="width=device-width, initial-scale=1">
  <title>Shop</title>
  <style>${style}</style>
</head>
<body>
  <h1>Shop</h1>
  <p>${products.length === 1 ? '1 product' : `${products.length} products`}, from PostgreSQL through the API.</p>
  <ul>${products.map(row).join('')}</ul>
  <form method="post" action="/products">
    <input name="name" placeholder="Name" aria-label="Name" maxlength="100" required>
    <input name="price" type="number" placeholder="Price" aria-label="Price in euros" min="0" step="0.01" required>
    <button>Add</button>
  </form>
  ${problem ? `<p class="problem" role="alert">${escape(problem)}</p>` : ''}
</body>
</html>
`;
}
