import { createHash } from 'node:crypto';
import type { BaseSpec } from '../provider.ts';
import { canonicalImage, parseImageReference } from './image-reference.ts';
import { mappedRootfs } from './isolation.ts';
import { layout } from './layout.ts';
import { npmScript, packagesScript, provisionScript, sealScript } from './provision-script.ts';

/** What a base is made from, in the one form that all spellings of it share. */
export type CanonicalSpec = { readonly image: string; readonly packages: readonly string[] };

export function canonicalSpec({ image, packages }: BaseSpec): CanonicalSpec {
  const reference = parseImageReference(image);
  return { image: reference ? canonicalImage(reference) : image, packages: [...new Set(packages)].toSorted() };
}

/** Twelve characters that stand for the spec and the scripts that it is made with: new scripts, new base. */
export function baseId(spec: CanonicalSpec): string {
  return shortHash([spec.image, ...spec.packages, scriptsId()]);
}

/** Stands for everything that this version does to make a base. */
export function scriptsId(): string {
  return shortHash([provisionScript(), npmScript, packagesScript([]), sealScript, mappedRootfs]);
}

function shortHash(parts: readonly string[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 12);
}

/** Held by the process of the host that makes the base of this id. */
export function baseLock(id: string): string {
  return `base-${id}`;
}

export function baseName(spec: CanonicalSpec): string {
  return layout.basePrefix + baseId(spec);
}

export function unfinishedName(spec: CanonicalSpec): string {
  return layout.unfinishedPrefix + baseId(spec);
}
