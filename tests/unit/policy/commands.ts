import { readFileSync } from 'node:fs'

/** One command a line; `⏎` stands for a line break within one. */
function readCommands(name: string): readonly string[] {
  const lines = readFileSync(new URL(`./commands/${name}.txt`, import.meta.url), 'utf8').split('\n')
  return lines.filter((line) => line.trim() !== '').map((line) => line.replaceAll('⏎', '\n'))
}

/** Everyday commands that only look: none may be denied, hardly any may ask. */
export const looking = readCommands('looking')
/** Everyday commands that change something: asked, never denied, never allowed. */
export const changing = readCommands('changing')
/** On the floor: denied in every one of these disguises. */
export const floor = readCommands('floor')
/** Not on the floor, and never allowed by themselves. */
export const risky = readCommands('risky')
/** Ways around: secrets that come out, code that runs, or files that change through what only looks. Never allowed. */
export const detours = readCommands('detours')
