import { parse as parseYaml } from 'yaml'
import { z } from 'zod'
import { refusedCharacter } from '../guides/hiddenCharacters.ts'

/** A SKILL.md as it may be used: guidance for planning, never executed. */
export type Skill = { name: string; description: string; body: string }

/** A text that is no skill: one line that says what is wrong and what is taken. */
export class SkillFault extends Error {
  override name = 'SkillFault'
}

/** Bytes of a SKILL.md at most. */
export const MAX_SKILL_BYTES = 64 * 1024

/** The public format: `name` and `description` are needed, the rest may be there and changes nothing here. */
const FrontMatter = z.looseObject({
  name: z
    .string('a name such as deploy-site')
    .max(64, 'at most 64 characters')
    .regex(/^[a-z0-9]+(?:-[a-z0-9]+)*$/, 'lower-case letters, digits and single dashes, such as deploy-site'),
  description: z
    .string('a sentence that says what it is for and when')
    .trim()
    .min(1, 'a sentence that says what it is for and when')
    .max(1024, 'at most 1,024 characters'),
})

/** The same text whatever system it was written on: what is hashed, shown and used. */
export const settleText = (text: string): string => text.replace(/^\ufeff/, '').replaceAll('\r\n', '\n')

function frontMatterOf(yaml: string): z.output<typeof FrontMatter> {
  let value: unknown
  try {
    value = parseYaml(yaml, { maxAliasCount: 0, logLevel: 'error' })
  } catch (error) {
    throw new SkillFault(`its front matter is not YAML (${firstLine(error)})`)
  }
  const parsed = FrontMatter.safeParse(value)
  if (parsed.success) return parsed.data
  const issue = parsed.error.issues[0]
  const field = issue?.path.join('.')
  throw new SkillFault(
    field ? `${field}: takes ${issue?.message}` : 'its front matter takes lines such as "name: deploy-site"',
  )
}

const firstLine = (error: unknown): string =>
  (error instanceof Error ? error.message : String(error))
    .split('\n')[0]
    ?.slice(0, 120)
    .replace(/[:\s]+$/, '') ?? ''

/**
 * A skill from the settled text of its SKILL.md. Throws SkillFault: too large, no front matter, a name or description that
 * the format does not know, nothing below, or characters that turn text around or hide it. Pure.
 */
export function readSkill(text: string): Skill {
  if (Buffer.byteLength(text) > MAX_SKILL_BYTES)
    throw new SkillFault(`it is larger than ${MAX_SKILL_BYTES / 1024} KiB`)
  const odd = refusedCharacter(text)
  if (odd)
    throw new SkillFault(
      `line ${odd.line} has ${odd.character}, which hides text or turns it around; take it out`,
    )
  const [, yaml, body] = /^---[ \t]*\n([\s\S]*?)\n---[ \t]*(?:\n([\s\S]*))?$/.exec(text) ?? []
  if (yaml === undefined)
    throw new SkillFault('it takes front matter between lines of --- with name and description')
  const { name, description } = frontMatterOf(yaml)
  if ((body ?? '').trim() === '') throw new SkillFault('there is nothing below its front matter')
  return { name, description: description.replace(/\s+/g, ' '), body: (body ?? '').trim() }
}
