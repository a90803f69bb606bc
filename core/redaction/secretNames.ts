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

/** Whether a file of this name holds secrets, wherever it is. */
export const holdsSecrets = (name: string): boolean =>
  secretNames.some((pattern) => pattern.test(name)) && !harmlessNames.some((pattern) => pattern.test(name))
