import { constants } from 'node:fs'
import { open, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { MAX_SKILL_BYTES, SkillFault, settleText } from './readSkill.ts'

/** Skills that one directory may have. */
const MAX_SKILLS = 1000

/** A file that was found: its text, or what is wrong with it. */
export type FoundFile = { source: string; text: string } | { source: string; fault: string }

/**
 * The text of one SKILL.md: a regular file, not through a link, of UTF-8 and not too large. Nothing beside it is read. Throws
 * SkillFault.
 */
export async function readSkillFile(path: string): Promise<string> {
  const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK).catch(
    (error: NodeJS.ErrnoException) => {
      throw new SkillFault(
        error.code === 'ELOOP' ? 'it is a link; links are not followed' : `it cannot be read (${error.code})`,
      )
    },
  )
  try {
    if (!(await file.stat()).isFile()) throw new SkillFault('it is no file')
    const bytes = Buffer.alloc(MAX_SKILL_BYTES + 1)
    let size = 0
    while (size < bytes.length) {
      const { bytesRead } = await file.read(bytes, size, bytes.length - size, size)
      if (bytesRead === 0) break
      size += bytesRead
    }
    if (size > MAX_SKILL_BYTES) throw new SkillFault(`it is larger than ${MAX_SKILL_BYTES / 1024} KiB`)
    return settleText(decode(bytes.subarray(0, size)))
  } finally {
    await file.close()
  }
}

function decode(bytes: Buffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    throw new SkillFault('it is not text in UTF-8')
  }
}

async function readOne(source: string): Promise<FoundFile> {
  try {
    return { source, text: await readSkillFile(source) }
  } catch (error) {
    if (error instanceof SkillFault) return { source, fault: error.message }
    throw error
  }
}

/** Whether a folder has a SKILL.md, whatever it is. */
const hasSkill = async (folder: string): Promise<boolean> =>
  (await readdir(folder).catch((): string[] => [])).includes('SKILL.md')

/**
 * Every SKILL.md of a directory: its own, and that of each folder in it. A folder that is a link is not entered. Faults are
 * part of the answer; it never throws for what it finds.
 */
export async function readSkillDirectory(dir: string): Promise<FoundFile[]> {
  try {
    const entries = await readdir(dir, { withFileTypes: true })
    const folders = entries.filter((entry) => entry.isDirectory()).map(({ name }) => join(dir, name))
    const links = entries.filter((entry) => entry.isSymbolicLink()).map(({ name }) => join(dir, name))
    const places: string[] = []
    for (const folder of [dir, ...folders.sort()])
      if (await hasSkill(folder)) places.push(join(folder, 'SKILL.md'))
    const files: FoundFile[] = []
    for (const place of places.slice(0, MAX_SKILLS)) files.push(await readOne(place))
    const linked: FoundFile[] = []
    for (const link of links)
      if (await hasSkill(link)) linked.push({ source: link, fault: 'it is a link; links are not followed' })
    const more: FoundFile[] =
      places.length > MAX_SKILLS
        ? [
            {
              source: dir,
              fault: `it has more than ${MAX_SKILLS} skills; those after them by name are left out`,
            },
          ]
        : []
    return [...more, ...linked, ...files]
  } catch (error) {
    return [
      { source: dir, fault: `it cannot be read (${Reflect.get(Object(error), 'code') ?? 'no reason'})` },
    ]
  }
}
