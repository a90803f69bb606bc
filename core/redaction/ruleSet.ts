import { createRequire } from 'node:module'
import type { SecretLintRuleContext, SecretLintRuleCreator } from '@secretlint/types'
import { RANK, type Span } from './spans.ts'

/** The rules of the package that are used, each with words without which it finds nothing, and what it finds. */
export const ruleWords: Readonly<Record<string, { words: readonly string[]; kind: string }>> = {
  '1password': { words: ['ops_ey'], kind: '1password token' },
  anthropic: { words: ['sk-ant-api0'], kind: 'api key' },
  aws: {
    words: ['secretaccesskey', 'secret_accesskey', 'secretaccess_key', 'secret_access_key'],
    kind: 'aws key',
  },
  cloudflare: { words: ['cfk_', 'cfut_', 'cfat_'], kind: 'cloudflare token' },
  databricks: { words: ['dapi'], kind: 'databricks token' },
  docker: { words: ['dckr_pat_'], kind: 'docker token' },
  figma: { words: ['figd_'], kind: 'figma token' },
  github: { words: ['ghp_', 'gho_', 'ghu_', 'ghs_', 'ghr_', 'github_pat_'], kind: 'github token' },
  gitlab: { words: ['glpat-'], kind: 'gitlab token' },
  grafana: { words: ['glc_', 'glsa_'], kind: 'grafana token' },
  groq: { words: ['gsk_'], kind: 'groq key' },
  'hashicorp-vault': { words: ['hvs.', 'hvb.', 'hvr.'], kind: 'vault token' },
  huggingface: { words: ['hf_'], kind: 'huggingface token' },
  linear: { words: ['lin_api_'], kind: 'linear key' },
  notion: { words: ['ntn_'], kind: 'notion token' },
  npm: { words: ['npm_', ':x-oauth-basic@'], kind: 'npm token' },
  openai: { words: ['t3blbkfj'], kind: 'api key' },
  sendgrid: { words: ['sg.'], kind: 'mail key' },
  shopify: { words: ['shppa_', 'shpca_', 'shpat_', 'shpss_'], kind: 'shopify token' },
  slack: {
    words: ['xoxb-', 'xoxp-', 'xapp-', 'xoxa-', 'xoxo-', 'xoxr-', 'hooks.slack.com/'],
    kind: 'slack token',
  },
  stripe: { words: ['sk_live_', 'sk_test_', 'rk_live_', 'rk_test_'], kind: 'stripe key' },
  tailscale: { words: ['tskey-'], kind: 'tailscale key' },
  vercel: { words: ['vcp_', 'vci_', 'vca_', 'vcr_', 'vck_'], kind: 'vercel token' },
}

/**
 * Rules of the package that are not used, and why. A text must not be able to switch the others off by a comment;
 * of an address only the password is taken out, by a rule of our own that knows every scheme; private keys too are
 * found by one that also finds those cut off; the last one is about files in a repository.
 */
export const unusedRules: readonly string[] = [
  'filter-comments',
  'basicauth',
  'database-connection-string',
  'privatekey',
  'gcp',
]

const nameOf = (rule: { meta: { id: string } }): string => rule.meta.id.replace(/^.*secretlint-rule-/, '')

type Finder = { file(source: object): unknown }
type Report = { range: readonly [number, number] }

/** One rule's own code, started once; what it reports goes to `reports`. */
function start(rule: SecretLintRuleCreator, reports: Report[]): Finder {
  const context = {
    createTranslator: () => () => ({ message: '', messageId: '', data: {} }),
    report: (found: Report) => void reports.push(found),
    ignore: () => {},
  } as unknown as SecretLintRuleContext
  return rule.create(context, {}) as unknown as Finder
}

let loaded: Map<string, (text: string) => Report[]> | null = null

/** The package is loaded at the first word that calls for one of its rules. */
function finders(): Map<string, (text: string) => Report[]> {
  if (loaded) return loaded
  const { rules } = createRequire(import.meta.url)('@secretlint/secretlint-rule-preset-recommend') as {
    rules: readonly SecretLintRuleCreator[]
  }
  loaded = new Map(
    rules.map((rule) => {
      const reports: Report[] = []
      const finder = start(rule, reports)
      const find = (content: string): Report[] => {
        reports.length = 0
        finder.file({ content, filePath: 'package.json', ext: '.json', contentType: 'text' })
        return reports
      }
      return [nameOf(rule), find]
    }),
  )
  return loaded
}

/** Names of all rules the package has, for the test that holds the table above to it. */
export const ruleNames = (): string[] => [...finders().keys()]

/** A line is looked at from a little before the word that was found; few tokens are longer than `TOKEN`. */
const BEFORE = 300
const AFTER = 12_000
const TOKEN = 2000

/** Where a rule has to look: the line of the word, or the piece of a long one around it. */
function windowOf(text: string, start: number, end: number): [from: number, to: number] {
  const line = text.lastIndexOf('\n', start - 1) + 1
  const next = text.indexOf('\n', end)
  return [Math.max(line, start - BEFORE), Math.min(next < 0 ? text.length : next, end + AFTER)]
}

/** The same text, its escapes blank: the letter that one ends in is no part of a word that begins behind it. */
const withoutEscapes = (text: string): string =>
  text.replace(
    /(?:\x1b|\\{1,4}(?:u001b|x1b|033|e))\[[\d;]*[A-Za-z]|\\{1,4}[nrt]|\\{1,4}u[0-9A-Fa-f]{4}|%[0-9A-Fa-f]{2}/gi,
    (found) => ' '.repeat(found.length),
  )

/** Looks at a text with one rule, near a word of its own. `seen`: up to where it has looked already. */
export function lookByRule(
  name: string,
  text: string,
  start: number,
  end: number,
): { spans: Span[]; seen: number } {
  const find = finders().get(name)
  const [from, to] = windowOf(text, start, end)
  const seen = to === end + AFTER ? to - TOKEN : to
  if (!find) return { spans: [], seen }
  const kind = ruleWords[name]?.kind ?? 'secret'
  const spans = find(withoutEscapes(text.slice(from, to))).map(({ range }) => ({
    start: from + range[0],
    end: from + range[1],
    kind,
    rank: RANK.format,
  }))
  return { spans, seen }
}
