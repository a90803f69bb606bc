import type { Fact } from './facts.ts'
import type { Place } from './paths/classifyPath.ts'

/** The floor of denials: what nobody may do from here, with the reason a person reads. No policy file lifts it. */
export const floorReasons: Readonly<Record<string, string>> = {
  'floor.skynet-data': "touches SKYNET's own data and keys",
  'floor.delete-root': 'deletes a home, a root or the system',
  'floor.delete-system': 'deletes files the system needs',
  'floor.delete-unknown': 'what it deletes could be everything',
  'floor.mode-system': 'changes who may use system files',
  'floor.move-system': 'moves a home or the system away',
  'floor.system-file': 'changes a file the system needs',
  'floor.login': 'changes who can log in',
  'floor.credentials': 'reads or replaces keys or passwords',
  'floor.raw-device': 'works on a raw disk or device',
  'floor.fork-bomb': 'starts itself again without end',
  'floor.shutdown': 'switches the machine off',
  'floor.kill-all': 'kills every process it can',
  'floor.disable-agent': 'stops the SKYNET agent',
  'floor.accounts': 'changes accounts of the machine',
  'floor.protection': 'takes the firewall or protection down',
  'floor.pipe-to-shell': 'runs code straight from the network',
  'floor.hidden-code': 'runs code that it hides',
  'floor.reverse-shell': 'opens a shell to another machine',
  'floor.delete-schedule': 'deletes all scheduled jobs',
  'floor.container-escape': 'gives a container the whole machine',
  'floor.other-command': 'starts something else than it says',
  'floor.patch-escape': 'leaves the directory through a patch',
}

type Places = Partial<Record<Place, string>>

const anywhere: Places = { denied: 'floor.skynet-data' }
const writes: Places = {
  ...anywhere,
  login: 'floor.login',
  vital: 'floor.system-file',
  device: 'floor.raw-device',
  credential: 'floor.credentials',
}
const reads: Places = { ...anywhere, credential: 'floor.credentials', device: 'floor.raw-device' }
const deletes: Places = { ...writes, top: 'floor.delete-root' }
const deletesTree: Places = { ...deletes, vital: 'floor.delete-system', system: 'floor.delete-system' }
const modes: Places = { ...writes, top: 'floor.mode-system', credential: 'floor.credentials' }

/** Which places turn an effect into a floor denial. */
const byEffect: Readonly<Record<string, Places>> = {
  'fs.read': reads,
  'fs.list': anywhere,
  'fs.write': writes,
  'fs.create': writes,
  'fs.delete': deletes,
  'fs.delete-tree': deletesTree,
  'fs.delete-many': deletesTree,
  'fs.mode': modes,
  'fs.mode-tree': { ...modes, system: 'floor.mode-system' },
  'fs.move': {
    ...deletes,
    top: 'floor.move-system',
    vital: 'floor.move-system',
    system: 'floor.move-system',
  },
  'code.run-file': anywhere,
}

/** The rule of the floor that a fact breaks; undefined for none. */
export function findFloor(fact: Fact): string | undefined {
  if (fact.effect.startsWith('floor.')) return fact.effect
  return fact.place === undefined ? undefined : byEffect[fact.effect]?.[fact.place]
}
