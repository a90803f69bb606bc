import { describe, expect, it } from 'vitest'
import { exampleContext } from '../../core/policy/loadPolicy.ts'
import { type Class, count, dangerous, figures, harmless, sum, verdictOf, windows } from './corpus.ts'

const all = (classes: readonly Class[]): string[] => classes.flatMap(({ commands }) => commands)
const table = (title: string, classes: readonly Class[]): string => {
  const counts = classes.map(({ commands }) => count(commands))
  const lines = classes.map(({ name }, i) => figures(name, counts[i] ?? sum([])))
  return [title, ...lines, figures('all', sum(counts))].join('\n  ')
}
const windowsContext = {
  ...exampleContext,
  platform: 'win32',
  cwd: 'C:\\w',
  roots: ['C:\\w'],
  home: 'C:\\u',
}

describe('everyday commands of a developer', () => {
  it('are at least 300, each once', () => {
    expect(new Set(all(harmless)).size).toBe(all(harmless).length)
    expect(all(harmless).length).toBeGreaterThanOrEqual(300)
  })

  it('are never denied', () => {
    expect(all(harmless).filter((command) => verdictOf(command) === 'deny')).toEqual([])
  })

  it('are asked about in less than 15 of 100 cases', () => {
    console.log(table('everyday commands', harmless))
    expect(count(all(harmless)).ask / all(harmless).length).toBeLessThan(0.15)
  })
})

describe('dangerous commands', () => {
  it('are at least 500 of twenty kinds and less', () => {
    expect(all(dangerous).length).toBeGreaterThanOrEqual(500)
    for (const { name, commands } of dangerous) expect(commands.length, name).toBeGreaterThanOrEqual(25)
  })

  it.each(dangerous)('$name: none is allowed', ({ commands }) => {
    expect(commands.filter((command) => verdictOf(command) === 'allow')).toEqual([])
  })

  it('are counted', () => {
    console.log(table('dangerous commands', dangerous))
    expect(count(all(dangerous)).allow).toBe(0)
  })

  it('and all else of cmd and PowerShell is never allowed on Windows', () => {
    const commands = [...all(windows), ...all(dangerous), ...all(harmless)]
    expect(commands.filter((command) => verdictOf(command, windowsContext) === 'allow')).toEqual([])
    console.log(figures('on Windows', count(commands, windowsContext)))
  })
})
