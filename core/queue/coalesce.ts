/**
 * Calls `act` for a key at the end of the present turn of the event loop, and however often it is asked for then, at
 * most once every `gapMs`: nothing that was asked for is left out, the last arguments count.
 */
export function coalesce<A extends unknown[]>(
  gapMs: number,
  act: (...args: A) => void,
): (key: string, ...args: A) => void {
  /** Keys that were acted on less than a gap ago or soon will be, with what was asked for since. */
  const recent = new Map<string, A | null>()
  const turn = (key: string): void => {
    const args = recent.get(key)
    if (!args) {
      recent.delete(key)
      return
    }
    recent.set(key, null)
    setTimeout(() => turn(key), gapMs).unref()
    act(...args)
  }
  return (key, ...args) => {
    const isRecent = recent.has(key)
    recent.set(key, args)
    if (!isRecent) setImmediate(() => turn(key))
  }
}
