import { Socket } from 'node:net'

/**
 * A connection that sends all that is written in one turn of the event loop at once. `pg` corks it for every statement;
 * those that are asked for together then leave in one system call, and the server finds them together.
 */
export class GatheringSocket extends Socket {
  override uncork(): void {
    process.nextTick(() => super.uncork())
  }
}
