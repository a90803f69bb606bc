import { z } from 'zod'

/**
 * A setting that cannot be used: one line that names it, what it got and what it takes. `all`: that line, and those
 * of further settings that were found wrong with it.
 */
export class ConfigError extends Error {
  override name = 'ConfigError'
  readonly all: readonly string[]
  constructor(line: string, others: readonly string[] = []) {
    super(line)
    this.all = [line, ...others]
  }
}

export type Env = Readonly<Record<string, string | undefined>>

/**
 * Reads settings from an environment by a table of schemas keyed by setting name. Empty strings count as unset.
 * Pure. Throws ConfigError with one line for the first wrong setting; secrets are never quoted back.
 */
export function readSettings<T extends z.ZodRawShape>(table: T, env: Env): z.output<z.ZodObject<T>> {
  const given = Object.fromEntries(Object.keys(table).map((name) => [name, env[name]?.trim() || undefined]))
  const parsed = z.object(table).safeParse(given)
  if (parsed.success) return parsed.data
  const wrong = new Map<string, string>()
  for (const { path, message } of parsed.error.issues) {
    const name = String(path[0] ?? 'settings')
    if (!wrong.has(name)) wrong.set(name, wrongLine(name, given[name], message))
  }
  const [line = 'the settings cannot be used', ...others] = wrong.values()
  throw new ConfigError(line, others)
}

function wrongLine(name: string, value: string | undefined, takes: string): string {
  const secret = /TOKEN|SECRET|PASSWORD|KEY|CREDENTIAL|_URL/.test(name)
  const got = value === undefined ? 'nothing' : secret ? 'a value that is not shown' : JSON.stringify(value)
  return `${name}: got ${got}; it takes ${takes}.`
}

/** Takes whole numbers from `min` to `max`. */
export const wholeNumber = (min: number, max: number) =>
  z
    .string()
    .regex(/^\d{1,9}$/, `a whole number from ${min} to ${max}`)
    .transform(Number)
    .refine((n) => n >= min && n <= max, `a whole number from ${min} to ${max}`)

/** `true` or `false`. */
export const flag = z.enum(['true', 'false'], 'true or false').transform((s) => s === 'true')

export const port = wholeNumber(0, 65_535)

const unitMs = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const

/** `90s`, `10m`, `24h`, `7d`; the value is milliseconds. */
export const duration = z
  .string()
  .regex(/^\d{1,7}(ms|s|m|h|d)$/, 'a duration such as 90s, 10m, 24h or 7d')
  .transform((s) => {
    const [, amount, unit] = /^(\d+)(ms|s|m|h|d)$/.exec(s) ?? []
    return Number(amount) * unitMs[unit as keyof typeof unitMs]
  })

export const MB = 1024 * 1024

/** A whole number of megabytes; the value is bytes. */
export const megabytes = wholeNumber(1, 1_000_000).transform((mb) => mb * MB)

/** A URL with one of the given schemes. */
export const urlOf = (...schemes: string[]) =>
  z
    .string()
    .refine(
      (s) => URL.canParse(s) && schemes.includes(new URL(s).protocol.replace(':', '')),
      `a URL that starts with ${schemes.map((s) => `${s}://`).join(' or ')}`,
    )

/** URLs as of `urlOf`, separated by commas. */
export const urlsOf = (...schemes: string[]) =>
  z
    .string()
    .transform((s) =>
      s
        .split(',')
        .map((part) => part.trim())
        .filter(Boolean),
    )
    .refine(
      (urls) => urls.length > 0 && urls.every((url) => urlOf(...schemes).safeParse(url).success),
      `a URL that starts with ${schemes.map((s) => `${s}://`).join(' or ')}, or several separated by commas`,
    )

export const logLevel = z.enum(['error', 'warn', 'info', 'debug'], 'error, warn, info or debug')
