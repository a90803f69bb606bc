import { readdir, readFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parse as parseYaml } from 'yaml'
import type { z } from 'zod'
import { playbookFault } from './checkPlaybook.ts'
import { compileTrigger } from './compileTrigger.ts'
import { type Playbook, PlaybookFile } from './playbook.ts'

const BUILT_IN = fileURLToPath(new URL('./playbooks/', import.meta.url))

/** A playbook that cannot be used: one line that names the file, the field and what it takes. */
export class PlaybookError extends Error {
  override name = 'PlaybookError'
  constructor(file: string, field: string, wrong: string) {
    super(`${file}: ${field ? `${field}: ` : ''}${wrong.split('\n')[0]?.trim()}`)
  }
}

function issueOf(error: z.ZodError): { field: string; wrong: string } {
  const issue = error.issues[0]
  return { field: issue?.path.join('.') ?? '', wrong: issue?.message ?? 'not a playbook' }
}

function compiled(file: string, field: 'triggers' | 'unless', playbook: PlaybookFile): RegExp[] {
  return playbook[field].map((trigger, i) => {
    try {
      return compileTrigger(trigger, playbook.parameters)
    } catch (error) {
      throw new PlaybookError(file, `${field}.${i}`, error instanceof Error ? error.message : String(error))
    }
  })
}

function readYaml(file: string, text: string): unknown {
  try {
    return parseYaml(text, { maxAliasCount: 10 })
  } catch (error) {
    throw new PlaybookError(file, '', `not YAML: ${error instanceof Error ? error.message : String(error)}`)
  }
}

/**
 * One playbook from the text of its file: parsed, compiled, and tried on its own examples. Pure. Throws
 * PlaybookError with the first thing wrong.
 */
export function readPlaybook(file: string, text: string, own: boolean): Playbook {
  const parsed = PlaybookFile.safeParse(readYaml(file, text))
  if (!parsed.success) {
    const { field, wrong } = issueOf(parsed.error)
    throw new PlaybookError(file, field, wrong)
  }
  const playbook = {
    ...parsed.data,
    own,
    phrases: parsed.data.triggers,
    triggers: compiled(file, 'triggers', parsed.data),
    unless: compiled(file, 'unless', parsed.data),
  }
  const fault = playbookFault(playbook)
  if (fault) throw new PlaybookError(file, fault.field, fault.wrong)
  return playbook
}

async function yamlFiles(dir: string): Promise<string[]> {
  try {
    const names = await readdir(dir)
    return names
      .filter((name) => /\.ya?ml$/.test(name))
      .sort()
      .map((name) => join(dir, name))
  } catch (error) {
    throw new PlaybookError(
      dir,
      '',
      `SKYNET_PLAYBOOKS_DIR takes a directory that can be read (${error instanceof Error ? error.message : String(error)})`,
    )
  }
}

async function loadFrom(dir: string, own: boolean): Promise<Playbook[]> {
  const files = await yamlFiles(dir)
  const playbooks = await Promise.all(
    files.map(async (file) => readPlaybook(basename(file), await readFile(file, 'utf8'), own)),
  )
  const twice = playbooks.find((p, i) => playbooks.findIndex((q) => q.name === p.name) !== i)
  if (twice) throw new PlaybookError(dir, 'name', `two playbooks are called ${twice.name}`)
  return playbooks
}

/**
 * The built-in playbooks and, with `dir`, those of that directory: they go first, and one with the name of a
 * built-in one takes its place. Throws PlaybookError.
 */
export async function loadPlaybooks(dir: string | null): Promise<Playbook[]> {
  const own = dir === null ? [] : await loadFrom(dir, true)
  const builtIn = await loadFrom(BUILT_IN, false)
  return [...own, ...builtIn.filter((p) => !own.some((q) => q.name === p.name))]
}
