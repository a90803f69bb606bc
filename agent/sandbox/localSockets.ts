import { spawnSync } from 'node:child_process'
import { findProgram } from './environment.ts'

/**
 * A command with the machine's network would also reach its abstract sockets (X11, desktop buses), which no mount
 * hides. The kernel's Landlock keeps it from those (scoping, Linux 6.12 and on); Perl, which is nearly everywhere,
 * makes the three calls and then becomes the command.
 */
const program = [
  'delete $ENV{PERL_BADLANG};',
  'my $rules = pack "QQQ", 0, 0, 1;',
  'my $fd = syscall 444, $rules, length $rules, 0;',
  '$fd >= 0 and syscall(446, $fd, 0) == 0 or exit 126;',
  'exec { $ARGV[0] } @ARGV or do { print STDERR "$ARGV[0]: $!\\n"; exit 127 }',
].join(' ')

/** The variable that keeps Perl from speaking of an unknown locale; it is gone for the command. */
export const quietly = ['--setenv', 'PERL_BADLANG', '0']

/** The words in front of a command that keep it from abstract sockets of others; none where that does not work. */
export function socketWords(places: string[]): string[] {
  const perl = findProgram('perl', places)
  if (!perl) return []
  const version = spawnSync(perl, ['-e', 'exit syscall 444, 0, 0, 1'], { stdio: 'ignore' }).status ?? 0
  return version >= 6 && version < 126 ? [perl, '-e', program, '--'] : []
}
