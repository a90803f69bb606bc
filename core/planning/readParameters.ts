import { meansPlace } from './placeWords.ts'
import type { Parameter, Values } from './playbook.ts'

const MAX_LENGTH = 1000
const unquote = (text: string): string => /^(["'`])(.+)\1$/s.exec(text)?.[2] ?? text

function readText(given: string, parameter: { pattern?: string | undefined }): string | null {
  const text = unquote(given.trim()).trim()
  if (text === '' || text.length > MAX_LENGTH || text.startsWith('-') || text.includes('\0')) return null
  return !parameter.pattern || new RegExp(`^(?:${parameter.pattern})$`, 'u').test(text) ? text : null
}

function readPath(given: string, parameter: { pattern?: string | undefined }): string | null {
  return readText(meansPlace(given) ? '.' : given, parameter)
}

function readNumber(given: string, { min, max }: { min: number; max: number }): number | null {
  const value = Number(given)
  return Number.isInteger(value) && value >= min && value <= max ? value : null
}

/**
 * What a person wrote for one parameter, checked; null when it does not fit. A value never begins with a dash, so
 * that no program takes it for an option. Pure.
 */
export function readParameter(given: string, parameter: Parameter): string | number | null {
  switch (parameter.type) {
    case 'string':
    case 'text':
      return readText(given, parameter)
    case 'path':
      return readPath(given, parameter)
    case 'int':
      return readNumber(given, parameter)
    case 'enum':
      return parameter.values.find((value) => value.toLowerCase() === given.toLowerCase()) ?? null
  }
}

/** "in this repository" says no more than to say nothing, where the place is what is meant anyway. */
const isDefaultPlace = (text: string, parameter: Parameter): boolean =>
  parameter.type === 'path' && parameter.default === '.' && meansPlace(text)

/**
 * The values of all parameters: from the groups of a trigger, else their defaults. Null when one does not fit, or
 * is neither given nor has a default. `given` names those that the request gave. Pure.
 */
export function readParameters(
  parameters: Readonly<Record<string, Parameter>>,
  groups: Readonly<Record<string, string | undefined>>,
): { values: Values; given: ReadonlySet<string> } | null {
  const values: Record<string, string | number> = {}
  const given = new Set<string>()
  for (const [name, parameter] of Object.entries(parameters)) {
    const text = groups[name]
    const value = text === undefined ? parameter.default : readParameter(text, parameter)
    if (value === undefined || value === null) return null
    values[name] = value
    if (text !== undefined && !isDefaultPlace(text, parameter)) given.add(name)
  }
  return { values, given }
}
