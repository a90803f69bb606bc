import type { Fact, Invocation } from '../facts.ts'
import { change } from '../programs/change.ts'
import { containers } from '../programs/containers.ts'
import { look } from '../programs/look.ts'
import { network } from '../programs/network.ts'
import { spreadNames } from '../programs/program.ts'
import { HOLE, hasGlob, hasHole } from '../shell/marks.ts'
import { describeByTable, type Label, pathFacts } from './describeByTable.ts'
import { describeLook } from './describeLook.ts'
import type { Describe } from './describeRunners.ts'
import { sweepForFloor } from './describeRunners.ts'

const table = new Map([
  ...spreadNames(look),
  ...spreadNames(change),
  ...spreadNames(containers),
  ...spreadNames(network),
])

/** Programs whose only use is to end or wipe the machine, or its accounts and protection. */
const floorPrograms: readonly (readonly [RegExp, string])[] = [
  [/^(shutdown|reboot|poweroff|halt|systemctl-poweroff)$/, 'floor.shutdown'],
  [
    /^(mkfs(\..+)?|mke2fs|mkswap|wipefs|blkdiscard|newfs(_.+)?|format|diskpart|fdformat|mkntfs|mkdosfs|badblocks)$/,
    'floor.raw-device',
  ],
  [/^(userdel|deluser|groupdel|delgroup|luserdel|killall5)$/, 'floor.accounts'],
]

/** Programs of the machine that need more than a table. Null: not one of these. */
export function describeMachine(name: string, invocation: Invocation, describe: Describe): Fact[] | null {
  const args = invocation.argv.slice(1)
  const label: Label = { program: name, options: args.filter((arg) => arg.startsWith('-')) }
  const floor = floorPrograms.find(([pattern]) => pattern.test(name))
  if (floor)
    return [{ ...label, effect: args.some((arg) => /^(--help|--version)$/.test(arg)) ? 'info' : floor[1] }]
  const more = extra(name, args, label, invocation, describe)
  if (!more) return null
  const program = table.get(name)
  return program ? [...describeByTable(program, args, label, invocation), ...more] : more
}

function extra(
  name: string,
  args: readonly string[],
  label: Label,
  invocation: Invocation,
  describe: Describe,
): Fact[] | null {
  switch (name) {
    case 'dd':
      return ddFacts(args, label, invocation)
    case 'kill':
    case 'pkill':
    case 'killall':
      return killFacts(name, args, label)
    case 'init':
    case 'telinit':
      return [{ ...label, effect: /^[0-6sS]$/.test(args[0] ?? '') ? 'floor.shutdown' : 'system.admin' }]
    case 'systemctl':
    case 'service':
    case 'launchctl':
      return serviceFacts(args, label)
    case 'fdisk':
    case 'sfdisk':
    case 'gdisk':
    case 'sgdisk':
    case 'parted':
    case 'cfdisk':
    case 'cryptsetup':
    case 'hdparm':
    case 'nvme':
      return diskFacts(args, label)
    case 'diskutil':
      return args.some((arg) => /^(erase|zero|secureErase|partition|reformat|deleteVolume|apfs)/i.test(arg))
        ? [{ ...label, effect: 'floor.raw-device' }]
        : []
    case 'iptables':
    case 'ip6tables':
    case 'nft':
    case 'ufw':
    case 'pfctl':
    case 'firewall-cmd':
    case 'setenforce':
    case 'csrutil':
    case 'spctl':
      return protectionFacts(args, label)
    case 'passwd':
    case 'usermod':
    case 'chpasswd':
    case 'visudo':
      return name === 'passwd' && args.length === 0 ? [] : [{ ...label, effect: 'floor.accounts' }]
    case 'sysctl':
      return args.some(
        (arg) => /^kernel\.(sysrq|core_pattern|modprobe|randomize)/.test(arg) && arg.includes('='),
      )
        ? [{ ...label, effect: 'floor.system-file' }]
        : []
    case 'umount':
      return args.some((arg) => /^-\w*[al]/.test(arg) || arg === '/')
        ? [{ ...label, effect: 'floor.system-file' }]
        : []
    case 'docker':
    case 'podman':
    case 'nerdctl':
      return containerFacts(args, label, invocation)
    case 'curl':
    case 'wget':
      return urlFacts(args, label, invocation)
    case 'rsync':
      return syncFacts(args, label, invocation)
    case 'nc':
    case 'ncat':
    case 'socat':
    case 'netcat':
      return args.some((arg) => /^(EXEC|SYSTEM|SHELL):|\bexec:|^-\w*[ec]$|^\/bin\/(ba)?sh$/i.test(arg))
        ? [{ ...label, effect: 'floor.reverse-shell', network: true }]
        : []
    case 'ssh':
    case 'mosh':
    case 'rsh':
    case 'pssh':
    case 'sshpass':
      return [
        { ...label, effect: 'network.remote', network: true },
        ...sweepForFloor(args, invocation, describe),
      ]
    case 'kubectl':
    case 'oc':
      return args.some((arg) => /secret/i.test(arg) || hasGlob(arg))
        ? [{ ...label, effect: 'secrets.keys', network: true }]
        : args.some((arg) => /-file\b/.test(arg))
          ? [{ ...label, effect: 'cluster.change', network: true }]
          : []
    case 'crontab':
      return args.includes('-l') ? [] : [{ ...label, effect: 'schedule.change' }]
    case 'at':
    case 'batch':
      return invocation.stdin.text === null ? [] : [...invocation.runText(invocation.stdin.text, {})]
    default:
      return describeLook(name, args, label, invocation)
  }
}

