/** A copy of a value in which every text that stands under one of `names`, however deep, has gone through `redact`. Pure. */
export function redactFields<T>(value: T, names: ReadonlySet<string>, redact: (text: string) => string): T {
  const walk = (part: unknown, named: boolean): unknown => {
    if (typeof part === 'string') return named ? redact(part) : part
    if (Array.isArray(part)) return part.map((item) => walk(item, named))
    if (typeof part !== 'object' || part === null || !isPlain(part)) return part
    return Object.fromEntries(Object.entries(part).map(([key, item]) => [key, walk(item, names.has(key))]))
  }
  return walk(value, false) as T
}

/** Files and streams go on as they are. */
const isPlain = (value: object): boolean => {
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null
}
