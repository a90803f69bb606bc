/** How many slips part two names: letters wrong, missing or too many, and neighbours swapped (optimal string alignment). Pure. */
export function distance(a: string, b: string): number {
  let [older, row]: [number[], number[]] = [[], Array.from({ length: b.length + 1 }, (_, i) => i)]
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      const change = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1)
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]
      const swap = swapped ? (older[j - 2] ?? 0) + 1 : Number.POSITIVE_INFINITY
      next.push(Math.min(change, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1, swap))
    }
    ;[older, row] = [row, next]
  }
  return row[b.length] ?? 0
}

/** Of `names` the one at most `most` slips from what was written, the first of several; null when none is. Pure. */
export function nearest<T extends string>(written: string, names: Iterable<T>, most: number): T | null {
  const [best] = [...names]
    .filter((name) => Math.abs(name.length - written.length) <= most)
    .map((name) => ({ name, far: distance(written, name) }))
    .filter(({ far }) => far <= most)
    .sort((a, b) => a.far - b.far)
  return best?.name ?? null
}