function ddFacts(args: readonly string[], label: Label, invocation: Invocation): Fact[] {
  return args.flatMap((arg) => {
    // bash expands a tilde there, other shells do not.
    const path = arg.slice(3).replace(/^~(?=\/|$)/, invocation.context.home)
    if (arg.startsWith('of=')) return pathFacts('write', path, label, invocation)
    if (arg.startsWith('if=')) return pathFacts('read', path, label, invocation)
    return hasHole(arg) ? [{ ...label, effect: 'shell.unknown-word' }] : []
  })
}

function killFacts(name: string, args: readonly string[], label: Label): Fact[] {
  const all =
    name === 'kill'
      ? args.some((arg, i) => arg === '-1' && (i > 0 || args[i + 1] === undefined)) && args.length > 1
      : args.some((arg) => /^(\.|\.\*|)$/.test(arg))
  const first =
    name === 'kill' && args.some((arg, i) => arg === '1' && (i === 0 || !/^-[sn]$/.test(args[i - 1] ?? '')))
  const agent = args.some((arg) => /skynet/i.test(arg))
  return all || first
    ? [{ ...label, effect: 'floor.kill-all' }]
    : agent
      ? [{ ...label, effect: 'floor.disable-agent' }]
      : []
}

function serviceFacts(args: readonly string[], label: Label): Fact[] {
  if (showsUnitEnvironment(args)) return [{ ...label, effect: 'secrets.environment' }]
  const stops = args.some((arg) =>
    /^(stop|disable|mask|kill|restart|unload|remove|bootout|isolate|revert|edit)$/.test(arg),
  )
  if (stops && args.some((arg) => /skynet/i.test(arg))) return [{ ...label, effect: 'floor.disable-agent' }]
  const ends = args.some((arg) =>
    /^(poweroff|reboot|halt|kexec|rescue|emergency|(poweroff|reboot|halt|rescue|emergency)\.target)$/.test(
      arg,
    ),
  )
  return ends && label.program === 'systemctl' ? [{ ...label, effect: 'floor.shutdown' }] : []
}

/** All properties of a unit have its environment among them. */
function showsUnitEnvironment(args: readonly string[]): boolean {
  const wanted = args.flatMap((arg, i) =>
    /^(-[pP]|--property)$/.test(arg) ? [args[i + 1] ?? ''] : /^(-[pP]|--property=)./.test(arg) ? [arg] : [],
  )
  return args.includes('show') && (wanted.length === 0 || wanted.some((name) => /env|exec|cred/i.test(name)))
}

function diskFacts(args: readonly string[], label: Label): Fact[] {
  const device = args.some((arg) => /^\/dev\//.test(arg) || hasHole(arg))
  const looks = args.some((arg) =>
    /^(-l|--list|-p|--print|print|list|-I|status|luksDump|id-ctrl|smart-log|-V|--version)$/.test(arg),
  )
  return device && !looks ? [{ ...label, effect: 'floor.raw-device' }] : []
}

function protectionFacts(args: readonly string[], label: Label): Fact[] {
  const drops = args.some((arg) =>
    /^(-F|--flush|-X|--delete-chain|flush|disable|reset|0|permissive|-d|-Fa|--master-disable|--panic-on|--remove-.*)$/i.test(
      arg,
    ),
  )
  return drops ? [{ ...label, effect: 'floor.protection' }] : []
}

function containerFacts(args: readonly string[], label: Label, invocation: Invocation): Fact[] {
  const open = args.some((arg) =>
    /^--(privileged(=true)?|pid=host|cap-add=(ALL|SYS_ADMIN)|device=.*|ipc=host|userns=host)$/i.test(arg),
  )
  const mounts = args.flatMap((arg, i) => {
    const next = args[i + 1] ?? ''
    const text = /^(-v|--volume|--mount)$/.test(arg)
      ? next
      : (/^(?:-v|--volume=|--mount=)(.+)$/.exec(arg)?.[1] ?? '')
    const source =
      /(?:^|,)(?:source|src)=([^,]+)/.exec(text)?.[1] ?? (text.includes('type=') ? '' : text.split(':')[0])
    return source && /^[/~.\u0000\u0003\u0006]/.test(source) ? [source] : []
  })
  const facts = mounts
    .flatMap((source) => pathFacts('mode-tree', source, label, invocation))
    .filter((fact) => fact.place !== 'inside' && fact.place !== 'root')
  const socket = mounts.some((source) => source.includes('docker.sock'))
  return [...(open || socket ? [{ ...label, effect: 'floor.container-escape' }] : []), ...facts]
}

/** `rsync --delete` empties its target of all that the source does not have. */
function syncFacts(args: readonly string[], label: Label, invocation: Invocation): Fact[] {
  const target = args.filter((arg) => !arg.startsWith('-')).at(-1)
  if (target === undefined || !args.some((arg) => /^--del/.test(arg)) || /^[^/]*:/.test(target)) return []
  return pathFacts('delete-tree', target, label, invocation)
}

/** `file:` addresses, and `@file` in what is sent. */
function urlFacts(args: readonly string[], label: Label, invocation: Invocation): Fact[] {
  return args.flatMap((arg, i) => {
    const local = /^file:\/*(\/.*)$/i.exec(arg)?.[1]
    if (local) return pathFacts('read', local, label, invocation)
    const joined =
      /^(?:--(?:data|form|json|url-query)[\w-]*=|-[dF])(.+)$/.exec(arg)?.[1] ??
      (/^(--data.*|--form.*|--json|-d|-F|--url-query)$/.test(args[i - 1] ?? '') ? arg : '')
    const file = /(?:^|=)[@<](.+?)(?:;.*)?$/.exec(joined)?.[1]
    return file === undefined ? [] : pathFacts('read', file === '-' ? '' : file || HOLE, label, invocation)
  })
}
