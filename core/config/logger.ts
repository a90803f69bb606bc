import winston from 'winston'
import { redactor } from '../redaction/redact.ts'
import { Repeats } from './repeats.ts'

export type Logger = Pick<winston.Logger, 'error' | 'warn' | 'info' | 'debug'>

/**
 * A logger that writes lines to standard error, each redacted. `name` is the process. Values of `secrets` and
 * known formats of secrets never reach the output. Warnings and errors that differ in numbers only are written a few
 * times a minute, with the count of those held back.
 */
export function createLogger(name: string, level: string, secrets: readonly string[] = []): Logger {
  const redact = redactor(secrets)
  const line = winston.format.printf((info) => {
    const { level: lvl, message, timestamp, stack, ...rest } = info
    const extra = Object.keys(rest).length > 0 ? ` ${JSON.stringify(rest)}` : ''
    return redact(`${timestamp} ${lvl} ${name}: ${message}${extra}${stack ? `\n${stack}` : ''}`)
  })
  const repeats = new Repeats()
  const calm = winston.format((info) => {
    if (info.level !== 'warn' && info.level !== 'error') return info
    const held = repeats.take(`${info.level} ${info.message}`, performance.now())
    if (held === null) return false
    return held === 0 ? info : { ...info, message: `${info.message} (and ${held} more like it)` }
  })
  return winston.createLogger({
    level,
    format: winston.format.combine(
      calm(),
      winston.format.errors({ stack: true }),
      winston.format.timestamp(),
      line,
    ),
    transports: [new winston.transports.Console({ stderrLevels: ['error', 'warn', 'info', 'debug'] })],
  })
}

/** What went wrong, in one line, whatever was thrown. */
export const messageOf = (error: unknown): string =>
  error instanceof Error ? error.message || error.name : String(error)
