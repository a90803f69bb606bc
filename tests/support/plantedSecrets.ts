import { Random } from './random.ts'

const lower = 'abcdefghijklmnopqrstuvwxyz'
const digits = '0123456789'
const hex = '0123456789abcdef'
const alnum = lower + lower.toUpperCase() + digits
const word = `${alnum}_`
const url = `${alnum}_-`

/** Tokens as their makers write them: all of each is the secret. */
const tokens: Readonly<Record<string, (r: Random) => string>> = {
  github: (r) => `${r.pick(['ghp_', 'gho_', 'ghu_', 'ghs_', 'ghr_'])}${r.text(36, alnum)}`,
  githubFine: (r) => `github_pat_${r.text(22, alnum)}_${r.text(59, alnum)}`,
  gitlab: (r) => `glpat-${r.text(20, alnum)}`,
  openai: (r) => `sk-proj-${r.text(74, url)}T3BlbkFJ${r.text(73, url)}a`,
  openaiOld: (r) => `sk-${r.text(20, alnum)}T3BlbkFJ${r.text(20, alnum)}`,
  anthropic: (r) => `sk-ant-api03-${r.text(93, url)}AA`,
  openrouter: (r) => `sk-or-v1-${r.text(64, hex)}`,
  groq: (r) => `gsk_${r.text(52, alnum)}`,
  huggingface: (r) => `hf_${r.text(34, lower + lower.toUpperCase())}`,
  google: (r) => `AIza${r.text(35, url)}`,
  aws: (r) => `AKIA${r.text(16, 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567')}`,
  slack: (r) => `xoxb-${r.text(12, digits)}-${r.text(12, digits)}-${r.text(24, alnum)}`,
  npm: (r) => `npm_${r.text(36, alnum)}`,
  telegram: (r) => `${1 + r.int(9)}${r.text(9, digits)}:AA${r.text(33, url)}`,
  stripe: (r) => `sk_live_${r.text(24, alnum)}`,
  sendgrid: (r) => `SG.${r.text(22, word)}.${r.text(43, word)}`,
  shopify: (r) => `shpat_${r.text(32, hex)}`,
  linear: (r) => `lin_api_${r.text(40, alnum)}`,
  notion: (r) => `ntn_${r.text(11, digits)}${r.text(35, alnum)}`,
  vault: (r) => `hvs.${r.text(95, alnum)}`,
  databricks: (r) => `dapi${r.text(32, hex)}`,
  docker: (r) => `dckr_pat_${r.text(27, alnum)}`,
  grafana: (r) => `glsa_${r.text(32, alnum)}_${r.text(8, hex)}`,
  figma: (r) => `figd_${r.text(40, url)}`,
  tailscale: (r) => `tskey-auth-${r.text(12, alnum)}-${r.text(32, alnum)}`,
  vercel: (r) => `vcp_${r.text(48, alnum)}`,
  cloudflare: (r) => `cfut_${r.text(40, alnum)}${r.text(8, hex)}`,
  pypi: (r) => `pypi-AgEIcHlwaS5vcmc${r.text(80, url)}`,
  age: (r) => `AGE-SECRET-KEY-1${r.text(58, 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567')}`,
  jwt: (r) => `eyJ${r.text(33, alnum)}.eyJ${r.text(60, alnum)}.${r.text(43, url)}`,
}

/** Values that only what stands before them makes a secret. `$` is where the value goes. */
const settings = [
  'password=$',
  'PASSWORD="$"',
  'DB_PASSWORD=$',
  "password: '$'",
  '"password": "$"',
  'PGPASSWORD=$ psql -h db',
  'export API_KEY=$',
  'API_TOKEN: "$"',
  '{"token":"$","ok":true}',
  '{\\"secret\\":\\"$\\"}',
  'client_secret=$&grant_type=code',
  'https://x.org/cb?access_token=$&state=1',
  'AWS_SECRET_ACCESS_KEY=$',
  'Authorization: Bearer $',
  'authorization: Basic $',
  "-H 'Authorization: token $'",
  'x-api-key: $',
  'Set-Cookie: session=$; Path=/; HttpOnly',
  'https://bob:$@example.org/x.git',
  'postgres://app:$@db.internal:5432/app',
  'redis://:$@cache:6379',
  '--password $',
  '--token=$',
  '_authToken=$',
  "secretKey: '$',",
  'MYSQL_PWD=$',
  'signing_key = "$"',
  'AccountKey=$;EndpointSuffix=core.windows.net',
] as const

/** Text around a secret, as logs have it. */
const around = [
  '$',
  'using $ now',
  'error: 401 for key $',
  '  "value": "$",',
  '[$]',
  'curl -u $ https://x',
  'x=1\t$\ty=2',
  '\u001b[32m$\u001b[0m',
  '(key $)',
  '2026-01-02T03:04:05Z info $',
]

