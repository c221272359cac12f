import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isDatabasePort } from './ports.ts';

test('databases are known by their port, web servers are not taken for one', () => {
  for (const port of [5432, 3306, 6379, 27017, 9200]) assert.equal(isDatabasePort(port), true, String(port));
  for (const port of [80, 3000, 5000, 5173, 8000, 8080, 9000]) assert.equal(isDatabasePort(port), false, String(port));
});
