import { scanCode } from '../describe/scanCode.ts'
import type { Fact, Finding } from '../facts.ts'
import type { PolicyContext } from '../verdict.ts'

/** What cmd and PowerShell should not say. Anything else is asked: these languages are not read here. */
const destructive: readonly (readonly [RegExp, string])[] = [
  [
    /\b(del|erase|rd|rmdir)\b[^\n]*\/s[^\n]*(?:[a-z]:[\\/]?(?:\*|["'\s]|$)|[a-z]:[\\/](windows|users|program files|programdata)|%(systemroot|userprofile|windir|homepath|systemdrive)%|\\\*)/i,
    'floor.delete-root',
  ],
  [
    /\b(remove-item|rm|ri|del|rd|rmdir|erase)\b(?=[^\n]*\s-r)[^\n]*(?:[a-z]:[\\/]?(?:\*|["'\s]|$)|[a-z]:[\\/](windows|users|program files|programdata)|\$(home|env:(systemroot|userprofile|windir|systemdrive|programfiles))|~|\s[\\/](\*|\s|$))/i,
    'floor.delete-root',
  ],
  [
    /(^|[\s;&|("'])(format|format\.com)\s+[a-z]:|\b(format-volume|clear-disk|initialize-disk|remove-partition|diskpart|cipher\s+\/w|bcdedit|bootrec|vssadmin\s+delete|wbadmin\s+delete)\b/i,
    'floor.raw-device',
  ],
  [
    /\b(shutdown(\.exe)?\s+[/-]|stop-computer|restart-computer|rundll32[^\n]*(shutdown|exitwindows))/i,
    'floor.shutdown',
  ],
  [
    /\b(iwr|irm|invoke-webrequest|invoke-restmethod|curl|wget|downloadstring|downloadfile|start-bitstransfer|certutil[^\n]*urlcache|bitsadmin|net\.webclient)\b[^\n]*\|?[^\n]*\b(iex|invoke-expression|start-process|powershell|cmd)\b|\b(iex|invoke-expression)\b[^\n]*\b(iwr|irm|invoke-webrequest|invoke-restmethod|downloadstring|net\.webclient)\b|\bmshta\b|\bregsvr32\b[^\n]*http/i,
    'floor.pipe-to-shell',
  ],
  [
    /\b(powershell|pwsh)(\.exe)?\b[^\n]*\s-e(nc|ncodedcommand|c)?\s+[a-z0-9+/=]{16,}|frombase64string/i,
    'floor.hidden-code',
  ],
  [
    /\b(reg(\.exe)?\s+(save|export)\s+hk(lm|ey_local_machine)\\(sam|system|security)|ntds\.dit|mimikatz|lsass|\\config\\sam\b|cmdkey\s+\/list|vaultcmd)/i,
    'floor.credentials',
  ],
  [/\breg(\.exe)?\s+delete\s+hk(lm|cr|ey_)|\bremove-item\w*\s+[^\n]*hk(lm|cu):/i, 'floor.system-file'],
  [
    /\b(net(\.exe)?\s+(user|localgroup)\b[^\n]*\/(add|delete)|(remove|new|disable)-localuser|add-localgroupmember)/i,
    'floor.accounts',
  ],
  [
    /\b(netsh\s+(adv)?firewall\b[^\n]*(off|disable|reset)|set-mppreference\b[^\n]*disable|set-netfirewallprofile\b[^\n]*false|sc(\.exe)?\s+(stop|delete|config)\s+(windefend|mpssvc)|set-executionpolicy)/i,
    'floor.protection',
  ],
  [
    /\b(taskkill|stop-process|stop-service|sc(\.exe)?\s+(stop|delete)|net\s+stop)\b[^\n]*skynet/i,
    'floor.disable-agent',
  ],
  [/%0\s*\|\s*%0|\bgoto\b[^\n]*start\b[^\n]*%0/i, 'floor.fork-bomb'],
  [/\b(takeown|icacls|cacls)\b[^\n]*[a-z]:[\\/]?(windows|\s|"|$)/i, 'floor.mode-system'],
]

/** cmd and PowerShell are never allowed: what is known to destroy is denied, all else asks. */
export function readWindows(command: string, context: PolicyContext): Finding[] {
  const bare = command.slice(0, 40_000).replace(/[\^`"]/g, '')
  const known: Fact[] = destructive
    .filter(([sign]) => sign.test(bare) || sign.test(command.slice(0, 40_000)))
    .map(([, effect]) => ({ effect }))
  const denied = context.denyPaths?.some((path) => bare.toLowerCase().includes(path.toLowerCase()))
    ? [{ effect: 'floor.skynet-data' }]
    : []
  return [
    {
      text: command,
      facts: [
        { effect: 'shell.windows', network: true },
        ...denied,
        ...known,
        ...scanCode(bare.replaceAll('\\', '/'), context),
      ],
    },
  ]
}

/** Windows paths in the form the judge compares: `C:\Work` is `/c:/work`. Other platforms stay as they are. */
export function asPosix(context: PolicyContext, path: string): { context: PolicyContext; local: string } {
  if (context.platform !== 'win32') return { context, local: path }
  const { denyPaths = [] } = context
  const whole = {
    ...context,
    cwd: absolute(context.cwd),
    home: absolute(context.home),
    roots: context.roots.map(absolute),
    denyPaths: denyPaths.map(absolute),
  }
  const slashed = path.replaceAll('\\', '/')
  return { context: whole, local: /^([A-Za-z]:|\/)/.test(slashed) ? absolute(path) : slashed.toLowerCase() }
}

function absolute(path: string): string {
  const slashed = path.replaceAll('\\', '/').toLowerCase()
  return slashed.startsWith('/') ? slashed : `/${slashed}`
}
