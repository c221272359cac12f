import { readFileSync } from 'node:fs';

/** The scripts that the agent runs inside a workspace: `assets/guest-NAME.sh`. */
export type ScriptName =
  | 'backoff'
  | 'clone'
  | 'clone-mark'
  | 'configure'
  | 'exec'
  | 'facts'
  | 'job'
  | 'monitor'
  | 'put-source'
  | 'read-config'
  | 'save-config'
  | 'service-start'
  | 'service-stop';

/** A script that stands for itself. */
export function plainScript(name: ScriptName): string {
  return readAsset(name);
}

/** A script of root's, with what they have in common (`guest-lib.sh`) before it. */
export function rootScript(name: ScriptName): string {
  return `${readAsset('lib')}\n${readAsset(name)}`;
}

function readAsset(name: string): string {
  return readFileSync(new URL(`./assets/guest-${name}.sh`, import.meta.url), 'utf8');
}
