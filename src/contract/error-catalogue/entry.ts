/** One error of the catalogue. */
export type Entry<D> = {
  readonly status: number;
  readonly meaning: string;
  readonly message: (details: D) => string;
  readonly hint: (details: D) => string | null;
};

export function define<D>(entry: Entry<D>): Entry<D> {
  return entry;
}