const fill = (template: string, text: string): string => template.split('$').join(text)

/** How a known secret may be written; each gives the text that must not get through. */
const encodings: Readonly<Record<string, (secret: string, r: Random) => string>> = {
  plain: (s) => s,
  base64: (s) => Buffer.from(s).toString('base64'),
  base64Of: (s, r) =>
    Buffer.concat([r.bytes(1 + r.int(8)), Buffer.from(s), r.bytes(r.int(8))]).toString('base64'),
  base64url: (s, r) => Buffer.concat([r.bytes(r.int(6)), Buffer.from(s)]).toString('base64url'),
  hex: (s) => Buffer.from(s).toString('hex'),
  HEX: (s) => Buffer.from(s).toString('hex').toUpperCase(),
  spacedHex: (s) => (Buffer.from(s).toString('hex').match(/../g) ?? []).join(' '),
  url: (s) => encodeURIComponent(s),
  urlAll: (s) => [...Buffer.from(s)].map((b) => `%${b.toString(16).padStart(2, '0')}`).join(''),
  json: (s) => JSON.stringify(s).slice(1, -1),
  jsonTwice: (s) => JSON.stringify(JSON.stringify(s)).slice(3, -3),
  html: (s) => s.replace(/[&<>"']/g, (c) => `&#${c.charCodeAt(0)};`),
  mail: (s) =>
    s.replace(/[^A-Za-z0-9]/g, (c) => `=${c.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`),
  shell: (s) => s.replace(/[^A-Za-z0-9]/g, '\\$&'),
  folded: (s) =>
    (
      Buffer.from(`user:${s}:and more of it`)
        .toString('base64')
        .match(/.{1,20}/g) ?? []
    ).join('\n'),
}

export type Planted = { name: string; text: string; forbidden: string }

/** Secrets that are configured: some of letters and digits only, some with every sign. */
export function configuredSecrets(count: number, seed: number): string[] {
  const r = new Random(seed)
  const signs = `${alnum}+/=!@#%^&*()<>"'\\{}[]|;:,.?-_~`
  return Array.from({ length: count }, (_, i) => r.text(12 + r.int(40), i % 2 === 0 ? alnum : signs))
}

/**
 * So many pieces of log with a secret in each: formats, values behind names, and configured secrets in every encoding.
 * `forbidden`: what must not be seen of it. The same for the same seed.
 */
export function plantSecrets(count: number, seed: number, configured: readonly string[]): Planted[] {
  const r = new Random(seed)
  const kinds = Object.entries(tokens)
  const ways = Object.entries(encodings)
  return Array.from({ length: count }, (_, i) => {
    if (i % 3 === 0) {
      const [name, make] = kinds[Math.floor(i / 3) % kinds.length] as (typeof kinds)[number]
      const secret = make(r)
      return { name, text: fill(r.pick(around), secret), forbidden: secret }
    }
    if (i % 3 === 1) {
      const template = settings[Math.floor(i / 3) % settings.length] as string
      const secret = `${r.text(9 + r.int(20), alnum)}${r.int(10)}${r.pick(['a', 'B', 'q'])}`
      return { name: template, text: fill(template, secret), forbidden: secret }
    }
    const [name, encode] = ways[Math.floor(i / 3) % ways.length] as (typeof ways)[number]
    const secret = r.pick(configured)
    const written = encode(secret, r)
    return {
      name,
      text: name === 'folded' ? written : fill(r.pick(around), written),
      forbidden: name === 'folded' || name.startsWith('base64') ? innerOf(written) : written,
    }
  })
}

/** The middle of an encoded text: its ends belong to what was encoded beside the secret. */
const innerOf = (text: string): string => {
  const lines = text.split('\n')
  const line = lines.length > 2 ? (lines[1] as string) : text.replace(/=+$/, '')
  return lines.length > 2
    ? line
    : line.slice(Math.floor(line.length / 2) - 4, Math.floor(line.length / 2) + 4)
}

/** Formats that secretlint's recommended rules know by their shape alone. */
const ofTheRules = [
  'github',
  'githubFine',
  'gitlab',
  'openai',
  'openaiOld',
  'anthropic',
  'groq',
  'huggingface',
  'slack',
  'npm',
  'stripe',
  'sendgrid',
  'shopify',
  'linear',
  'notion',
  'vault',
  'databricks',
  'docker',
  'grafana',
  'figma',
  'tailscale',
  'vercel',
  'cloudflare',
]

/** So many tokens, of formats that secretlint's recommended rules know as well. */
export function plantTokens(count: number, seed: number): string[] {
  const r = new Random(seed)
  return Array.from({ length: count }, (_, i) =>
    (tokens[ofTheRules[i % ofTheRules.length] as string] as (r: Random) => string)(r),
  )
}
