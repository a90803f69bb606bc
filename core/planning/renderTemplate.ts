import type { Values } from './playbook.ts'

const placeholder = /\{\{\s*([a-z][a-z0-9_]*)\s*\}\}/g
/** Words a POSIX shell takes as they are. */
const harmless = /^[A-Za-z0-9_./:@%+,][A-Za-z0-9_./:@%+,=-]*$/

/** A value as exactly one word of a POSIX shell, whatever is in it. NUL cannot be in a command: it throws. Pure. */
export function shellQuote(value: string): string {
  if (value.includes('\0')) throw new TypeError('a shell word cannot contain a NUL byte')
  return harmless.test(value) ? value : `'${value.replaceAll("'", "'\\''")}'`
}

/** The names of the placeholders in a template. */
export const placeholders = (template: string): string[] =>
  [...template.matchAll(placeholder)].flatMap((m) => m[1] ?? [])

/**
 * A template with its `{{name}}` filled in: each as one quoted word for a `shell` command, as it is for `text`.
 * Unknown names throw; they are found when a playbook is loaded. Pure.
 */
export function renderTemplate(template: string, values: Values, kind: 'shell' | 'text'): string {
  return template.replace(placeholder, (_, name: string) => {
    const value = values[name]
    if (value === undefined) throw new TypeError(`{{${name}}} has no value`)
    return kind === 'shell' ? shellQuote(String(value)) : String(value)
  })
}
