/** The values of one metric by their labels, and the text that Prometheus reads (exposition format 0.0.4). */

export type Labels = Readonly<Record<string, string>>

const quoted = (value: string): string =>
  `"${value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')}"`

const labelled = (name: string, labels: Labels): string => {
  const pairs = Object.entries(labels).map(([label, value]) => `${label}=${quoted(value)}`)
  return pairs.length === 0 ? name : `${name}{${pairs.join(',')}}`
}

const head = (name: string, kind: 'counter' | 'gauge' | 'histogram', help: string): string[] => [
  `# HELP ${name} ${help}`,
  `# TYPE ${name} ${kind}`,
]

/** A gauge with what it is now. */
export const gauge = (
  name: string,
  help: string,
  values: readonly (readonly [Labels, number])[],
): string[] => [
  ...head(name, 'gauge', help),
  ...values.map(([labels, value]) => `${labelled(name, labels)} ${value}`),
]

/** What only grows while the process lives. */
export class Counter {
  readonly #values = new Map<string, number>()
  readonly #name: string
  readonly #help: string
  constructor(name: string, help: string) {
    this.#name = name
    this.#help = help
  }

  add(labels: Labels, by = 1): void {
    const key = labelled(this.#name, labels)
    this.#values.set(key, (this.#values.get(key) ?? 0) + by)
  }

  lines(): string[] {
    return [
      ...head(this.#name, 'counter', this.#help),
      ...[...this.#values].map(([key, value]) => `${key} ${value}`),
    ]
  }
}

type Spread = { labels: Labels; counts: number[]; sum: number; count: number }

/** How values are spread over buckets, of which each counts what is at most its bound. */
export class Histogram {
  readonly #spreads = new Map<string, Spread>()
  readonly #name: string
  readonly #help: string
  readonly #bounds: readonly number[]
  constructor(name: string, help: string, bounds: readonly number[]) {
    this.#name = name
    this.#help = help
    this.#bounds = bounds
  }

  observe(labels: Labels, value: number): void {
    const key = JSON.stringify(labels)
    const spread = this.#spreads.get(key) ?? { labels, counts: this.#bounds.map(() => 0), sum: 0, count: 0 }
    this.#spreads.set(key, spread)
    for (const [at, bound] of this.#bounds.entries())
      if (value <= bound) spread.counts[at] = (spread.counts[at] ?? 0) + 1
    spread.sum += value
    spread.count += 1
  }

  lines(): string[] {
    const lines = [...this.#spreads.values()].flatMap(({ labels, counts, sum, count }) => [
      ...this.#bounds.map((le, at) => this.#line('bucket', { ...labels, le: String(le) }, counts[at] ?? 0)),
      this.#line('bucket', { ...labels, le: '+Inf' }, count),
      this.#line('sum', labels, sum),
      this.#line('count', labels, count),
    ])
    return [...head(this.#name, 'histogram', this.#help), ...lines]
  }

  #line(part: string, labels: Labels, value: number): string {
    return `${labelled(`${this.#name}_${part}`, labels)} ${value}`
  }
}
