import { randomBytes } from 'node:crypto';
import { findSetting, putSetting } from './store/settings.ts';
import type { Store } from './store/store.ts';

const setting = 'cluster_id';

/**
 * Tells this installation's instances from others' on the same engine: 16 of `[0-9a-f]`. Made at the first start, and the
 * same ever after.
 */
export function loadClusterId(store: Store): Promise<string> {
  return store.transaction(async (tx) => {
    const known = await findSetting(tx, setting);
    if (known !== undefined) return known;
    const made = randomBytes(8).toString('hex');
    await putSetting(tx, setting, made);
    return made;
  });
}
