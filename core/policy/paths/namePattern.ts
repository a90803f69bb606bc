import { NAME, STAR } from '../shell/marks.ts'

/**
 * A path whose only unknown pieces are names in the middle of a plain one (`once-$(date +%s).txt`), as the pattern of
 * what it may be. Null for any other path. A name never has a slash, so it stays in its directory. Pure.
 */
export function namePattern(path: string): string | null {
  if (!path.includes(NAME) || /[\u0000\u0001\u0002\u0006\u0007]/.test(path)) return null
  const plain = path.split('/').every((segment) => !segment.includes(NAME) || /^\w/.test(segment))
  return plain ? path.replaceAll(NAME, STAR) : null
}
