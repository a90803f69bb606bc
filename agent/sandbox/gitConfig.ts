import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'

/*
 * What a repository's own settings may say while it is only looked at. git starts programs that settings name (filters,
 * drivers, hooks, monitors, helpers, aliases) or takes in other files of settings; none of those is on this list, and what
 * is not on it is left out.
 */
const kept =
  /^(core\.(repositoryformatversion|filemode|bare|logallrefupdates|ignorecase|precomposeunicode|symlinks|worktree|autocrlf|eol|safecrlf|quotepath|abbrev|sparsecheckout|sparsecheckoutcone|sharedrepository|compression|bigfilethreshold|whitespace|trustctime|checkstat|commentchar|protectntfs|protecthfs)|extensions\.(objectformat|refstorage|worktreeconfig|preciousobjects|noop|relativeworktrees)|remote\.[^\n]+\.(url|pushurl|fetch|tagopt)|branch\.[^\n]+\.(remote|merge|rebase|pushremote)|user\.(name|email)|submodule\.[^\n]+\.(url|active)|init\.defaultbranch|pull\.(rebase|ff)|push\.(default|autosetupremote)|color\.[\w.]+|column\.\w+|advice\.\w+|status\.(branch|short|showuntrackedfiles|relativepaths|showstash|aheadbehind|renames)|log\.(date|decorate|abbrevcommit|follow)|diff\.(renames|algorithm|context|noprefix|mnemonicprefix|colormoved|interhunkcontext|renamelimit|suppressblankempty)|diff\.[^\n]+\.(xfuncname|binary)|merge\.(conflictstyle|ff)|rebase\.\w+|gc\.auto|blame\.(date|showemail)|index\.version|feature\.manyfiles|lfs\.repositoryformatversion)$/i

/** Settings by which a look itself starts a program, whatever the environment says. */
const starts =
  /^(filter\..*\.(clean|smudge|process)|diff\..*\.(command|textconv)|diff\.external|include\.path|includeif\..*|extensions\.partialclone|remote\..*\.(promisor|uploadpack|vcs))$/is
/** Those that a submodule's settings can name as well: the environment does not reach it. */
const startsBelow = /^(core\.(fsmonitor|hookspath)|log\.showsignature)$/i

/** A file of settings that holds nothing but what may stay, one to a line: most do. */
const plainLine = /^\s*(?:[#;][^\\\n]*)?$|^\s*([A-Za-z][\w-]*)\s*=\s*([^"\\#;\n]*)$/
const plainSection = /^\[([A-Za-z][\w-]*)(?: "([^"\\\n]*)")?\]\s*$/

export type Cleaned = {
  /** The same settings without what is not kept. */
  text: string
  /** What a look would have started, by its names. */
  starts: string[]
}

/** What of a file of settings is left out of a look; null when nothing is. `below`: a submodule's. */
export function cleanGitConfig(path: string, below: boolean): Cleaned | null {
  if (isPlain(readFileSync(path, 'utf8'))) return null
  const entries = listed(path)
  const names = entries.map(([key]) => key)
  const stay = entries.filter(([key]) => kept.test(key))
  if (entries.length > 0 && stay.length === entries.length) return null
  return {
    text: stay.map(asLines).join(''),
    starts: names.filter((key) => starts.test(key) || (below && startsBelow.test(key))),
  }
}

function isPlain(text: string): boolean {
  let section = ''
  return text.split('\n').every((line) => {
    const header = plainSection.exec(line)
    if (header) {
      section = header[2] === undefined ? `${header[1]}` : `${header[1]}.${header[2]}`
      return true
    }
    const setting = plainLine.exec(line)
    return setting !== null && (setting[1] === undefined || kept.test(`${section}.${setting[1]}`))
  })
}

/** As git itself reads the file, without what it would take in; nothing of one that git cannot read. */
function listed(path: string): [string, string][] {
  try {
    const args = ['config', '--file', path, '--no-includes', '--null', '--list']
    const text = execFileSync('git', args, {
      cwd: '/',
      encoding: 'utf8',
      timeout: 5000,
      maxBuffer: 8 * 1024 * 1024,
      stdio: ['ignore', 'pipe', 'ignore'],
    })
    return text.split('\0').flatMap((entry): [string, string][] => {
      const [key = '', ...value] = entry.split('\n')
      return key === '' ? [] : [[key, value.join('\n')]]
    })
  } catch {
    return []
  }
}

function asLines([key, value]: [string, string]): string {
  const parts = key.split('.')
  const [section, name] = [parts[0] ?? '', parts.at(-1) ?? '']
  const sub = parts.slice(1, -1).join('.')
  const quoted = (text: string) =>
    `"${text.replace(/[\\"]/g, '\\$&').replaceAll('\n', '\\n').replaceAll('\t', '\\t')}"`
  return `[${section}${sub === '' ? '' : ` ${quoted(sub)}`}]\n\t${name} = ${quoted(value)}\n`
}
