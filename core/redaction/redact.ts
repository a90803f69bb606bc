/**
 * Known formats of secrets. Public facts about token shapes, from their makers' documentation; the issue of
 * stronger redaction replaces this table by a maintained rule set.
 */
const formats: { name: string; pattern: RegExp }[] = [
  {
    name: 'private key',
    pattern: /-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)/g,
  },
  { name: 'telegram token', pattern: /\b\d{8,10}:[A-Za-z0-9_-]{35}\b/g },
  { name: 'aws key', pattern: /\b(?:AKIA|ASIA)[A-Z0-9]{16}\b/g },
  { name: 'github token', pattern: /\b(?:gh[pousr]_[A-Za-z0-9]{36,255}|github_pat_[A-Za-z0-9_]{22,255})\b/g },
  { name: 'gitlab token', pattern: /\bglpat-[A-Za-z0-9_-]{20,}/g },
  { name: 'api key', pattern: /\bsk-(?:ant-|proj-|or-v1-)?[A-Za-z0-9_-]{20,}/g },
  { name: 'google key', pattern: /\bAIza[A-Za-z0-9_-]{35}/g },
  { name: 'groq key', pattern: /\bgsk_[A-Za-z0-9]{20,}/g },
  { name: 'slack token', pattern: /\bxox[abeoprs]-[A-Za-z0-9-]{10,}/g },
  { name: 'npm token', pattern: /\bnpm_[A-Za-z0-9]{36}\b/g },
  { name: 'jwt', pattern: /\beyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}/g },
  {
    name: 'url password',
    pattern: /(?<=\b[a-z][a-z0-9+.-]{1,20}:\/\/[^\s:/@]{0,100}:)[^\s@/]{1,200}(?=@)/gi,
  },
  { name: 'bearer token', pattern: /(?<=\bbearer\s)[A-Za-z0-9._~+/-]{16,}=*/gi },
  {
    name: 'value',
    pattern:
      /(?<=\b[\w-]{0,60}(?:password|passwd|secret|token|api_?key|access_?key|credential)["']?\s{0,3}[=:]\s{0,3}["']?)[^\s"',;}]{8,200}/gi,
  },
]

/** Secrets shorter than this would tear holes into ordinary text and are left to the formats. */
const MIN_SECRET = 8

const escapeRegExp = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')

function configuredPattern(secrets: readonly string[]): RegExp | null {
  const forms = secrets
    .filter((s) => s.length >= MIN_SECRET)
    .flatMap((s) => [s, encodeURIComponent(s), Buffer.from(s).toString('base64').replace(/=+$/, '')])
  const unique = [...new Set(forms)].sort((a, b) => b.length - a.length)
  return unique.length > 0 ? new RegExp(unique.map(escapeRegExp).join('|'), 'g') : null
}

/**
 * The one function every text passes on its way in: returns a function that replaces known formats of secrets and
 * the configured `secrets` (also URL-encoded and in base64) by `[redacted: kind]`. Idempotent.
 */
export function redactor(secrets: readonly string[]): (text: string) => string {
  const configured = configuredPattern(secrets)
  return (text) => {
    let out = configured ? text.replace(configured, '[redacted: secret]') : text
    for (const { name, pattern } of formats) {
      out = out.replace(pattern, (hit) => (hit.startsWith('[redacted') ? hit : `[redacted: ${name}]`))
    }
    return out
  }
}
