const MAX_LINES = 8
const MAX_LETTERS = 1000
const speaksOfError = /error|fail|fatal|exception|cannot|can't|not found|denied|refused|✗|✖|×/i

/** The lines of an output that tell what went wrong, else its end. Pure. */
export function errorLines(output: string): string {
  const lines = output.split('\n').filter((line) => line.trim() !== '')
  const telling = lines.filter((line) => speaksOfError.test(line))
  const shown = telling.length > 0 ? telling.slice(0, MAX_LINES) : lines.slice(-MAX_LINES)
  return shown.join('\n').slice(0, MAX_LETTERS)
}
