import { may, type Person, type Right } from '../core/people/people.ts'

/** The catalogue of commands: the Telegram menu and /help come from it. `menu`: among the ten that Telegram lists. */
export const commands = [
  { name: 'run', args: '<command>', text: 'run one command on a machine', right: 'start', menu: true },
  {
    name: 'plan',
    args: '<request>',
    text: 'plan something; alone, it asks what',
    right: 'start',
    menu: true,
  },
  { name: 'status', args: '[#12]', text: 'what is going on', right: 'look', menu: true },
  { name: 'cancel', args: '[#12]', text: 'stop a run, for real', right: 'steer_own', menu: true },
  {
    name: 'runs',
    args: '[name] [state] [7d]',
    text: 'what was run, newest first',
    right: 'look',
    menu: true,
  },
  { name: 'logs', args: '[#12]', text: 'the output of a run as a file', right: 'look', menu: true },
  {
    name: 'use',
    args: '[machine] [directory]',
    text: 'show or set where you work',
    right: 'start',
    menu: true,
  },
  { name: 'agent_status', args: '', text: 'your machines and how they are', right: 'look', menu: true },
  { name: 'policy', args: '<command>', text: 'what would happen, and why', right: 'look', menu: true },
  { name: 'help', args: '', text: 'this list', right: null, menu: true },
  { name: 'pause', args: '[#12]', text: 'start nothing new in a run', right: 'steer_own', menu: false },
  { name: 'resume', args: '[#12]', text: 'go on with a paused run', right: 'steer_own', menu: false },
  { name: 'retry', args: '#12', text: 'try the failed step again', right: 'decide', menu: false },
  { name: 'approve', args: 'K7', text: 'approve by its code', right: 'decide', menu: false },
  { name: 'deny', args: 'K7', text: 'deny by its code', right: 'decide', menu: false },
  { name: 'agents', args: '', text: 'machines, and add one', right: 'look', menu: false },
  {
    name: 'pair',
    args: '[CODE]',
    text: 'become owner with a code; in a group: let it be used here',
    right: null,
    menu: false,
  },
  { name: 'start', args: '', text: 'hello', right: null, menu: false },
] as const satisfies readonly {
  name: string
  args: string
  text: string
  right: Right | null
  menu: boolean
}[]

export type CommandName = (typeof commands)[number]['name']

/** The commands a person may use. */
export const commandsFor = (person: Pick<Person, 'role'>) =>
  commands.filter((c) => c.right === null || may(person, c.right))

/** What Telegram's menu lists: at most ten. */
export const menuFor = (person: Pick<Person, 'role'>) =>
  commandsFor(person)
    .filter((c) => c.menu)
    .slice(0, 10)
    .map((c) => ({ command: c.name, description: c.text }))
