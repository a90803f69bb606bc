import { type Method, permits } from '../core/people/methods.ts'
import type { Person } from '../core/people/people.ts'

/** The catalogue of commands: the Telegram menu and /help come from it. `menu`: among the ten that Telegram lists. */
export const commands = [
  { name: 'run', args: '<command>', text: 'run one command on a machine', menu: true },
  {
    name: 'plan',
    args: '<request>',
    text: 'plan something; alone, it asks what',
    menu: true,
  },
  { name: 'status', args: '[#12]', text: 'what is going on', menu: true },
  { name: 'cancel', args: '[#12]', text: 'stop a run, for real', menu: true },
  {
    name: 'runs',
    args: '[name] [state] [7d]',
    text: 'what was run, newest first',
    menu: true,
  },
  { name: 'logs', args: '[#12]', text: 'the output of a run as a file', menu: true },
  {
    name: 'use',
    args: '[machine] [directory]',
    text: 'show or set where you work',
    menu: true,
  },
  { name: 'agent_status', args: '', text: 'your machines and how they are', menu: true },
  { name: 'policy', args: '<command>', text: 'what would happen, and why', menu: true },
  { name: 'help', args: '', text: 'this list', menu: true },
  { name: 'pause', args: '[#12]', text: 'start nothing new in a run', menu: false },
  { name: 'resume', args: '[#12]', text: 'go on with a paused run', menu: false },
  { name: 'retry', args: '#12', text: 'try the failed step again', menu: false },
  { name: 'approve', args: 'K7', text: 'approve by its code', menu: false },
  { name: 'deny', args: 'K7', text: 'deny by its code', menu: false },
  { name: 'agents', args: '', text: 'machines, and add one', menu: false },
  { name: 'usage', args: '[30d]', text: 'what language models were used and cost', menu: false },
  {
    name: 'memory',
    args: '[words]',
    text: 'what is remembered: search, correct, forget',
    menu: false,
  },
  { name: 'settings', args: '', text: 'what is approved ahead, and who may act where', menu: false },
  {
    name: 'skills',
    args: '[name]',
    text: 'skills and learned playbooks, and what waits for review',
    menu: false,
  },
  {
    name: 'lockdown',
    args: '[now]',
    text: 'cancel everything and start nothing more; asks first',
    menu: false,
  },
  { name: 'audit', args: '', text: 'who did what, and whether the record is whole', menu: false },
  {
    name: 'pair',
    args: '[CODE]',
    text: 'become owner with a code; in a group: let it be used here',
    menu: false,
  },
  { name: 'start', args: '', text: 'hello', menu: false },
] as const satisfies readonly {
  name: string
  args: string
  text: string
  menu: boolean
}[]

export type CommandName = (typeof commands)[number]['name']

/** The commands a person may use, by the table of methods. */
export const commandsFor = (person: Pick<Person, 'role'>) =>
  commands.filter((c) => permits(person, `/${c.name}` satisfies Method))

/** What Telegram's menu lists: at most ten. */
export const menuFor = (person: Pick<Person, 'role'>) =>
  commandsFor(person)
    .filter((c) => c.menu)
    .slice(0, 10)
    .map((c) => ({ command: c.name, description: c.text }))
