import { execFile } from 'node:child_process'
import { searchPath } from './environment.ts'

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

/** A look fetches nothing, whatever a repository says that it lacks. */
export const offline = { GIT_ALLOW_PROTOCOL: 'none', GIT_NO_LAZY_FETCH: '1' } as const

/** A file of settings that holds nothing but what may stay, one to a line: most do. */
const plainLine = /^\s*(?:[#;][^\\\n]*)?$|^\s*([A-Za-z][\w-]*)\s*=\s*([^"\\#;\n]*)$/
const plainSection = /^\[([A-Za-z][\w-]*)(?: "([^"\\\n]*)")?\]\s*$/

/** A key, and its value; null where it has none, which says yes. */
type Setting = [string, string | null]

export type Cleaned = {
  /** The same settings without what is not kept; null where they can stay as they are. */
  text: string | null
  /** What a look would have started, by its names. */
  starts: string[]
  /** Where they say that the files are. */
  worktrees: string[]
}

/** What of settings is left out of a look. `below`: a submodule's. Rejects where git did not say how it reads them. */
export async function cleanGitConfig(bytes: Buffer, below: boolean): Promise<Cleaned> {
  const plain = plainEntries(bytes.toString('utf8'))
  const entries = plain ?? (await listed(bytes))
  const stay = plain ?? entries.filter(([key]) => kept.test(key))
  const same = plain !== null || (entries.length > 0 && stay.length === entries.length)
  const names = entries.map(([key]) => key)
  return {
    text: same ? null : stay.map(asLines).join(''),
    starts: names.filter((key) => starts.test(key) || (below && startsBelow.test(key))),
    worktrees: stay.flatMap(([key, value]) =>
      value !== null && /^core\.worktree$/i.test(key) ? [value] : [],
    ),
  }
}

/** Null where a line is not of the plainest, or says what is not kept. */
function plainEntries(text: string): Setting[] | null {
  let section = ''
  const entries: Setting[] = []
  for (const line of text.split('\n')) {
    const header = plainSection.exec(line)
    const setting = header ? null : plainLine.exec(line)
    if (header) section = header[2] === undefined ? `${header[1]}` : `${header[1]}.${header[2]}`
    else if (!setting) return null
    else if (setting[1] !== undefined) {
      const key = `${section}.${setting[1]}`
      if (!kept.test(key)) return null
      entries.push([key, (setting[2] ?? '').trim()])
    }
  }
  return entries
}

/**
 * As git itself reads them, without what they would take in; nothing of what git cannot read. It gets the bytes and
 * nothing else of the repository.
 */
function listed(bytes: Buffer): Promise<Setting[]> {
  const env = {
    PATH: searchPath(process.env.PATH),
    HOME: '/nowhere',
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_CEILING_DIRECTORIES: '/',
    ...offline,
  }
  const options = { cwd: '/', env, encoding: 'utf8' as const, timeout: 5000, maxBuffer: 8 * 1024 * 1024 }
  return new Promise((resolve, reject) => {
    const args = ['config', '--file', '-', '--no-includes', '--null', '--list']
    const child = execFile('git', args, options, (error, text) => {
      if (error && typeof error.code !== 'number') reject(new Error('settings that cannot be listed'))
      else resolve(error ? [] : entriesOf(text))
    })
    child.stdin?.on('error', () => {}) // it has read what it wanted
    child.stdin?.end(bytes)
  })
}

const entriesOf = (text: string): Setting[] =>
  text.split('\0').flatMap((entry): Setting[] => {
    const [key = '', ...value] = entry.split('\n')
    return key === '' ? [] : [[key, value.length === 0 ? null : value.join('\n')]]
  })

function asLines([key, value]: Setting): string {
  const parts = key.split('.')
  const [section, name] = [parts[0] ?? '', parts.at(-1) ?? '']
  const sub = parts.slice(1, -1).join('.')
  const quoted = (text: string) =>
    `"${text.replace(/[\\"]/g, '\\$&').replaceAll('\n', '\\n').replaceAll('\t', '\\t')}"`
  return `[${section}${sub === '' ? '' : ` ${quoted(sub)}`}]\n\t${name}${value === null ? '' : ` = ${quoted(value)}`}\n`
}
