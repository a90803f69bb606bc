import { lookCompare } from './lookCompare.ts'
import { lookFiles } from './lookFiles.ts'
import { lookMachine } from './lookMachine.ts'
import { lookSearch } from './lookSearch.ts'
import { lookShell } from './lookShell.ts'
import { lookText } from './lookText.ts'
import type { ProgramTable } from './program.ts'

/** Programs that look and do not touch. */
export const look: ProgramTable = {
  ...lookCompare,
  ...lookFiles,
  ...lookMachine,
  ...lookSearch,
  ...lookShell,
  ...lookText,
}
