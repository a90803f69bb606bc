/**
 * The system calls that a confined command may not make, as a program for the kernel's filter (seccomp, classic BPF).
 * Modelled on what container engines refuse by default: what changes mounts, modules or the clock, what reads other
 * processes' keys, what has often been a way up in the kernel. Numbers: the kernel's own tables.
 */

type Arch = { audit: number; call: (name: CallName) => number; odd: number | null }
type CallName = keyof typeof calls

/** x86-64, arm64. */
const calls = {
  ioctl: [16, 29],
  socket: [41, 198],
  clone: [56, 220],
  unshare: [272, 97],
  clone3: [435, 435],
  acct: [163, 89],
  add_key: [248, 217],
  bpf: [321, 280],
  clock_adjtime: [305, 266],
  clock_settime: [227, 112],
  delete_module: [176, 106],
  finit_module: [313, 273],
  fsconfig: [431, 431],
  fsmount: [432, 432],
  fsopen: [430, 430],
  fspick: [433, 433],
  init_module: [175, 105],
  io_uring_enter: [426, 426],
  io_uring_register: [427, 427],
  io_uring_setup: [425, 425],
  kexec_file_load: [320, 294],
  kexec_load: [246, 104],
  keyctl: [250, 219],
  lookup_dcookie: [212, 18],
  mount: [165, 40],
  mount_setattr: [442, 442],
  move_mount: [429, 429],
  open_by_handle_at: [304, 265],
  open_tree: [428, 428],
  perf_event_open: [298, 241],
  pivot_root: [155, 41],
  process_vm_readv: [310, 270],
  process_vm_writev: [311, 271],
  quotactl: [179, 60],
  reboot: [169, 142],
  request_key: [249, 218],
  setns: [308, 268],
  settimeofday: [164, 170],
  swapoff: [168, 225],
  swapon: [167, 224],
  syslog: [103, 116],
  umount2: [166, 39],
  userfaultfd: [323, 282],
  vhangup: [153, 58],
} as const

const archs: Partial<Record<NodeJS.Architecture, Arch>> = {
  // Bit 30 marks calls of the x32 kind, which would pass by their other numbers.
  x64: { audit: 0xc000003e, call: (name) => calls[name][0], odd: 0x40000000 },
  arm64: { audit: 0xc00000b7, call: (name) => calls[name][1], odd: null },
}

const LOAD = 0x20
const JUMP_IF_EQUAL = 0x15
const JUMP_IF_AT_LEAST = 0x35
const JUMP_IF_ANY_BIT = 0x45
const RETURN = 0x06
const ALLOW = 0x7fff0000
const failWith = (errno: number): number => 0x00050000 | errno
const EPERM = 1
const EAFNOSUPPORT = 97
const ENOSYS = 38

/** Offsets in what the filter is given: the call's number, the architecture, the lower half of an argument. */
const NUMBER = 0
const ARCH = 4
const argument = (n: number): number => 16 + 8 * n

const CLONE_NEWUSER = 0x10000000
/** Terminals: putting words into their input. */
const TIOCSTI = 0x5412
const TIOCLINUX = 0x541c
/** Unix, IPv4, IPv6, netlink; no others, which reach a virtual machine's host or seldom used parts of the kernel. */
const FAMILIES = [1, 2, 10, 16]

type Step = [code: number, k: number, ifTrue: number, ifFalse: number]

const special: readonly CallName[] = ['ioctl', 'socket', 'clone', 'unshare', 'clone3', 'io_uring_setup']

/** The filter for this kind of processor; null where its numbers are not known. Pure. */
export function callFilter(arch: NodeJS.Architecture): Buffer | null {
  const found = archs[arch]
  return found ? encode(steps(found)) : null
}

function steps({ audit, call, odd }: Arch): Step[] {
  const refused = (Object.keys(calls) as CallName[]).filter((name) => !special.includes(name))
  return [
    [LOAD, ARCH, 0, 0],
    [JUMP_IF_EQUAL, audit, 1, 0],
    [RETURN, failWith(ENOSYS), 0, 0],
    [LOAD, NUMBER, 0, 0],
    ...(odd === null
      ? []
      : ([
          [JUMP_IF_AT_LEAST, odd, 0, 1],
          [RETURN, failWith(ENOSYS), 0, 0],
        ] satisfies Step[])),
    ...refused.flatMap((name) => when(call(name), [[RETURN, failWith(EPERM), 0, 0]])),
    // The C library then takes the older call, whose flags can be read here.
    ...(['clone3', 'io_uring_setup'] as const).flatMap((name) =>
      when(call(name), [[RETURN, failWith(ENOSYS), 0, 0]]),
    ),
    ...(['clone', 'unshare'] as const).flatMap((name) =>
      when(call(name), [
        [LOAD, argument(0), 0, 0],
        [JUMP_IF_ANY_BIT, CLONE_NEWUSER, 0, 1],
        [RETURN, failWith(EPERM), 0, 0],
        [RETURN, ALLOW, 0, 0],
      ]),
    ),
    ...when(call('ioctl'), [
      [LOAD, argument(1), 0, 0],
      [JUMP_IF_EQUAL, TIOCSTI, 1, 0],
      [JUMP_IF_EQUAL, TIOCLINUX, 0, 1],
      [RETURN, failWith(EPERM), 0, 0],
      [RETURN, ALLOW, 0, 0],
    ]),
    ...when(call('socket'), [
      [LOAD, argument(0), 0, 0],
      ...FAMILIES.map((family, i): Step => [JUMP_IF_EQUAL, family, FAMILIES.length - i, 0]),
      [RETURN, failWith(EAFNOSUPPORT), 0, 0],
      [RETURN, ALLOW, 0, 0],
    ]),
    [RETURN, ALLOW, 0, 0],
  ]
}

/** Steps for one call only: any other passes them by. */
const when = (number: number, then: Step[]): Step[] => [[JUMP_IF_EQUAL, number, 0, then.length], ...then]

/** As the kernel reads it: of each step 16 bits, 8, 8 and 32. */
function encode(all: readonly Step[]): Buffer {
  const buffer = Buffer.alloc(all.length * 8)
  all.forEach(([code, k, ifTrue, ifFalse], i) => {
    buffer.writeUInt16LE(code, i * 8)
    buffer.writeUInt8(ifTrue, i * 8 + 2)
    buffer.writeUInt8(ifFalse, i * 8 + 3)
    buffer.writeUInt32LE(k >>> 0, i * 8 + 4)
  })
  return buffer
}
