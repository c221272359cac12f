/** The two pages that a sign-in in the browser may end on. */

export function codePage(code: string): string {
  return document(
    'Almost signed in',
    `<p>Enter this code in the terminal where you began to sign in:</p>
<p><code>${escaped(code)}</code></p>
<p>It is good once, for 5 minutes. If you did not begin to sign in yourself, close this page, and give the code to nobody.</p>`,
  );
}

export function failurePage(reason: string): string {
  return document('Not signed in', `<p>${escaped(reason)}</p>\n<p>Begin again: <code>nexus auth github</code></p>`);
}

function document(title: string, body: string): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>${title} - Nexus</title>
<style>body{font:16px/1.5 system-ui;max-width:40rem;margin:4rem auto;padding:0 1rem}code{font-size:1.1em;overflow-wrap:anywhere}</style>
</head>
<body>
<h1>${title}</h1>
${body}
</body>
</html>
`;
}

function escaped(text: string): string {
  const entities: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };
  return text.replace(/[&<>"]/g, (character) => entities[character] ?? '');
}
