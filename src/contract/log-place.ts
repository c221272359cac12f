/**
 * Where a line stands in the logs of a workspace, so that whoever comes back goes on after it: what journald calls a
 * cursor. Streams of logs that are asked for with places have it before each line.
 */
import { z } from 'zod';

export const logPlace = z
  .string()
  .max(256)
  .regex(/^[a-z]=[0-9a-f]+(?:;[a-z]=[0-9a-f]+)*$/, 'must be the id of a line');

const mark = '\u001E';
const separator = '\t';

/** What stands before a line at this place. */
export function placePrefix(place: string): string {
  return `${mark}${place}${separator}`;
}

/** A line and its place; null for a line without one, as an older agent sends them. */
export function splitPlace(text: string): { place: string | null; line: string } {
  const end = text.startsWith(mark) ? text.indexOf(separator) : -1;
  const place = logPlace.safeParse(text.slice(mark.length, Math.max(end, mark.length)));
  return end !== -1 && place.success
    ? { place: place.data, line: text.slice(end + separator.length) }
    : { place: null, line: text };
}
