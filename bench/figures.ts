/** The p-th percentile (0 to 100) by nearest rank; NaN for no values. */
export function percentile(values: readonly number[], p: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.max(0, Math.ceil((p / 100) * sorted.length) - 1)] ?? Number.NaN
}

const ms = (value: number): string => `${value.toFixed(1)} ms`

/** One line of a latency figure against its aim: p50 and p99 in milliseconds. */
export function latencyLine(
  name: string,
  values: readonly number[],
  aim: { p50: number; p99: number },
): string {
  const [p50, p99] = [percentile(values, 50), percentile(values, 99)]
  const met = p50 <= aim.p50 && p99 <= aim.p99 ? 'met' : 'MISSED'
  return `${name.padEnd(34)} p50 ${ms(p50).padStart(9)}  p99 ${ms(p99).padStart(9)}  aim ${aim.p50}/${aim.p99} ms  ${met}  (n=${values.length})`
}

export const median = (values: readonly number[]): number => percentile(values, 50)
