import type { Fact } from '../facts.ts'
import type { PolicyContext } from '../verdict.ts'

/** What code in any language should not say. Finding nothing means nothing: code is never allowed for that. */
const signs: readonly (readonly [RegExp, string])[] = [
  [
    /\brm\s{1,9}(-[\w-]{1,20}\s{1,9}){0,6}-\w{0,12}[rR][\w-]{0,20}\s{1,9}(-[\w-]{0,20}\s{1,9}){0,6}["']?(\/|~|\$HOME)(["'*\s;)&|]|$)/,
    'floor.delete-root',
  ],
  [/["']rm["']\s*,.{0,80}["']-\w{0,9}r\w{0,9}["'].{0,80}["'](\/|~|\/\*)["']/, 'floor.delete-root'],
  [
    /(rmtree|rm_rf|rm_r|removeSync|rmSync|rmdirSync|rmdir|rimraf|remove_dir_all|RemoveAll|remove_entry_secure|File::Path)[^\n]{0,40}["'](\/|~|\/(etc|usr|bin|home|boot|lib|var|root|Users)\/?)["']/,
    'floor.delete-root',
  ],
  [/--no-preserve-root/, 'floor.delete-root'],
  [/\b(mkfs(\.\w+)?|wipefs|blkdiscard)\b\s+\S*\/dev\//, 'floor.raw-device'],
  [/\/dev\/(sd[a-z]|nvme\d|vd[a-z]|hd[a-z]|mmcblk\d|disk\d|rdisk\d)/, 'floor.raw-device'],
  [/\/etc\/(g?shadow|sudoers)\b|\/etc\/master\.passwd/, 'floor.credentials'],
  [
    /\.ssh\/(id_\w+|identity|\*)|\.aws\/credentials|\.gnupg\/|\.git-credentials|(^|[/"'\s])\.netrc\b|\.config\/gcloud|\.kube\/config|Keychains\//,
    'floor.credentials',
  ],
  [/authorized_keys/, 'floor.login'],
  [
    /\/dev\/(tcp|udp)\/|pty\.spawn|socket[\s\S]{0,300}(dup2|subprocess|exec[lv]?p?e?\(|\/bin\/(ba)?sh)/,
    'floor.reverse-shell',
  ],
  [/:\(\)\s*\{\s*:\s*\|\s*:\s*&\s*\}/, 'floor.fork-bomb'],
  [
    /(while|for|loop|until)\b[^\n]{0,30}\bfork\b|fork\s{0,9}(\(\))?\s{0,9}while|while[^\n]{0,60}os\.fork\(\)/,
    'floor.fork-bomb',
  ],
  [/(curl|wget)\b[^|\n;]{0,300}\|\s{0,9}(sudo\s{1,9})?(ba|z|da|k)?sh\b/, 'floor.pipe-to-shell'],
  [/\bkill\s+-(9|KILL|SIGKILL)\s+-1\b|\bos\.kill\(\s*-1|process\.kill\(\s*-1/, 'floor.kill-all'],
  [/["'\s](shutdown|poweroff|halt|reboot)(\s{1,9}(-\w{1,9}|now|\+\d{1,9})){0,4}["']/, 'floor.shutdown'],
]

/** Looks through a program's text for what is denied anywhere. */
export function scanCode(text: string, context: PolicyContext): Fact[] {
  const denied = context.denyPaths?.some((path) => path !== '' && text.includes(path))
    ? [{ effect: 'floor.skynet-data' }]
    : []
  return [...denied, ...signs.filter(([sign]) => sign.test(text)).map(([, effect]) => ({ effect }))]
}
