import type { Env } from './settings.ts'

const secretName = /(?:_KEY|_TOKEN|_PASSWORD|_PASSWD|_SECRET|_CREDENTIALS?|_PASSPHRASE)$/i
const minLength = 8

/** The password in an address such as `postgres://user:password@host`, as written and as meant; nothing where none is. */
function passwordsIn(value: string): string[] {
  const written = /^[a-z][a-z0-9+.-]*:\/\/[^\s:/@]*:([^\s/]+)@/i.exec(value)?.[1]
  if (!written) return []
  try {
    return [written, decodeURIComponent(written)]
  } catch {
    return [written]
  }
}

/** Values of settings that are secret by their name, and passwords in addresses of any setting. Pure. */
export function secretSettings(env: Env): string[] {
  const values = Object.entries(env).flatMap(([name, value = '']) => [
    ...(secretName.test(name) ? [value] : []),
    ...passwordsIn(value),
  ])
  return [...new Set(values)].filter((value) => value.length >= minLength)
}
