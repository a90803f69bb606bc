import { execFileSync } from 'node:child_process'
import { rmSync, writeFileSync } from 'node:fs'
import { looksSecret } from './places.ts'

/** Settings of git that say who somebody is and how they like things: no helpers, no programs, no passwords. */
const harmless =
  /^(user\.(name|email)|init\.defaultbranch|safe\.directory|core\.(autocrlf|eol|quotepath|filemode|longpaths)|pull\.(rebase|ff)|push\.(default|autosetupremote|followtags)|merge\.(conflictstyle|ff)|rebase\.\w+|fetch\.(prune|prunetags)|branch\.(sort|autosetupmerge|autosetuprebase)|tag\.sort|diff\.(algorithm|colormoved|renames)|log\.date|color\.\w+|column\.\w+|help\.autocorrect|http\.(sslcainfo|proxy))$/

/**
 * Writes those of the person's git settings that may be seen to `file`. Returns it; null where there are none, or no
 * git.
 */
export function writeGitSettings(file: string, env: NodeJS.ProcessEnv): string | null {
  rmSync(file, { force: true })
  const text = settings(env).filter(isHarmless).map(asLines).join('')
  if (text === '') return null
  writeFileSync(file, text, { mode: 0o600 })
  return file
}

function settings(env: NodeJS.ProcessEnv): string[] {
  try {
    const args = ['config', '--global', '--includes', '--null', '--list']
    const options = {
      cwd: '/',
      encoding: 'utf8' as const,
      env,
      timeout: 5000,
      stdio: ['ignore', 'pipe', 'ignore'] as ['ignore', 'pipe', 'ignore'],
    }
    return execFileSync('git', args, options).split('\0')
  } catch {
    return []
  }
}

/** `key`, a line end, and the value, as git lists them. */
function isHarmless(line: string): boolean {
  const [key = '', ...value] = line.split('\n')
  return (
    harmless.test(key) && value.length === 1 && (key.startsWith('user.') || !looksSecret.test(value.join('')))
  )
}

function asLines(line: string): string {
  const [key = '', value = ''] = line.split('\n')
  const [section, name] = key.split('.')
  return `[${section}]\n\t${name} = ${JSON.stringify(value)}\n`
}
