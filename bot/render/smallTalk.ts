import type { HelpTopic, Small } from '../../core/talk/chatter.ts'
import { plain } from './html.ts'

/** Short answers to what asks for nothing; `hello` is greeted with more. Pure. */
export const smallAnswers: Record<Exclude<Small, 'hello'>, string> = {
  thanks: 'You are welcome.',
  bye: 'Goodbye. What runs goes on, and its outcome comes here.',
  praise: 'Glad to hear it.',
  yes: 'Nothing waits for an answer. What should be done?',
  no: 'All right. Nothing was changed.',
  fine: '👍',
  sorry: 'No harm done.',
  complaint: 'Is something wrong? “stop” stops what runs, “what failed?” tells what went wrong.',
}

/** What help says about one thing. HTML; null for `all`, which is the list of commands. Pure. */
export function helpLine(topic: HelpTopic, hasModel: boolean): string | null {
  switch (topic) {
    case 'all':
      return null
    case 'who':
      return 'I am SKYNET: say what to do on your machines, and I plan it, ask where it matters, run it there and show what happens. /help lists what I understand.'
    case 'approve':
      return 'What needs a yes comes as a card with its risk and the exact commands: tap <b>Approve</b> or <b>Deny</b> (high risk: twice). By code it is <code>/approve K7</code>. “what is waiting?” shows what is open.'
    case 'stop':
      return 'Say “stop”, tap <b>Cancel</b> on the card, or <code>/cancel #12</code>. “stop everything” cancels all that is yours.'
    case 'pause':
      return '“pause” lets the running step end and starts nothing new; “go on” goes on. Or <code>/pause #12</code> and <code>/resume #12</code>.'
    case 'retry':
      return '“try again” runs the failed step of your last run once more, “retry step 3 of #12” that one. Or the button on its outcome.'
    case 'machine':
      return '/agents lists your machines; <b>Add machine</b> there gives one line to run on the new one.'
    case 'log':
      return '<code>/logs #12</code> sends the whole output of a run as a file; “what did it print?” shows the last lines.'
    case 'place':
      return '<code>/use laptop api</code> sets where you work; “run the tests in api on laptop” names it once.'
    case 'model':
      return hasModel
        ? 'A language model is set up: it plans what no playbook understands, and words answers in your language. Policy and approvals do not depend on it.'
        : 'None is needed: playbooks and rules do the work. With a key such as <code>GOOGLE_AI_API_KEY</code>, or Ollama, I plan requests that no playbook understands, and understand and answer freely in your language.'
  }
}

const topics: HelpTopic[] = ['who', 'approve', 'stop', 'pause', 'retry', 'machine', 'log', 'place']

/** The same as plain text, for a model that answers questions about the bot. Pure. */
export const helpFacts = (): string => topics.map((topic) => plain(helpLine(topic, true) ?? '')).join('\n')
