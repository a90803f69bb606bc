import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseEnv } from 'node:util'
import { describe, expect, test } from 'vitest'
import { banner, tunnelLine } from '../../cli/banner.ts'
import { checkSettings } from '../../cli/checkSettings.ts'
import { allSettings } from '../../cli/doctor/checkSettingsFile.ts'
import { readModelSettings } from '../../core/config/model.ts'
import { ConfigError, type Env } from '../../core/config/settings.ts'

const token = '123456789:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA'
const real = { TELEGRAM_BOT_TOKEN: token }

/** A wrong value for each setting that can have one, with what its line says it takes. */
const wrongValues: [name: string, value: string, takes: RegExp, others?: Env][] = [
  ['TELEGRAM_BOT_TOKEN', 'my-bot', /token BotFather gave/],
  ['TELEGRAM_API_ROOT', 'telegram.org', /https?:\/\//],
  ['TELEGRAM_OWNER_IDS', '@ana', /numeric Telegram user ids/],
  ['TELEGRAM_WEBHOOK_URL', 'example.com/hook', /https:\/\//],
  ['TELEGRAM_WEBHOOK_SECRET', 'short', /16 to 256 letters/],
  [
    'TELEGRAM_WEBHOOK_SECRET',
    '',
    /16 to 256 letters/,
    { ...real, TELEGRAM_WEBHOOK_URL: 'https://x.example/' },
  ],
  ['SKYNET_WEBHOOK_PORT', '70000', /0 to 65535/],
  ['DATABASE_URL', 'mysql://x/y', /postgresql:\/\//],
  ['REDIS_URL', 'localhost', /redis:\/\//],
  ['SKYNET_HTTP_PORT', 'eighty', /0 to 65535/],
  ['SKYNET_PLAYGROUND_PORT', '-1', /0 to 65535/],
  ['SKYNET_API_TOKEN', 'short', /at least 16 characters/],
  ['SKYNET_GATEWAY_TOKEN', 'short', /at least 16 characters/],
  ['SKYNET_GATEWAY_API_TOKEN', 'short', /at least 16 characters/],
  ['SKYNET_GATEWAY_PORT', '8766x', /0 to 65535/],
  ['SKYNET_GATEWAY_NAME', 'x'.repeat(65), /at most 64 characters/],
  ['SKYNET_GATEWAY_URL', '192.168.1.10:8766', /http:\/\//],
  ['SKYNET_API_URL', 'ftp://x', /http:\/\//],
  ['SKYNET_APPROVAL_TTL', '24', /90s, 10m, 24h or 7d/],
  ['SKYNET_UNREACHABLE_AFTER', 'soon', /90s, 10m, 24h or 7d/],
  ['SKYNET_LOG_LEVEL', 'loud', /error, warn, info or debug/],
  ['SKYNET_AGENT_ID', 'laptop', /UUID/],
  ['SKYNET_AGENT_NAME', 'x'.repeat(65), /at most 64 characters/],
  ['SKYNET_AGENT_ROOTS', 'work', /absolute directories/],
  ['SKYNET_AGENT_CREDENTIAL', 'short', /at least 16 characters/],
  ['SKYNET_CONTROL_KEY', 'x'.repeat(300), /public key/],
  ['SKYNET_AGENT_SANDBOX', 'yes', /auto, required or off/],
  ['AI_PROVIDER_PRIORITY', 'gemini,skynet', /comma-separated list of gemini/],
  ...['GEMINI', 'GROQ', 'OPENROUTER', 'DEEPSEEK', 'OPENAI', 'CLAUDE', 'OLLAMA'].map(
    (name): [string, string, RegExp] => [`${name}_BASE_URL`, 'localhost', /http:\/\//],
  ),
]
/** Any text will do for these; what it names is looked for when it is used. */
const anyText = /_DIR$|_FILE$|_HOST$|_API_KEY$|_MODELS?$|^SKYNET_PARENT_STDIN$/

const secret = /TOKEN|SECRET|KEY|CREDENTIAL|_URL/

describe('settings', () => {
  test.each(wrongValues)('%s does not take %j', (name, value, takes, others = {}) => {
    let told: unknown
    try {
      checkSettings({ ...others, [name]: value })
    } catch (error) {
      told = error
    }
    expect(told).toBeInstanceOf(ConfigError)
    const { message } = told as ConfigError
    expect(message).toMatch(new RegExp(`^${name}: got .+; .*it takes .+\\.$`))
    expect(message).not.toContain('\n')
    expect(message).toMatch(takes)
    if (value !== '' && secret.test(name)) expect(message).not.toContain(value)
    else if (value !== '') expect(message).toContain(value.slice(0, 20))
  })

  test('each that can be wrong is in the table above', () => {
    const tried = new Set(wrongValues.map(([name]) => name))
    expect([...allSettings].filter((name) => !tried.has(name) && !anyText.test(name))).toEqual([])
  })
})

describe('.env.example', () => {
  const example = parseEnv(readFileSync(join(import.meta.dirname, '../../.env.example'), 'utf8')) as Env

  test('lists exactly the settings that are read', () => {
    const internal = ['SKYNET_PARENT_STDIN']
    expect(Object.keys(example).sort()).toEqual([...allSettings].filter((s) => !internal.includes(s)).sort())
  })

  test('gives each its default: a copy of it changes nothing', () => {
    const home = { HOME: '/home/me' }
    expect(checkSettings({ ...example, ...home })).toEqual(checkSettings(home))
    const keys = Object.fromEntries(
      Object.keys(example).flatMap((name) => (/_API_KEY$/.test(name) ? [[name, 'k']] : [])),
    )
    const withKeys = { ...keys, OLLAMA_BASE_URL: 'http://localhost:11434' }
    expect(readModelSettings({ ...example, ...withKeys })).toEqual(readModelSettings(withKeys))
  })
})

describe('what the start prints', () => {
  const facts = {
    urls: { api: 'http://127.0.0.1:8080', page: 'http://127.0.0.1:8081/open?key=abc', gateway: '' },
    settings: checkSettings({ HOME: '/home/me' }),
    pairing: null,
    ready: '1.2 s',
    missing: [],
  }

  test('names the chat page, the API, the data, and how to stop', () => {
    const text = banner(facts, {}, 'me')
    expect(text).toContain('SKYNET is ready (1.2 s)')
    expect(text).toContain('http://127.0.0.1:8081/open?key=abc')
    expect(text).toContain('http://127.0.0.1:8080/v1')
    expect(text).toContain('/home/me/.local/share/skynet')
    expect(text).toContain('TELEGRAM_BOT_TOKEN')
    expect(text).toContain('Ctrl+C')
    expect(text).not.toContain('ssh')
  })

  test('adds the tunnel when it is started over SSH', () => {
    const env = { SSH_CONNECTION: '203.0.113.9 50111 192.0.2.7 22' }
    expect(banner(facts, env, 'me')).toContain('ssh -L 8081:127.0.0.1:8081 me@192.0.2.7')
    expect(tunnelLine({ SSH_CONNECTION: '203.0.113.9 50111 192.0.2.7 2222' }, 8081, 'me')).toBe(
      'ssh -L 8081:127.0.0.1:8081 -p 2222 me@192.0.2.7',
    )
    expect(tunnelLine({}, 8081, 'me')).toBeNull()
  })

  test('with a real bot: the code that makes an owner, and what does not answer yet', () => {
    const settings = checkSettings({ ...real, HOME: '/home/me' })
    const urls = { ...facts.urls, page: null }
    const text = banner(
      { ...facts, settings, urls, pairing: 'ABCD-EFGH', missing: ['agent: none'] },
      {},
      'me',
    )
    expect(text).toContain('/pair ABCD-EFGH')
    expect(text).toContain('but: agent: none')
    expect(text).not.toContain(token)
  })
})
