type Waiting<I, O> = { item: I; resolve(answer: O): void; reject(error: unknown): void }

/**
 * One call for many: at once when nothing is under way, else together with all that is asked for meanwhile, at most
 * `most` at a time. `work` answers in the order of its items. When it fails for several, each is tried by itself, so that
 * one cannot spoil the others; it must therefore bear being repeated.
 */
export function gather<I, O>(
  work: (items: readonly I[]) => Promise<readonly O[]>,
  most = 100,
): (item: I) => Promise<O> {
  const waiting: Waiting<I, O>[] = []
  let busy = false

  const together = async (batch: Waiting<I, O>[]): Promise<void> => {
    try {
      const answers = await work(batch.map(({ item }) => item))
      for (const [i, { resolve }] of batch.entries()) resolve(answers[i] as O)
    } catch (error) {
      if (batch.length === 1) batch[0]?.reject(error)
      else for (const one of batch) await together([one])
    }
  }
  const drain = async (): Promise<void> => {
    busy = true
    while (waiting.length > 0) await together(waiting.splice(0, most))
    busy = false
  }
  return (item) =>
    new Promise((resolve, reject) => {
      waiting.push({ item, resolve, reject })
      if (!busy) void drain()
    })
}
