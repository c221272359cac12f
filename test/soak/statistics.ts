/** Figures over time: how they go, by means that a saw-tooth or a single outlier does not mislead. */
export type Point = { readonly atMs: number; readonly value: number };

const hourMs = 3_600_000;

/**
 * Least squares over several lives of the same thing, each with a level of its own: change per hour. Null when no life
 * has two points.
 */
export function slopePerHour(lives: readonly (readonly Point[])[]): number | null {
  let covariance = 0;
  let variance = 0;
  for (const points of lives) {
    const meanAt = mean(points.map(({ atMs }) => atMs));
    const meanValue = mean(points.map(({ value }) => value));
    for (const { atMs, value } of points) {
      covariance += (atMs - meanAt) * (value - meanValue);
      variance += (atMs - meanAt) ** 2;
    }
  }
  return variance === 0 ? null : (covariance / variance) * hourMs;
}

/** Of the last quarter of the points against the second one, median against median; the first quarter warms up. */
export function drift(points: readonly Point[]): number | null {
  if (points.length < 8) return null;
  const quarter = Math.floor(points.length / 4);
  const middle = median(points.slice(quarter, 2 * quarter));
  return median(points.slice(-quarter)) - middle;
}

/**
 * How much higher the lowest value of the second half is than that of the first: what is in use between two collections
 * of garbage, or between two bursts of connections. Null for less than ten points.
 */
export function floorDrift(points: readonly Point[]): number | null {
  if (points.length < 10) return null;
  const half = Math.floor(points.length / 2);
  return floor(points.slice(half)) - floor(points.slice(0, half));
}

/** @param fraction 0.5 for the median, 0.99 for what all but one in a hundred stay under */
export function percentile(values: readonly number[], fraction: number): number | null {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(fraction * sorted.length))] ?? null;
}

function median(points: readonly Point[]): number {
  return (
    percentile(
      points.map(({ value }) => value),
      0.5,
    ) ?? 0
  );
}

function floor(points: readonly Point[]): number {
  return Math.min(...points.map(({ value }) => value));
}

function mean(values: readonly number[]): number {
  return values.length === 0 ? 0 : values.reduce((sum, value) => sum + value, 0) / values.length;
}
