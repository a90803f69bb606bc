import { assigned, authorization, bearer, cookies, type Look, urlPassword } from './assignments.ts'
import { mysqlPassword, netrc, sshpass, tagged, userOption } from './commandSecrets.ts'
import { newerFormats } from './newerFormats.ts'
import { keyBegins, keyEnds } from './privateKey.ts'
import { PRIVATE_KEY, RANK } from './spans.ts'
import { around, token, type Watch } from './watch.ts'

/** A private key, over as many lines as it has. */
const privateKey: Look = (text, start) => {
  const from = keyBegins(text, start)
  return from < 0 ? null : { start, end: keyEnds(text, from).end, kind: PRIVATE_KEY, rank: RANK.format }
}

/** A bot's token: the word found is the colon and what every one of them has behind it. A longer number is cut. */
const telegram = around('telegram token', /\d{8,10}$/, /^[A-Za-z0-9_-]{33}(?![A-Za-z0-9_-])/)

/**
 * What the maintained rules leave out: shapes of tokens from their makers' documentation, and values behind names
 * that speak of secrets.
 */
export const watches: readonly Watch[] = [
  { words: ['-----begin '], look: privateKey },
  { words: [':AA'], look: telegram },
  token('aws key', ['AKIA', 'ASIA', 'ABIA', 'ACCA'], /(?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{16}(?![A-Za-z0-9])/),
  token('github token', ['ghp_', 'gho_', 'ghu_', 'ghs_', 'ghr_'], /gh[pousr]_[A-Za-z0-9_]{36,255}/),
  token('github token', ['github_pat_'], /github_pat_[A-Za-z0-9_]{22,255}/),
  token(
    'gitlab token',
    ['glpat-', 'gldt-', 'glrt-', 'glptt-', 'glcbt-', 'glsoat-', 'glffct-'],
    /gl[a-z]{2,5}-[A-Za-z0-9_.-]{20,300}/,
  ),
  token('api key', ['sk-'], /sk-[A-Za-z0-9_-]{20,300}/, true),
  token(
    'api key',
    ['xai-', 'pplx-', 'tvly-', 'nvapi-', 'csk-'],
    /(?:xai|pplx|tvly|nvapi|csk)-[A-Za-z0-9_-]{20,200}/,
    true,
  ),
  token(
    'api key',
    ['r8_', 'fw_', 'pul-', 'pscale_tkn_', 'dop_v1_', 'doo_v1_', 'sntrys_', 'sntryu_'],
    /(?:r8_|fw_|pul-|pscale_tkn_|do[op]_v1_|sntry[su]_)[A-Za-z0-9_=+/.-]{20,300}/,
    true,
  ),
  token('google key', ['AIza'], /AIza[A-Za-z0-9_-]{35}/),
  token(
    'google token',
    ['ya29.', 'GOCSPX-', '1//0'],
    /(?:ya29\.[A-Za-z0-9_-]{20,1000}|GOCSPX-[A-Za-z0-9_-]{20,60}|1\/\/0[A-Za-z0-9_-]{30,200})/,
  ),
  token('groq key', ['gsk_'], /gsk_[A-Za-z0-9]{20,200}/),
  token(
    'slack token',
    ['xoxa', 'xoxb', 'xoxc', 'xoxd', 'xoxe', 'xoxo', 'xoxp', 'xoxr', 'xoxs', 'xapp-'],
    /(?:xox[a-z]|xapp)[-.][A-Za-z0-9%.-]{10,300}/,
  ),
  token('npm token', ['npm_'], /npm_[A-Za-z0-9]{36}(?![A-Za-z0-9_])/),
  token('pypi token', ['pypi-'], /pypi-AgE[A-Za-z0-9_-]{30,300}/),
  token(
    'stripe key',
    ['sk_live_', 'sk_test_', 'rk_live_', 'rk_test_', 'whsec_'],
    /(?:[sr]k_(?:live|test)|whsec)_[A-Za-z0-9+/=]{16,200}/,
  ),
  token(
    'mail key',
    ['xkeysib-', 'SG.'],
    /(?:xkeysib-[a-f0-9]{64}-[A-Za-z0-9]{16}|SG\.[\w-]{16,32}\.[\w-]{16,64})/,
  ),
  token('age key', ['AGE-SECRET-KEY-1'], /AGE-SECRET-KEY-1[A-Z0-9]{58}/),
  token('jwt', ['eyJ'], /eyJ[A-Za-z0-9_-]{8,4096}\.eyJ[A-Za-z0-9_-]{8,8192}\.[A-Za-z0-9_-]{8,2048}/),
  token(
    'webhook',
    ['hooks.slack.com/', 'discord.com/api/webhooks/', 'discordapp.com/api/webhooks/'],
    /[a-z.]{10,20}\/(?:(?:services|workflows)\/[\w/-]{20,120}|api\/webhooks\/\d{15,22}\/[\w-]{40,100})/,
  ),
  token(
    'api key',
    ['NRAK-', 'nfp_', 'sbp_', 'ntn_', 'HRKU-', 'rubygems_', 'CCIPAT_', 'sq0atp-', 'sq0csp-', 'phx_', 'fm2_'],
    /(?:NRAK-|nfp_|sbp_|ntn_|HRKU-|rubygems_|CCIPAT_|sq0(?:atp|csp)-|phx_|fm2_)[A-Za-z0-9_=+/-]{20,800}/,
    true,
  ),
  token(
    'doppler token',
    ['dp.'],
    /dp\.(?:pt|st|ct|sa|scim|audit)\.(?:[\w-]{1,40}\.)?[A-Za-z0-9]{40,44}(?![A-Za-z0-9])/,
  ),
  token('atlassian token', ['ATATT3', 'ATCTT3', 'ATBB'], /AT(?:ATT3|CTT3|BB)[A-Za-z0-9_=-]{24,400}/, true),
  token('meta token', ['EAA'], /EAA[A-Za-z0-9]{80,400}(?![A-Za-z0-9])/, true),
  ...newerFormats,
  token('mailgun key', ['key-'], /key-[0-9a-f]{32}(?![A-Za-z0-9])/),
  token('twilio key', ['SK'], /SK[0-9a-f]{32}(?![A-Za-z0-9])/),
  { words: [' -u', '--user'], look: userOption },
  { words: ['sshpass'], look: sshpass },
  { words: ['mysql', 'mariadb'], look: mysqlPassword },
  { words: ['password'], look: netrc },
  { words: ['password', 'passwd', 'passphrase', 'secret', 'token', 'apikey', 'api_key'], look: tagged },
  { words: ['://'], look: urlPassword },
  { words: ['bearer'], look: bearer },
  { words: ['authorization'], look: authorization },
  { words: ['cookie'], look: cookies },
  { words: ['password', 'passwd', 'passphrase', '_pass', 'dbpass', '_pwd', '.pwd'], look: assigned(true) },
  {
    words: [
      'secret',
      'token',
      'api_key',
      'apikey',
      'api-key',
      'access_key',
      'accesskey',
      'access-key',
      'account_key',
      'accountkey',
      'private_key',
      'privatekey',
      'private-key',
      'signing_key',
      'encryption_key',
      'master_key',
      'auth_key',
      'sharedaccesskey',
      'credential',
      '_auth',
      'pwd',
      'passcode',
      'signature',
      '_key',
      'webhook_url',
    ],
    look: assigned(false),
  },
]
