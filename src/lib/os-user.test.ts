import assert from 'node:assert/strict';
import { userInfo } from 'node:os';
import { it } from 'node:test';
import { osUserName } from './os-user.ts';

it('names the account, whatever the environment says', () => {
  assert.equal(osUserName(), userInfo().username);
});
