/* Answers as a model gives them, in few words. Steps are numbered from 1 in the order they stand. */

type Step = Record<string, unknown> & { depends_on: string[] }
type Options = { after?: number[]; writes?: string[]; network?: boolean; timeout?: number }

const step = (
  title: string,
  call: object,
  { after = [], writes = [], network = false, timeout = 300 }: Options = {},
): Step => ({
  title,
  reason: `It takes this: ${title.toLowerCase()}.`,
  call,
  directory: null,
  depends_on: after.map(String),
  milestone: null,
  writes,
  network,
  timeout_s: timeout,
  expects: `${title} has worked`,
  check: 'its exit status is 0',
  undo: writes.length > 0 ? `git restore ${writes.join(' ')}` : null,
})

export const sh = (command: string, options: Options = {}) =>
  step(command.slice(0, 30), { action: 'shell', command }, options)
export const tests = (tool: string, after: number[] = []) =>
  step('Run the tests', { action: 'run_tests', tool }, { after, timeout: 900 })
export const read = (path: string, after: number[] = []) =>
  step(`Read ${path}`, { action: 'file_read', path }, { after })
export const write = (path: string, content: string, after: number[] = []) =>
  step(`Write ${path}`, { action: 'file_write', path, content }, { after, writes: [path] })
export const patch = (path: string, added: string, after: number[] = [1]) =>
  step(
    `Patch ${path}`,
    { action: 'file_patch', patch: `--- a/${path}\n+++ b/${path}\n@@ -1,1 +1,2 @@\n line\n${added}\n` },
    { after, writes: [path] },
  )

/** The whole answer. */
export const draft = (summary: string, all: Step[]): object => ({
  cannot: null,
  summary,
  milestones: [],
  tasks: all.map((one, i) => ({ key: String(i + 1), ...one })),
})
