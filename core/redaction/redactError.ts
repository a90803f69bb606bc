/** The same error, its message and stack (and those of its causes) without secrets: for what keeps errors as text. */
export function redactError(error: unknown, redact: (text: string) => string, depth = 0): unknown {
  if (typeof error === 'string') return redact(error)
  if (!(error instanceof Error) || depth > 5) return error
  const { message, stack, cause } = error
  overwrite(error, 'message', redact(message))
  if (stack !== undefined) overwrite(error, 'stack', redact(stack))
  if (cause !== undefined) overwrite(error, 'cause', redactError(cause, redact, depth + 1))
  return error
}

/** An error that lets nothing be changed stays what it is. */
function overwrite(error: Error, name: 'message' | 'stack' | 'cause', value: unknown): void {
  if (error[name] !== value)
    Reflect.defineProperty(error, name, { value, writable: true, configurable: true })
}
