import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseEnv } from 'node:util'
import { describe, expect, test } from 'vitest'
import { banner, tunnelLine } from '../../cli/banner.ts'
import { checkSettings, wrongSettings } from '../../cli/checkSettings.ts'
import { allSettings, strangeSettings } from '../../cli/strangeSettings.ts'
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
  ['SKYNET_CHAT_PER_MINUTE', '0', /whole number from 1/],
  ['SKYNET_EXTERNAL_SKILL_URLS', 'http://a.example/SKILL.md', /https:\/\//],
  ['SKYNET_SKILL_HOSTS', 'localhost', /names of hosts/],
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
  ['SKYNET_APPROVAL_QUORUM', '0', /a whole number from 1 to 9/],
  ['SKYNET_FOUR_EYES', 'yes', /true or false/],
  ['SKYNET_MEMORY_ENABLED', 'yes', /true or false/],
  ['SKYNET_MEMORY_MAX', '3', /100/],
  ['SKYNET_EMBEDDINGS', 'claude', /auto/],
  ['SKYNET_UNREACHABLE_AFTER', 'soon', /90s, 10m, 24h or 7d/],
  ['SKYNET_KEEP_EVENTS', '90', /90s, 10m, 24h or 7d/],
  ['SKYNET_KEEP_LOGS', 'forever', /90s, 10m, 24h or 7d/],
  ['SKYNET_ARCHIVE_AFTER', '-1d', /90s, 10m, 24h or 7d/],
  ['SKYNET_MAX_EVENTS_MB', '0', /whole number from 1/],
  ['SKYNET_MAX_LOGS_MB', '2GB', /whole number from 1/],
  ['SKYNET_MAX_ARCHIVE_MB', '1.5', /whole number from 1/],
  ['SKYNET_LOG_LEVEL', 'loud', /error, warn, info or debug/],
  ['SKYNET_AGENT_ID', 'laptop', /UUID/],
  ['SKYNET_AGENT_NAME', 'x'.repeat(65), /at most 64 characters/],
  ['SKYNET_AGENT_ROOTS', 'work', /absolute directories/],
  ['SKYNET_AGENT_CREDENTIAL', 'short', /at least 16 characters/],
  ['SKYNET_CONTROL_KEY', 'x'.repeat(300), /public key/],
  ['SKYNET_AGENT_SANDBOX', 'yes', /auto, required or off/],
  ['SKYNET_AGENT_READABLE', 'work', /absolute directories/],
  ['SKYNET_AGENT_MAX_PROCESSES', '3', /a whole number from 16/],
  ['SKYNET_AGENT_MAX_MEMORY_MB', '0', /a whole number from 1/],
  ['SKYNET_AGENT_MAX_FILE_MB', '2GB', /a whole number from 1/],
  ['SKYNET_RECOVERY', 'on', /auto, retry or off/],
  ['SKYNET_RECOVERY_TRIES', '0', /a whole number from 1/],
  ['SKYNET_RECOVERY_BUDGET', 'much', /a whole number from 0/],
  ['SKYNET_RECOVERY_TIME', '60', /90s, 10m, 24h or 7d/],
  ['AI_PROVIDER_PRIORITY', 'gemini,skynet', /comma-separated list of gemini/],
  ...['CONVERSATION', 'QUICK', 'BALANCED', 'HEAVY', 'CODE'].map((need): [string, string, RegExp] => [
    `AI_MODELS_${need}`,
    'gpt-5',
    /provider:model/,
  ]),
  ['AI_PRICES', 'openai:gpt=cheap', /provider:model=in\/out/],
  ['AI_DAILY_TOKENS', 'many', /a whole number of tokens, or off/],
  ['AI_DAILY_USD', '-1', /US dollars such as/],
  ['AI_RUN_TOKENS', '0', /a whole number of tokens, or off/],
  ['AI_RUN_USD', 'two', /US dollars such as/],
  ['AI_TIMEOUT', '60', /90s, 10m, 24h or 7d/],
  ['AI_HEDGE_AFTER', 'never', /90s, 10m, 24h or 7d/],
  ['AI_CACHE_FOR', 'long', /90s, 10m, 24h or 7d/],
  ['OLLAMA_MEMORY_MB', '8GB', /a whole number from 1/],
  ['OLLAMA_KEEP_ALIVE', '5', /90s, 10m, 24h or 7d/],
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

describe('what looks like a setting and is none', () => {
  test.each([
    ['TELEGRAM_BOT_TOKN', 'TELEGRAM_BOT_TOKEN'],
    ['TELEGAM_BOT_TOKEN', 'TELEGRAM_BOT_TOKEN'],
    ['SKYNET_HTP_PORT', 'SKYNET_HTTP_PORT'],
    ['SKYNET_AGENT_ROOT', 'SKYNET_AGENT_ROOTS'],
    ['DATABASE_URI', 'DATABASE_URL'],
    ['GEMINI_API_KEY', 'GOOGLE_AI_API_KEY'],
    ['CLAUDE_API_KEY', 'ANTHROPIC_API_KEY'],
    ['AI_PROVIDER_PRIORTY', 'AI_PROVIDER_PRIORITY'],
  ])('%s was meant for %s', (name, meant) => {
    expect(strangeSettings({ [name]: 'x' }, '')).toEqual([`${name} is no setting; did you mean ${meant}?`])
    expect(strangeSettings({ [name]: 'x' }, `${name}=x\n`)).toEqual([
      `${name} in .env is no setting; did you mean ${meant}?`,
    ])
  })

  test('what others put into an environment is left alone, and a name that is near a setting that is set', () => {
    const theirs = {
      PATH: '/bin',
      OPENAI_ORG_ID: 'x',
      REDIS_HOST: 'x',
      CLAUDE_CONFIG_DIR: 'x',
      npm_config_x: '1',
    }
    expect(strangeSettings(theirs, '')).toEqual([])
    expect(strangeSettings({ GEMINI_API_KEY: 'x', GOOGLE_AI_API_KEY: 'x' }, '')).toEqual([])
  })

  test('in .env every name is ours, small letters included', () => {
    expect(strangeSettings({}, 'MY_OWN=1\ntelegram_bot_token=x\nSKYNET_HTTP_PORT=1\n')).toEqual([
      'MY_OWN in .env is no setting that this version reads',
      'telegram_bot_token in .env is no setting; did you mean TELEGRAM_BOT_TOKEN?',
    ])
  })

  test('lines of .env that set nothing are named by their number, without what stands in them', () => {
    const file = `# a comment\n\nexport SKYNET_HTTP_PORT = 1\nDATABASE_URL="a\nb"\n${token}\nTELEGRAM_BOT_TOKEN: ${token}\n`
    const lines = strangeSettings({}, file)
    expect(lines).toEqual([6, 7].map((n) => `line ${n} of .env sets nothing; a setting is NAME=value`))
  })

  test('.env.example has none', () => {
    expect(
      strangeSettings({}, readFileSync(join(import.meta.dirname, '../../.env.example'), 'utf8')),
    ).toEqual([])
  })
})

test('all that is wrong can be named at once, each once', () => {
  const lines = wrongSettings({
    SKYNET_HTTP_PORT: 'eighty',
    SKYNET_GATEWAY_PORT: 'x',
    SKYNET_LOG_LEVEL: 'loud',
    AI_PROVIDER_PRIORITY: 'skynet',
  })
  expect(lines.map((line) => line.split(':')[0]).sort()).toEqual([
    'AI_PROVIDER_PRIORITY',
    'SKYNET_GATEWAY_PORT',
    'SKYNET_HTTP_PORT',
    'SKYNET_LOG_LEVEL',
  ])
  expect(wrongSettings({})).toEqual([])
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
    botTrouble: null,
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
    expect(text).toContain('your bot on Telegram')
  })

  test('a bot that Telegram does not let in is no chat', () => {
    const settings = checkSettings({ ...real, HOME: '/home/me' })
    const botTrouble = 'Telegram cannot be reached at api.telegram.org (ENOTFOUND); trying again.'
    const urls = { ...facts.urls, page: null }
    const text = banner({ ...facts, settings, urls, botTrouble, missing: ['bot: starting'] }, {}, 'me')
    expect(text).toMatch(/Chat +not yet: Telegram cannot be reached/)
    expect(text).not.toContain('your bot on Telegram')
  })
})
