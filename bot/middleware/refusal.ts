import { assertNever } from '../../core/assertNever.ts'
import { accessOf } from '../../core/people/methods.ts'

/** What somebody is told whose role does not reach a method. */
export function refusalFor(method: string): string {
  const access = accessOf(method)
  switch (access) {
    case 'decide':
      return method === '/retry' || method === 'tap retry' || method === 'tap review again'
        ? 'Only approvers and owners can retry: a retry is an approval.'
        : 'You may not decide this: ask an approver or an owner.'
    case 'manage':
      return 'Only owners may do this.'
    case 'steer':
    case 'steer_own':
    case 'steer_any':
      return 'Only who asked for it, approvers and owners may do this.'
    case 'start':
      return 'Your role lets you look, not start work.'
    case 'look':
    case 'open':
    case 'part':
    case null:
      return 'This is not for you.'
    default:
      return assertNever(access)
  }
}
