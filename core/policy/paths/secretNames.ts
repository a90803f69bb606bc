import { holdsSecrets } from '../../redaction/secretNames.ts'
import { hasGlob, QUERY, STAR } from '../shell/marks.ts'
import { matchesPattern, segmentMatches } from './resolvePath.ts'

/** Stand-ins that a pattern is tried on: `cat .e*`, `cat *.pem`. */
const secretSpecimens = [
  '.env',
  '.env.local',
  '.env.production',
  'server.pem',
  'server.key',
  'id_rsa',
  'id_ed25519',
  '.netrc',
  '.npmrc',
  '.pgpass',
  '.git-credentials',
  'credentials',
  'credentials.json',
  'secrets.yaml',
  'secrets.json',
  'terraform.tfstate',
  'prod.env',
  '.htpasswd',
  'kubeconfig',
  'cert.p12',
  'id_ecdsa',
  'id_dsa',
  '.envrc',
  '.pypirc',
  'store.jks',
  'store.keystore',
  'store.kdbx',
  'cert.pfx',
  'putty.ppk',
  'prod.tfvars',
] as const

/** True for the name of a file that holds secrets, and for a pattern of the shell that such a name fits. */
export function isSecretName(name: string): boolean {
  if (hasGlob(name))
    return (
      !/^[\u0001\u0002][.\u0001\u0002]*$/.test(name) &&
      secretSpecimens.some((secret) => segmentMatches(name, secret))
    )
  return holdsSecrets(name)
}

/** A pattern as `find`, `grep` and git read it themselves, in the marks of the shell's patterns. */
export function toolPattern(text: string): string {
  return text
    .toLowerCase()
    .replace(/\[[^\]]*\]/g, QUERY)
    .replaceAll('?', QUERY)
    .replace(/\*+/g, STAR)
}

/** The names of secrets that a pattern of a tool fits; unlike the shell's, its star takes a leading dot. */
export function secretsFitting(pattern: string): readonly string[] {
  const marked = toolPattern(pattern)
  if (!hasGlob(marked)) return isSecretName(pattern) ? [pattern] : []
  return secretSpecimens.filter((secret) => matchesPattern(marked, secret))
}

/** True when each of the usual names of secrets fits one of the patterns. */
export function coverSecrets(patterns: readonly string[]): boolean {
  const marked = patterns.map(toolPattern)
  return secretSpecimens.every((secret) => marked.some((pattern) => matchesPattern(pattern, secret)))
}
