import { hasGlob, QUERY, STAR } from '../shell/marks.ts'
import { matchesPattern, segmentMatches } from './resolvePath.ts'

/** Names that hold secrets wherever they are. */
const secretNames: readonly RegExp[] = [
  /^\.?#?\.env([._~#-].*)?$/i,
  /^.+\.env$/i,
  /\.(pem|key|p12|pfx|jks|keystore|kdbx|ppk|tfstate|tfvars|ovpn|keytab|agekey)$/i,
  /^id_(rsa|dsa|ecdsa|ed25519)(_sk)?$/i,
  /^(\.netrc|_netrc|\.pgpass|\.npmrc|\.pypirc|\.git-credentials|\.htpasswd|\.vault-token|\.dockercfg|kubeconfig|\.envrc|\.s3cfg|wp-config\.php|master\.key)$/i,
  /^(credentials?|secrets?|passwords?|tokens?|api[-_]?keys?)(\.(json|ya?ml|toml|txt|env|ini|csv|xml|properties))?$/i,
  /^(service[-_]?account|client[-_]secrets?|gcp[-_]key|firebase-adminsdk).*\.json$/i,
]

/** Names that look like secrets and are templates or public halves. */
const harmlessNames: readonly RegExp[] = [
  /^\.env\.(example|sample|template|dist|defaults?|schema)$/i,
  /^(example|sample|template)\.env$/i,
  /\.pub$/i,
]

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
  return (
    secretNames.some((pattern) => pattern.test(name)) && !harmlessNames.some((pattern) => pattern.test(name))
  )
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
