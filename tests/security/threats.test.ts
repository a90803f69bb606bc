import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'

const root = join(import.meta.dirname, '../..')
const text = readFileSync(join(root, 'docs/security.md'), 'utf8')
const chapter = text.split(/^## /m).find((part) => part.startsWith('Threats\n')) ?? ''
const threats = chapter.split(/^### /m).slice(1)
const titleOf = (threat: string): string => threat.split('\n')[0] ?? ''
/** What stands behind one of the four words, to the next one. */
const said = (threat: string, word: string): string =>
  new RegExp(`^- \\*\\*${word}:\\*\\*(.*?)(?=^- \\*\\*|(?![^]))`, 'ms').exec(threat)?.[1]?.trim() ?? ''

describe('docs/security.md', () => {
  test('has threats, each once', () => {
    expect(threats.length).toBeGreaterThanOrEqual(18)
    expect(new Set(threats.map(titleOf)).size).toBe(threats.length)
  })

  test.each(threats.map((threat) => [titleOf(threat), threat]))(
    '%s: says what holds it, what is counted, and what remains',
    (_, threat) => {
      const silent = ['Holds', 'Tests', 'Figures', 'Remains'].filter((word) => said(threat, word) === '')
      expect(silent).toEqual([])
    },
  )

  test.each(threats.map((threat) => [titleOf(threat), threat]))(
    '%s: names tests that are there',
    (_, threat) => {
      const files = [...said(threat, 'Tests').matchAll(/`(tests\/[\w./-]+\.test\.ts)`/g)].map(
        (m) => m[1] ?? '',
      )
      expect(files.length).toBeGreaterThan(0)
      expect(files.filter((file) => !existsSync(join(root, file)))).toEqual([])
    },
  )
})
