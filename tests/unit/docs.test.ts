import { existsSync, globSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { describe, expect, test } from 'vitest'
import { templateOf } from '../../api/openapi.ts'
import { routes } from '../../api/routes.ts'
import { buildProgram } from '../../cli/program.ts'
import { machines } from '../../core/events/states.ts'
import { otherEvents } from '../../core/events/tellEvent.ts'
import { ResultStatus } from '../../core/protocol/frames.ts'
import { NOT_UNDERSTOOD } from '../../core/runs/notUnderstood.ts'

const root = join(import.meta.dirname, '../..')
const read = (path: string): string => readFileSync(join(root, path), 'utf8')
const docs = globSync(['*.md', 'docs/**/*.md'], { cwd: root }).sort()
const sources = (...folders: string[]): string[] =>
  globSync(
    folders.map((folder) => `${folder}/**/*.ts`),
    { cwd: root },
  )

/** Everything that a pattern's first group finds in a text, once each, sorted. */
const all = (text: string, pattern: RegExp): string[] =>
  [...new Set([...text.matchAll(pattern)].map((match) => match[1] ?? ''))].sort()

/** The rows of all tables in a text, as cells, without heads. */
const rows = (text: string): string[][] =>
  text
    .split('\n')
    .filter(
      (line, i, lines) =>
        line.startsWith('| ') && !line.startsWith('| ---') && !lines[i + 1]?.startsWith('| ---'),
    )
    .map((line) =>
      line
        .slice(1, -1)
        .split('|')
        .map((cell) => cell.trim()),
    )

const section = (text: string, head: string): string =>
  text.split(/^## /m).find((part) => part.startsWith(`${head}\n`)) ?? ''

const folders = 'agent|api|bench|bot|cli|core|docs|gateway|playground|prisma|tests|workers'
const pathNamed = new RegExp(`(?<![\\w/.-])((?:${folders})/[\\w./-]*\\w/?)`, 'g')

describe('the docs', () => {
  test.each(docs)('%s names no file that is gone', (doc) => {
    const gone = all(read(doc), pathNamed).filter((path) => !existsSync(join(root, path)))
    expect(gone).toEqual([])
  })

  test.each(docs)('%s links to what is there', (doc) => {
    const targets = all(read(doc), /\]\((?!https?:)([^)\s]+)\)/g)
    expect(targets.filter((target) => !isThere(doc, target))).toEqual([])
  })

  test.each(docs)('%s names no command that is gone', (doc) => {
    const named = all(read(doc), /\bskynet ([a-z]+)\b(?=[^\n]*[`|])/g)
    expect(named.filter((name) => name !== 'help' && !commands.includes(name))).toEqual([])
  })

  test('docs/operations.md lists every command', () => {
    const table = rows(section(read('docs/operations.md'), 'Start and stop'))
      .flat()
      .join(' ')
    expect(commands.filter((name) => !table.includes(`skynet ${name}`))).toEqual([])
  })

  test('every decision can be found by its number', () => {
    const names = globSync('docs/adr/*.md', { cwd: root }).map((path) => path.slice('docs/adr/'.length))
    expect(names.every((name) => read(`docs/adr/${name}`).startsWith(`# ${name.slice(0, 4)} `))).toBe(true)
  })
})

const commands = buildProgram({}).commands.map((command) => command.name())

/** Whether the file of a link is there, and the heading of its anchor. */
function isThere(doc: string, target: string): boolean {
  const [path = '', anchor] = target.split('#')
  const file = path === '' ? doc : relative(root, join(root, dirname(doc), path))
  if (!existsSync(join(root, file))) return false
  return (
    anchor === undefined ||
    all(read(file), /^#+ (.+)$/gm)
      .map(anchorOf)
      .includes(anchor)
  )
}

const anchorOf = (heading: string): string =>
  heading
    .toLowerCase()
    .replace(/[^\w\s-]/g, '')
    .replace(/\s/g, '-')

describe('docs/states.md', () => {
  const text = read('docs/states.md')
  const titles = {
    run: 'Run',
    task: 'Task',
    approval: 'Approval',
    recovery: 'Recovery',
    attempt: 'Attempt',
  } as const

  test.each(Object.entries(titles))('has the transitions of a %s, all and no others', (machine, title) => {
    const table: Record<string, readonly string[]> = machines[machine as keyof typeof titles]
    const legal = Object.entries(table).flatMap(([from, tos]) => tos.map((to) => `${from} -> ${to}`))
    expect(rows(section(text, title)).map(([from, to]) => `${from} -> ${to}`)).toEqual(
      sameOrder(legal, section(text, title)),
    )
  })

  test('names files that write the status', () => {
    const wrong = rows(text).filter(
      ([, to, by]) => by !== 'nothing yet' && !read(by ?? '').includes(`'${to}'`),
    )
    expect(wrong).toEqual([])
  })
})

/** The pairs in the order in which the section has them; those it lacks at the end. */
function sameOrder(pairs: string[], text: string): string[] {
  const told = rows(text).map(([from, to]) => `${from} -> ${to}`)
  const place = (pair: string) => (told.includes(pair) ? told.indexOf(pair) : told.length)
  return [...pairs].sort((a, b) => place(a) - place(b))
}

test('docs/walk.md names events that are written', () => {
  const written = new Set<string>([
    ...otherEvents,
    ...Object.entries(machines).flatMap(([machine, table]) =>
      Object.keys(table).map((status) => `${machine}.${status}`),
    ),
  ])
  const named = all(
    read('docs/walk.md'),
    /\b((?:run|task|plan|approval|attempt|milestone)\.[a-z_]+)\b(?!\.|\/)/g,
  )
  expect(named.length).toBeGreaterThan(10)
  expect(named.filter((event) => !written.has(event) && !event.endsWith('.ts'))).toEqual([])
})

test('docs/invariants.md has each of the twelve, with a test or the word that there is none', () => {
  const table = rows(read('docs/invariants.md'))
  expect(table.map(([number]) => number)).toEqual(Array.from({ length: 12 }, (_, i) => String(i + 1)))
  expect(table.filter(([, , , proof]) => !/tests\/\S+\.test\.ts|no test yet/.test(proof ?? ''))).toEqual([])
})

describe('docs/errors.md', () => {
  const listed = (head: string): string[] =>
    rows(section(read('docs/errors.md'), head)).map(([code]) => code ?? '')
  const found = (files: string[], pattern: RegExp): string[] => all(files.map(read).join('\n'), pattern)

  test('lists the codes of API and gateway', () => {
    const codes = found(
      sources('api', 'gateway'),
      /(?:Error\(\s*\d{3},|(?<!method)[?:])\s*'([A-Z][A-Z_]{2,})'/g,
    )
    const doors = found(['core/doors/judgeCall.ts'], /refuse\(\s*\d{3},\s*'([A-Z_]+)'/g)
    expect(listed('REST API and gateway').sort()).toEqual([...codes, ...doors].sort())
  })

  test('lists why a run was refused or failed', () => {
    const codes = found(sources('core'), /\bcode: '([A-Z][A-Z_]+)'/g)
    expect(listed('Runs').sort()).toEqual([...codes, NOT_UNDERSTOOD].sort())
  })

  test('lists what can become of a task', () => {
    const files = sources('core/runs', 'core/scheduling', 'core/dispatch', 'core/fleet')
    const codes = new Set([
      ...found(files, /\bcode: '([a-z_]+)'/g),
      ...ResultStatus.exclude(['succeeded']).options,
    ])
    expect(listed('Tasks').sort()).toEqual([...codes].sort())
  })

  test('lists what an agent refuses', () => {
    const faults = /export type GrantFault =([\s\S]*?)\n\n/.exec(read('core/protocol/grants.ts'))?.[1] ?? ''
    const grants = all(faults, /'(\w+)'/g).map((fault) => `grant_${fault}`)
    const codes = new Set([
      ...grants,
      ...found(['agent/attempts.ts', 'agent/refuseDispatch.ts'], /\bcode: '([a-z_]+)'/g),
    ])
    expect(listed('What an agent refuses').sort()).toEqual([...codes].sort())
  })

  test('marks the refusals that pass by themselves', () => {
    const passing = /const passing = new Set\(\[([^\]]*)/.exec(read('core/runs/followFrames.ts'))?.[1] ?? ''
    const marked = rows(section(read('docs/errors.md'), 'What an agent refuses')).filter(([, text]) =>
      text?.startsWith('↻'),
    )
    expect(marked.map(([code]) => code).sort()).toEqual(all(passing, /'(\w+)'/g))
  })
})

describe('docs/api.md', () => {
  const told = (text: string): string[] => all(text, /\b((?:GET|POST|PUT|PATCH|DELETE) \/[\w/:{}.-]*[\w}])/g)
  const [api = '', gateway = ''] = read('docs/api.md').split(/^## Gateway$/m)

  test('has the endpoints of the API, all and no others', () => {
    const declared = routes.map(({ method, url }) => `${method} ${templateOf(url)}`)
    expect(told(api)).toEqual(declared.sort())
  })

  test('has the endpoints of the gateway, all and no others', () => {
    const source = read('gateway/routes.ts')
    const paths = all(source, /\bpath: '([^']+)'/g)
    expect([...new Set(told(gateway).map((endpoint) => endpoint.split(' ')[1]))].sort()).toEqual(paths)
  })
})
