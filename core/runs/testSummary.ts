/**
 * The counts that common test runners print at the end, as `[passed, failed]` patterns over their last lines: node's
 * own runner (TAP and spec), vitest and jest, pytest, cargo, mocha, go.
 */
const patterns: { passed: RegExp; failed: RegExp }[] = [
  { passed: /^(?:#|ℹ) pass (\d+)$/m, failed: /^(?:#|ℹ) fail (\d+)$/m },
  { passed: /^\s*Tests:?\s+.*?(\d+) passed/m, failed: /^\s*Tests:?\s+.*?(\d+) failed/m },
  { passed: /\btest result: .*?(\d+) passed/, failed: /\btest result: .*?(\d+) failed/ },
  { passed: /^=*.*?\b(\d+) passed\b.* in [\d.]+s/m, failed: /^=*.*?\b(\d+) failed\b.* in [\d.]+s/m },
  { passed: /^\s*(\d+) passing\b/m, failed: /^\s*(\d+) failing\b/m },
]

/** `212 passed`, `3 of 215 fail`; null when the text is not the end of a test run that is known. Pure. */
export function testSummary(text: string): string | null {
  for (const { passed, failed } of patterns) {
    const good = passed.exec(text)?.[1]
    const bad = failed.exec(text)?.[1]
    if (good === undefined && bad === undefined) continue
    const [p, f] = [Number(good ?? 0), Number(bad ?? 0)]
    return f > 0 ? `${f} of ${p + f} fail` : `${p} passed`
  }
  return null
}
